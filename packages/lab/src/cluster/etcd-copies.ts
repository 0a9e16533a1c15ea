// Copies of an etcd's data, taken as a power cut of all its members would leave it, and put back.
// Given the place and the members. Putting a copy back is the caller's to prepare: no member may
// run meanwhile.

import type { ClusterProgram } from "./cluster-program.ts";
import type { Place } from "./place.ts";

/** A copy of all that an etcd knew at one moment. */
export interface EtcdSnapshot {
  /** What the names of its folders end in: each stands beside the data that it is of. */
  readonly suffix: string;
}

/** A member and its data's folder in the place. */
export interface CopiedMember {
  readonly etcd: ClusterProgram;
  readonly data: string;
}

/** Takes copies and puts them back. */
export interface EtcdCopies {
  take(): Promise<EtcdSnapshot>;
  /** Replaces the data by the copy, which stays as it is. */
  putBack(snapshot: EtcdSnapshot): Promise<void>;
}

/** Makes the copier of what these members have. */
export function createEtcdCopies(place: Place, members: readonly CopiedMember[]): EtcdCopies {
  let taken = 0;
  // etcd's log is mostly room for later: as holes it costs no memory.
  const copy = (from: string, to: string): Promise<string> =>
    place.output("cp", ["--archive", "--sparse=always", from, to]);
  return {
    take: async () => {
      taken += 1;
      const suffix = `-copy-${taken}`;
      const running = members.map(({ etcd }) => etcd).filter((etcd) => etcd.isRunning());
      // Frozen between two writes: the files are what they would be after a power cut.
      await Promise.all(running.map((etcd) => etcd.freeze()));
      try {
        await Promise.all(members.map(({ data }) => copy(data, `${data}${suffix}`)));
      } finally {
        for (const etcd of running) etcd.resume();
      }
      return { suffix };
    },
    putBack: async ({ suffix }) => {
      for (const { data } of members) {
        await place.removeFile(data);
        await copy(`${data}${suffix}`, data);
      }
    },
  };
}
