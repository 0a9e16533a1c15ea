// Allocation by itself: the same stages that planning gives addresses with, for claims that no
// agent carries. Given claims, pools and rows; returns the rows as they shall be, and why a claim
// got nothing. Knows no agents and lanes, so that what is let go rests at once.

import {
  type Address,
  type AddressPool,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type Remark,
  type World,
  changedKeys,
  patchMap,
} from "@fairlead/model";

import { allocate } from "./allocate.ts";
import { createAsking } from "./asking.ts";
import type { Desk } from "./choose.ts";
import { type FreeAddresses, createFreeAddresses } from "./free-address.ts";
import { type LeaseRows, createLeaseRows } from "./lease-rows.ts";
import { createLeaseTable } from "./lease-table.ts";
import { claimsOf } from "./memory.ts";
import { type PoolBook, checkPools } from "./pools.ts";
import { NO_ARRIVALS, createMoveTurn, createOwnTurn } from "./reassign.ts";
import { releaseGone, releaseView } from "./release.ts";
import { runSteps } from "./steps.ts";
import { findUnusable } from "./unusable.ts";

/** What allotting reads. The maps are never changed. */
export interface AllotWorld {
  /** Epoch ms. */
  readonly nowMs: number;
  /** All that may hold something: an owner that is not among them is gone. */
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  readonly pools: readonly AddressPool[];
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
}

/** What came out. */
export interface Allotment {
  readonly leases: ReadonlyMap<Address, LeasedAddress>;
  /**
   * Why claims hold nothing. Of those only that were looked at: new ones, changed ones, and all of
   * them after a change of the pools. Take a refused claim out to have it tried again.
   */
  readonly refused: ReadonlyMap<ClaimId, Remark>;
}

declare const memoryBrand: unique symbol;

/** Opaque; makes the next allotting cheap, and never changes a result. */
export interface AllotMemory {
  readonly [memoryBrand]: true;
}

interface Remembered {
  readonly rows: LeaseRows;
  last?: LastAllotting;
}

interface LastAllotting {
  readonly world: AllotWorld;
  readonly leases: AllotWorld["leases"];
  readonly book: PoolBook;
  readonly free: FreeAddresses;
}

/** Makes an empty memory, for one line of worlds that follow each other. */
export function createAllotMemory(): AllotMemory {
  const empty: Remembered = { rows: createLeaseRows() };
  return empty as unknown as AllotMemory;
}

/** Gives and takes addresses. Never throws for anything that a claim or a pool may say. */
export function allot(world: AllotWorld, memory: AllotMemory = createAllotMemory()): Allotment {
  const remembered = memory as unknown as Remembered;
  const { rows, last } = remembered;
  openRows(rows, last, world);
  const isSameBook = last?.world.pools === world.pools;
  const book = isSameBook ? last.book : checkPools(world.pools);
  rows.fill.begin(book, rows.all.values());
  const release = releaseView(bareWorld(world), book);
  const asked = new Set(changedKeys(last?.world.claims ?? NO_CLAIMS, world.claims));
  for (const id of asked) for (const row of rows.ownedBy(id)) rows.touched.addresses.add(row);
  releaseGone(release, rows, new Set([...rows.touched.addresses, ...rows.unowned]));
  for (const id of isSameBook ? rows.touched.claims : world.claims.keys()) asked.add(id);

  const free = isSameBook ? last.free : createSearch(rows, book);
  free.rewind();
  const desk = {
    claims: claimsOf(asked, world.claims),
    book,
    table: createLeaseTable(rows, release),
    free,
    unusable: NOBODYS,
    fill: rows.fill,
    turn: createMoveTurn(NO_ARRIVALS),
    ownTurn: createOwnTurn(NO_ARRIVALS),
    asking: createAsking([]),
    isAbsent: () => false,
    inUse: NOTHING,
    ...NO_AGENTS,
  };
  const grants = runSteps(allocate(desk));
  free.rewind();
  const refused = new Map<ClaimId, Remark>();
  for (const [id, { addresses, main }] of grants) {
    if (addresses.length === 0 && main !== undefined) refused.set(id, main);
  }
  const leases = patchMap(last?.leases ?? NO_LEASES, touchedRows(rows));
  remembered.last = { world, leases, book, free };
  return { leases, refused };
}

const NO_CLAIMS: AllotWorld["claims"] = new Map();
const NO_LEASES: AllotWorld["leases"] = new Map();
const NOTHING: ReadonlyMap<Address, string> = new Map();
/** No agent has any of the addresses. */
const NOBODYS = findUnusable([]);
const NO_AGENTS: Pick<Desk, "owned" | "seats" | "forgotten"> = {
  owned: new Set(),
  seats: new Map(),
  forgotten: new Set(),
};

/** Starts with the given rows; those that are others than were allotted last are touched. */
function openRows(rows: LeaseRows, last: LastAllotting | undefined, { leases }: AllotWorld): void {
  rows.begin();
  for (const address of changedKeys(last?.leases ?? NO_LEASES, leases)) {
    const row = leases.get(address);
    if (row === undefined) rows.drop(address);
    else rows.put(row);
  }
}

/** A search that goes on from where it was, but for what was let go since it was last rewound. */
function createSearch(rows: LeaseRows, book: PoolBook): FreeAddresses {
  const search = createFreeAddresses({ rows: rows.all, book, unusable: NOBODYS, inUse: NOTHING });
  return {
    lowest: (view, family) => search.lowest(view, family),
    oldestResting: (views, family) => search.oldestResting(views, family),
    lowestIn: (...part) => search.lowestIn(...part),
    oldestRestingIn: (...part) => search.oldestRestingIn(...part),
    rewind: () => {
      if (hasNewlyFree(rows)) search.rewind();
    },
  };
}

/** Whether an address may be free, or rest, below where the search for one has come to. */
function hasNewlyFree({ all, touched }: LeaseRows): boolean {
  for (const address of touched.addresses) {
    const row = all.get(address);
    if (row === undefined || row.owners.length === 0) return true;
  }
  return false;
}

function touchedRows({ all, touched }: LeaseRows): Map<Address, LeasedAddress | undefined> {
  const now = new Map<Address, LeasedAddress | undefined>();
  for (const address of touched.addresses) now.set(address, all.get(address));
  return now;
}

function bareWorld({ nowMs, claims, pools, leases }: AllotWorld): World {
  return { ...BARE, nowMs, claims, pools, leases };
}

/** Nobody carries anything: neither setting is asked for. */
const BARE: Omit<World, "nowMs" | "claims" | "pools" | "leases"> = {
  settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 0 },
  absent: new Set(),
  agents: new Map(),
  lanes: new Map(),
  intents: [],
};
