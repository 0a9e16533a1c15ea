// Cuts a large commit into writes that a store's technology takes. Pure. The pieces are in an order
// that the store decides, so that every beginning of them is a good store.

import { compareBy, compareText } from "@fairlead/model";

/** What is done with a key; no value: it is deleted. */
export interface KeyChange {
  readonly key: string;
  readonly value: string | undefined;
}

/** Where a change stands among those of a commit. */
export interface ChangePlace {
  /** Lower ones are made first. */
  readonly rank: number;
  /** What must happen with it in one transaction: those of one rank and unit. Few changes each. */
  readonly unit?: string;
}

/** What one piece takes. */
export interface PieceLimits {
  /** How many changes. */
  readonly changes: number;
  /** Of keys and values. */
  readonly bytes: number;
}

/** The changes in pieces, by their places. No key may be named twice; a unit is never cut. */
export function cutIntoPieces(
  changes: readonly KeyChange[],
  placeOf: (change: KeyChange) => ChangePlace,
  limits: PieceLimits,
): readonly (readonly KeyChange[])[] {
  const pieces: KeyChange[][] = [];
  let bytes = 0;
  for (const unit of unitsOf(changes, placeOf)) {
    const size = unit.reduce((sum, { key, value }) => sum + sizeOf(key, value), 0);
    const last = pieces.at(-1);
    const isFull = last === undefined || last.length + unit.length > limits.changes;
    if (isFull || bytes + size > limits.bytes) {
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
  readonly change: KeyChange;
}

const comparePlaced = compareBy<Placed>(
  (a, b) => a.rank - b.rank,
  (a, b) => compareText(a.unit ?? "", b.unit ?? ""),
);

function unitsOf(
  changes: readonly KeyChange[],
  placeOf: (change: KeyChange) => ChangePlace,
): readonly (readonly KeyChange[])[] {
  const placed = changes.map((change): Placed => ({ ...placeOf(change), change }));
  const units: KeyChange[][] = [];
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
