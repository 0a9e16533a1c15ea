// Free addresses: the lowest of a pool, then resting ones. Keeps a cursor per range for one
// planning run, so that ten thousand claims cost ten thousand looks, and never expands a range.

import {
  type Address,
  type Family,
  type LeasedAddress,
  addressFromValue,
  compareAddress,
  familyOf,
} from "@fairlead/model";

import {
  type NumberRange,
  type PoolBook,
  type PoolView,
  holds,
  isBuggy,
  withheld,
} from "./pools.ts";
import type { Unusable } from "./unusable.ts";

/** Finds free addresses in one planning run. */
export interface FreeAddresses {
  /** The lowest address of this family that is in no row. */
  lowest(view: PoolView, family: Family): Address | undefined;
  /** The address of these pools that has been resting for longest. */
  oldestResting(views: readonly PoolView[], family: Family): Address | undefined;
  /** Looks from the start again, because rows went or began to rest. */
  rewind(): void;
}

/** What the search reads; rows change while it runs. */
export interface FreeOptions {
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly book: PoolBook;
  readonly unusable: Pick<Unusable, "allows">;
  /** Addresses that strangers have. */
  readonly inUse: ReadonlyMap<Address, string>;
}

interface Resting {
  readonly address: Address;
  readonly untilMs: number;
}

/** Starts a search. */
export function createFreeAddresses(options: FreeOptions): FreeAddresses {
  return new Search(options);
}

class Search implements FreeAddresses {
  readonly #options: FreeOptions;
  readonly #cursors = new Map<NumberRange, bigint>();
  #resting: ReadonlyMap<string, Resting[]> | undefined;

  constructor(options: FreeOptions) {
    this.#options = options;
  }

  lowest(view: PoolView, family: Family): Address | undefined {
    for (const range of view.ranges) {
      if (range.family !== family) continue;
      const found = this.#lowestOf(view, range);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  oldestResting(views: readonly PoolView[], family: Family): Address | undefined {
    this.#resting ??= this.#findResting();
    let best: Resting | undefined;
    for (const view of views) {
      const list = this.#resting.get(restingKey(view, family)) ?? [];
      const index = list.findIndex((one) => this.#isResting(one));
      // What was given meanwhile will not rest again before the next rewind.
      if (index !== 0) list.splice(0, index < 0 ? list.length : index);
      const [oldest] = list;
      if (oldest === undefined) continue;
      if (best === undefined || compareResting(oldest, best) < 0) best = oldest;
    }
    return best?.address;
  }

  rewind(): void {
    this.#cursors.clear();
    this.#resting = undefined;
  }

  #lowestOf(view: PoolView, range: NumberRange): Address | undefined {
    const { rows, unusable, inUse } = this.#options;
    let value = this.#cursors.get(range) ?? range.first;
    let found: Address | undefined;
    while (found === undefined && value <= range.last) {
      const skipped = skip(view, range.family, value);
      if (skipped !== undefined) {
        value = skipped;
        continue;
      }
      const address = addressFromValue(range.family, value);
      if (rows.has(address) || !unusable.allows(address) || inUse.has(address)) value += 1n;
      else found = address;
    }
    this.#cursors.set(range, value);
    return found;
  }

  #isResting({ address }: Resting): boolean {
    return this.#options.rows.get(address)?.state.kind === "quarantined";
  }

  #findResting(): ReadonlyMap<string, Resting[]> {
    const { rows, book, unusable, inUse } = this.#options;
    const byPool = new Map<string, Resting[]>();
    for (const { address, state } of rows.values()) {
      if (state.kind !== "quarantined" || !unusable.allows(address)) continue;
      if (inUse.has(address)) continue;
      const view = book.poolOf(address);
      if (view === undefined || withheld(view, address) !== undefined) continue;
      const key = restingKey(view, familyOf(address));
      const list = byPool.get(key);
      const entry = { address, untilMs: state.untilMs };
      if (list === undefined) byPool.set(key, [entry]);
      else list.push(entry);
    }
    for (const list of byPool.values()) list.sort(compareResting);
    return byPool;
  }
}

function restingKey(view: PoolView, family: Family): string {
  return `${view.pool.name} ${family}`;
}

function compareResting(a: Resting, b: Resting): number {
  return a.untilMs - b.untilMs || compareAddress(a.address, b.address);
}

/** The next number worth a look when this one is withheld; undefined when it is not. */
function skip(view: PoolView, family: Family, value: bigint): bigint | undefined {
  const reserved = view.reserved.find((range) => holds(range, family, value));
  if (reserved !== undefined) return reserved.last + 1n;
  return view.pool.avoidBuggyIPs && isBuggy(family, value) ? value + 1n : undefined;
}
