// Cuts a large commit into transactions that etcd takes. Pure. The pieces are in an order that the
// store decides, so that every beginning of them is a good store.

import { compareBy, compareText } from "@fairlead/model";

import { type EtcdChange, TRANSACTION_OPERATIONS_MAX } from "../../etcd/transaction.ts";

/** One operation of each transaction writes the term. */
const CHANGES_MAX = TRANSACTION_OPERATIONS_MAX - 1;
/** etcd takes requests of 1.5 MiB (--max-request-bytes); a row alone is far smaller. */
const BYTES_MAX = 512 * 1024;

/** Where a change stands among those of a commit. */
export interface ChangePlace {
  /** Lower ones are made first. */
  readonly rank: number;
  /** What must happen with it in one transaction: those of one rank and unit. Few changes each. */
  readonly unit?: string;
}

/** The changes in pieces, by their places. No key may be named twice. */
export function cutIntoPieces(
  changes: readonly EtcdChange[],
  placeOf: (change: EtcdChange) => ChangePlace,
): readonly (readonly EtcdChange[])[] {
  const pieces: EtcdChange[][] = [];
  let bytes = 0;
  for (const unit of unitsOf(changes, placeOf)) {
    const size = unit.reduce((sum, { key, value }) => sum + sizeOf(key, value), 0);
    const last = pieces.at(-1);
    const isFull = last === undefined || last.length + unit.length > CHANGES_MAX;
    if (isFull || bytes + size > BYTES_MAX) {
      pieces.push([...unit]);
      bytes = size;
    } else {
      last.push(...unit);
      bytes += size;
    }
  }
  return pieces;
}

interface Placed extends ChangePlace {
  readonly change: EtcdChange;
}

const comparePlaced = compareBy<Placed>(
  (a, b) => a.rank - b.rank,
  (a, b) => compareText(a.unit ?? "", b.unit ?? ""),
);

function unitsOf(
  changes: readonly EtcdChange[],
  placeOf: (change: EtcdChange) => ChangePlace,
): readonly (readonly EtcdChange[])[] {
  const placed = changes.map((change): Placed => ({ ...placeOf(change), change }));
  const units: EtcdChange[][] = [];
  let before: Placed | undefined;
  for (const one of placed.toSorted(comparePlaced)) {
    const isSame = one.unit !== undefined && one.unit === before?.unit && one.rank === before.rank;
    if (isSame) units.at(-1)?.push(one.change);
    else units.push([one.change]);
    before = one;
  }
  return units;
}

function sizeOf(key: string, value: string | undefined): number {
  return key.length + Buffer.byteLength(value ?? "");
}
