// Cuts a large commit into transactions that etcd takes. Pure. The pieces are in an order in which
// every beginning of them is a good store: rows come before what points to them goes, and a claim
// has its new address before its old one is free.

import { type EtcdChange, TRANSACTION_OPERATIONS_MAX } from "../../etcd/transaction.ts";
import type { StoreKeys } from "./rows-in-etcd.ts";

/** One operation of each transaction writes the term. */
const CHANGES_MAX = TRANSACTION_OPERATIONS_MAX - 1;
/** etcd takes requests of 1.5 MiB (--max-request-bytes); a row alone is far smaller. */
const BYTES_MAX = 512 * 1024;

/**
 * The changes in pieces: lanes, then leases and intents, then what is deleted in reverse. No key
 * may be named twice.
 */
export function cutIntoPieces(
  keys: StoreKeys,
  changes: readonly EtcdChange[],
): readonly (readonly EtcdChange[])[] {
  const sorted = changes.toSorted((a, b) => rank(keys, a) - rank(keys, b));
  const pieces: EtcdChange[][] = [];
  let bytes = 0;
  for (const change of sorted) {
    const size = change.key.length + Buffer.byteLength(change.value ?? "");
    const last = pieces.at(-1);
    if (last === undefined || last.length >= CHANGES_MAX || bytes + size > BYTES_MAX) {
      pieces.push([change]);
      bytes = size;
    } else {
      last.push(change);
      bytes += size;
    }
  }
  return pieces;
}

function rank(keys: StoreKeys, { key, value }: EtcdChange): number {
  const isLane = key.startsWith(keys.lanes);
  if (value !== undefined) return isLane ? 0 : 1;
  return isLane ? 3 : 2;
}
