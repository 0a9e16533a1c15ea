// The rows of the IPAM service as they are copied from one store into another that has none. Given
// both by their port, while no controller works with either. Opening takes a term of the store that
// is read, as each opening does, and changes nothing else of it.

import type { StoredIpam } from "./ipam/ipam-model.ts";
import type { IpamStore } from "./ipam/ports.ts";
import { ipamChangesOf } from "./store/ipam-table.ts";

/** Where the rows are, or would be. */
export interface CopiedIpam {
  /** Whether there may be any; opening would make the place. */
  readonly isThere: boolean;
  /** Makes a store, which is opened once. */
  store(): IpamStore;
}

/** How many rows there are. */
export interface IpamCounts {
  readonly classes: number;
  readonly netblocks: number;
  readonly registrations: number;
}

/** All rows; undefined: there are none. Rejects with the store's EdgeError. */
export async function readIpam(place: CopiedIpam | undefined): Promise<StoredIpam | undefined> {
  if (place?.isThere !== true) return undefined;
  await using store = place.store();
  const stored = await store.open();
  return stored.classes.length === 0 ? undefined : stored;
}

/** Writes rows into a store that has none. Rejects with the store's EdgeError. */
export async function writeIpam(place: CopiedIpam, stored: StoredIpam): Promise<void> {
  await using store = place.store();
  await store.open();
  await store.commit(ipamChangesOf(stored));
}

/** How many there are of each. */
export function countIpam({ classes, netblocks, registrations }: StoredIpam): IpamCounts {
  return {
    classes: classes.length,
    netblocks: netblocks.length,
    registrations: registrations.length,
  };
}
