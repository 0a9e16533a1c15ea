// Copies of etcd's data, taken as a power cut would leave it, and put back. Given the place and
// etcd itself. Putting a copy back is the caller's to prepare: etcd must not run meanwhile.

import type { ClusterProgram } from "./cluster-program.ts";
import type { Place } from "./place.ts";

/** A copy of all that a cluster knew at one moment. */
export interface EtcdSnapshot {
  /** Its folder in the place. */
  readonly folder: string;
}

/** Takes copies and puts them back. */
export interface EtcdCopies {
  take(): Promise<EtcdSnapshot>;
  /** Replaces the data by the copy, which stays as it is. */
  putBack(snapshot: EtcdSnapshot): Promise<void>;
}

/** Makes the copier of the data in `data`. */
export function createEtcdCopies(place: Place, etcd: ClusterProgram, data: string): EtcdCopies {
  let taken = 0;
  // etcd's log is mostly room for later: as holes it costs no memory.
  const copy = (from: string, to: string): Promise<string> =>
    place.output("cp", ["--archive", "--sparse=always", from, to]);
  return {
    take: async () => {
      taken += 1;
      const folder = `${data}-copy-${taken}`;
      const runs = etcd.isRunning();
      // Frozen between two writes: its files are what they would be after a power cut.
      if (runs) await etcd.freeze();
      try {
        await copy(data, folder);
      } finally {
        if (runs) etcd.resume();
      }
      return { folder };
    },
    putBack: async ({ folder }) => {
      await place.removeFile(data);
      await copy(folder, data);
    },
  };
}
