// Free addresses: the lowest of a pool, then resting ones. Keeps a cursor per range for one
// planning run, so that ten thousand claims cost ten thousand looks, and never expands a range.

import {
  type Address,
  type Family,
  type LeasedAddress,
  addressFromValue,
  addressValue,
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
  /** The lowest of these ranges of the pool that is in no row, and none of `isTaken`. */
  lowestIn(
    view: PoolView,
    ranges: readonly NumberRange[],
    isTaken: (address: Address) => boolean,
  ): Address | undefined;
  /** The address of the pool that passes the test and has been resting for longest. */
  oldestRestingIn(
    view: PoolView,
    family: Family,
    test: (address: Address) => boolean,
  ): Address | undefined;
  /** The address of these pools that has been resting for longest. */
  oldestResting(views: readonly PoolView[], family: Family): Address | undefined;
  /** Looks from the start again, because rows went or began to rest. */
  rewind(): void;
}

/** What the search reads; rows change while it runs. */
export interface FreeOptions {
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly book: PoolBook;
  readonly unusable: Pick<Unusable, "allows" | "stillOn">;
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

  lowestIn(
    view: PoolView,
    ranges: readonly NumberRange[],
    isTaken: (address: Address) => boolean,
  ): Address | undefined {
    for (const range of ranges) {
      const lowest = this.#lowestOf(view, range);
      if (lowest === undefined) continue;
      if (!isTaken(lowest)) return lowest;
      // What another seat just took is in no row yet; the cursor waits there.
      const { found } = this.#search(view, range, addressValue(lowest) + 1n, isTaken);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  oldestRestingIn(
    view: PoolView,
    family: Family,
    test: (address: Address) => boolean,
  ): Address | undefined {
    this.#resting ??= this.#findResting();
    const list = this.#resting.get(restingKey(view, family)) ?? [];
    return list.find((one) => this.#isResting(one) && test(one.address))?.address;
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
    const from = this.#cursors.get(range) ?? range.first;
    const { found, value } = this.#search(view, range, from);
    this.#cursors.set(range, value);
    return found;
  }

  #search(
    view: PoolView,
    range: NumberRange,
    from: bigint,
    isTaken: (address: Address) => boolean = () => false,
  ): { readonly found: Address | undefined; readonly value: bigint } {
    const { rows, inUse } = this.#options;
    let value = from;
    let found: Address | undefined;
    while (found === undefined && value <= range.last) {
      const skipped = skip(view, range.family, value);
      if (skipped !== undefined) {
        value = skipped;
        continue;
      }
      const address = addressFromValue(range.family, value);
      const isKnown = rows.has(address) || inUse.has(address) || isTaken(address);
      if (isKnown || !this.#isUsable(view, address)) value += 1n;
      else found = address;
    }
    return { found, value };
  }

  #isResting({ address }: Resting): boolean {
    return this.#options.rows.get(address)?.state.kind === "quarantined";
  }

  /** A host's own address is one that it has anyway. */
  #isUsable({ isOwn }: PoolView, address: Address): boolean {
    const { unusable } = this.#options;
    return isOwn ? unusable.stillOn(address) === undefined : unusable.allows(address);
  }

  #findResting(): ReadonlyMap<string, Resting[]> {
    const { rows, book, inUse } = this.#options;
    const byPool = new Map<string, Resting[]>();
    for (const { address, state } of rows.values()) {
      if (state.kind !== "quarantined" || inUse.has(address)) continue;
      const view = book.poolOf(address);
      if (view === undefined || !this.#isUsable(view, address)) continue;
      if (withheld(view, address) !== undefined) continue;
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
