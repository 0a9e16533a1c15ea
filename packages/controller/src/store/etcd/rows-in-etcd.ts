// Which key of etcd each row of the store has, and what its change writes. Pure. One key an
// address, so that no address can be in two rows.

import { type Address, type LaneId, assertNever } from "@fairlead/model";

import type { StoreChange, StoredState } from "../../ports.ts";
import type { EtcdChange } from "../../etcd/transaction.ts";
import type { EtcdRow } from "../../etcd/list-prefix.ts";
import { readIntent, readLane, readLease } from "../rows.ts";
import type { ChangePlace } from "../pieces.ts";

/** All rows of a store. */
export type StoredRows = Omit<StoredState, "epoch">;

/** The keys of a store. */
export interface StoreKeys {
  /** All keys of the store begin so. */
  readonly prefix: string;
  readonly term: string;
  readonly leases: string;
  readonly lanes: string;
  readonly intents: string;
}

/** The keys below a base path such as `/fairlead`. */
export function storeKeys(base: string): StoreKeys {
  const prefix = `${base}/store/`;
  return {
    prefix,
    term: `${prefix}term`,
    leases: `${prefix}leases/`,
    lanes: `${prefix}lanes/`,
    intents: `${prefix}intents/`,
  };
}

/** What a change of the store does with its key. */
export function toKeyChange(keys: StoreKeys, change: StoreChange): EtcdChange {
  const lease = (address: Address): string => `${keys.leases}${address}`;
  const lane = (id: LaneId): string => `${keys.lanes}${id}`;
  switch (change.kind) {
    case "put-lease":
      return { key: lease(change.lease.address), value: JSON.stringify(change.lease) };
    case "delete-lease":
      return { key: lease(change.address), value: undefined };
    case "put-lane":
      return { key: lane(change.lane.id), value: JSON.stringify(change.lane) };
    case "delete-lane":
      return { key: lane(change.lane), value: undefined };
    case "put-intent":
      return { key: `${keys.intents}${change.intent.id}`, value: JSON.stringify(change.intent) };
    case "delete-intent":
      return { key: `${keys.intents}${change.id}`, value: undefined };
    default:
      return assertNever(change, "unknown change of the store");
  }
}

/**
 * Where a change stands in a commit of many: lanes, then leases and intents, then what is deleted
 * in reverse. So rows come before what points to them goes, and a claim has its new address before
 * its old one is free.
 */
export function placeInCommit(keys: StoreKeys, { key, value }: EtcdChange): ChangePlace {
  const isLane = key.startsWith(keys.lanes);
  if (value !== undefined) return { rank: isLane ? 0 : 1 };
  return { rank: isLane ? 3 : 2 };
}

/** The rows among the keys of the store. Throws EdgeError CORRUPT that names the row. */
export function readRows(keys: StoreKeys, rows: readonly EtcdRow[]): StoredRows {
  const below = <T>(prefix: string, read: (row: { key: string; row: string }) => T): T[] =>
    rows
      .filter(({ key }) => key.startsWith(prefix))
      .map(({ key, value }) => read({ key: key.slice(prefix.length), row: value }));
  return {
    leases: below(keys.leases, readLease),
    lanes: below(keys.lanes, readLane),
    intents: below(keys.intents, readIntent),
  };
}
