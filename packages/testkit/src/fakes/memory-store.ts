// A store in memory that behaves like the real ones: epochs, fencing, all or nothing, copies in
// and out. Its commits fail by a seeded random source, so that scenarios can have a bad disk.

import type {
  CommitResult,
  OutrankResult,
  Store,
  StoreChange,
  StoredState,
} from "@fairlead/controller";
import {
  type Address,
  type Intent,
  type Lane,
  type LaneId,
  type LeasedAddress,
  assert,
  assertNever,
  compareText,
} from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";

/** What outlives the stores over it. */
export interface MemoryMedium {
  epoch: number;
  readonly leases: Map<Address, LeasedAddress>;
  readonly lanes: Map<LaneId, Lane>;
  readonly intents: Map<string, Intent>;
}

/** Makes an empty medium. */
export function createMemoryMedium(): MemoryMedium {
  return { epoch: 0, leases: new Map(), lanes: new Map(), intents: new Map() };
}

/** A copy of everything that is in it now. */
export function copyMedium({ epoch, leases, lanes, intents }: MemoryMedium): MemoryMedium {
  return structuredClone({
    epoch,
    leases: new Map(leases),
    lanes: new Map(lanes),
    intents: new Map(intents),
  });
}

/** Puts a copy in the place of what is there, as from a backup; no controller may run meanwhile. */
export function restoreMedium(medium: MemoryMedium, copy: MemoryMedium): void {
  const { epoch, leases, lanes, intents } = copyMedium(copy);
  medium.epoch = epoch;
  replaceRows(medium.leases, leases);
  replaceRows(medium.lanes, lanes);
  replaceRows(medium.intents, intents);
}

/** Puts rows in the place of all that the table has. */
export function replaceRows<Key, Row>(table: Map<Key, Row>, rows: ReadonlyMap<Key, Row>): void {
  table.clear();
  for (const [key, row] of rows) table.set(key, row);
}

/** How the store behaves. */
export interface MemoryStoreOptions {
  readonly medium: MemoryMedium;
  /** Whether the next write fails, as on a full disk. Default: never. */
  readonly failing?: () => boolean;
  /** Whether the next commit is made and its answer gets lost. Default: never. */
  readonly losing?: () => boolean;
}

/** Makes a store over the medium. Opening it fences every store that was opened before. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { medium, failing = () => false, losing = () => false } = options;
  let isClosed = false;
  let isOpen = false;
  /** What there was before a commit whose answer was lost. */
  let before: MemoryMedium | undefined;
  let hasFailed = false;

  async function commit(epoch: number, changes: readonly StoreChange[]): Promise<CommitResult> {
    if (isClosed) throw storeError("CLOSED", "the store is closed");
    assert(isOpen, "a store is opened before it is written");
    await Promise.resolve();
    // One without changes writes only after one that failed.
    const isWrite = changes.length > 0 || before !== undefined || hasFailed;
    hasFailed = isWrite && failing();
    if (hasFailed) {
      throw storeError("NO_SPACE", "cannot write the store: the disk is full");
    }
    if (epoch !== medium.epoch) return { kind: "fenced", epoch: medium.epoch };
    if (before !== undefined) restoreMedium(medium, { ...before, epoch });
    const isLost = losing();
    before = isLost ? copyMedium(medium) : undefined;
    for (const change of structuredClone(changes)) apply(medium, change);
    if (isLost) throw storeError("TIMEOUT", "cannot write the store: nobody answered");
    return { kind: "committed" };
  }

  async function outrank(epoch: number, obeyed: number): Promise<OutrankResult> {
    if (isClosed) throw storeError("CLOSED", "the store is closed");
    await Promise.resolve();
    if (failing()) throw storeError("NO_SPACE", "cannot write the store: the disk is full");
    if (epoch !== medium.epoch) return { kind: "fenced", epoch: medium.epoch };
    medium.epoch = obeyed + 1;
    return { kind: "outranked", epoch: medium.epoch };
  }

  async function open(): Promise<StoredState> {
    assert(!isClosed, "a store is opened before it is closed");
    await Promise.resolve();
    isOpen = true;
    before = undefined;
    medium.epoch += 1;
    return structuredClone({
      epoch: medium.epoch,
      leases: sorted(medium.leases),
      lanes: sorted(medium.lanes),
      intents: sorted(medium.intents),
    });
  }

  return {
    open,
    commit,
    outrank,
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve();
      isClosed = true;
    },
  };
}

/**
 * Fails about `rate` (0 to 1) of the times it is asked, the same times for the same seed.
 * Mulberry32, a small generator of good spread.
 */
export function failingBySeed(seed: number, rate: number): () => boolean {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 < rate;
  };
}

function apply(medium: MemoryMedium, change: StoreChange): void {
  switch (change.kind) {
    case "put-lease":
      medium.leases.set(change.lease.address, change.lease);
      return;
    case "put-lane":
      medium.lanes.set(change.lane.id, change.lane);
      return;
    case "put-intent":
      medium.intents.set(change.intent.id, change.intent);
      return;
    case "delete-lease":
      medium.leases.delete(change.address);
      return;
    case "delete-lane":
      medium.lanes.delete(change.lane);
      return;
    case "delete-intent":
      medium.intents.delete(change.id);
      return;
    default:
      assertNever(change, "unknown change of the store");
  }
}

function sorted<Key extends string, Row>(table: ReadonlyMap<Key, Row>): Row[] {
  return [...table].sort(([a], [b]) => compareText(a, b)).map(([, row]) => row);
}

function storeError(code: string, message: string): EdgeError {
  return new EdgeError({ code, message, retryable: code !== "CLOSED" });
}
