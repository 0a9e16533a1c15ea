// All leased addresses while they are planned with, found by claim, by sharing key, by last holder
// and by where it is. Kept from one planning to the next and changed in place, so that ten thousand
// rows are not read for the sake of one; it says which rows a planning has touched.

import type { Address, AgentName, ClaimId, LaneId, LeasedAddress, PoolName } from "@fairlead/model";

import { type PoolFill, createPoolFill } from "./pool-fill.ts";
import { type Touched, createTouched } from "./touched.ts";

/** The rows and their indexes. Lists are in no order, and change with the rows. */
export interface LeaseRows {
  readonly all: ReadonlyMap<Address, LeasedAddress>;
  /** Rows that drain or rest. */
  readonly unowned: ReadonlySet<Address>;
  /** By lane that carries any, how many of each pool. */
  readonly lanes: ReadonlyMap<LaneId, ReadonlyMap<PoolName, number>>;
  /** VIPs that the lane carries. */
  loadOf(lane: LaneId): number;
  /** How full pools are. */
  readonly fill: PoolFill;
  /** By agent, what it holds by itself, without a lane. */
  readonly hosts: ReadonlyMap<AgentName, ReadonlySet<Address>>;
  /** What the current planning touched. */
  readonly touched: Touched;
  /** Starts another planning: nothing is touched. */
  begin(): void;
  put(row: LeasedAddress): void;
  drop(address: Address): void;
  ownedBy(claim: ClaimId): readonly Address[];
  /** Rows without owner that the claim held last. */
  leftBy(claim: ClaimId): readonly Address[];
  /** Rows under a sharing key. */
  sharedBy(key: string): readonly Address[];
  /** Whether a claim owns an address that the pool gave. */
  isInUse(pool: PoolName): boolean;
}

/** Makes an empty table of rows. */
export function createLeaseRows(): LeaseRows {
  return new Rows();
}

class Rows implements LeaseRows {
  readonly all = new Map<Address, LeasedAddress>();
  readonly unowned = new Set<Address>();
  readonly lanes = new Map<LaneId, Map<PoolName, number>>();
  readonly fill = createPoolFill();
  /** Owned addresses by the pool that gave them. */
  readonly #given = new Map<PoolName, number>();
  readonly hosts = new Map<AgentName, Set<Address>>();
  readonly #byOwner = new Map<ClaimId, Address[]>();
  readonly #byLast = new Map<ClaimId, Address[]>();
  readonly #byKey = new Map<string, Address[]>();
  touched = createTouched();

  begin(): void {
    this.touched = createTouched();
  }

  put(row: LeasedAddress): void {
    const old = this.all.get(row.address);
    if (old === row) return;
    this.all.set(row.address, row);
    this.#change(row.address, old, row);
  }

  drop(address: Address): void {
    const old = this.all.get(address);
    if (old === undefined) return;
    this.all.delete(address);
    this.#change(address, old, undefined);
  }

  loadOf(lane: LaneId): number {
    let load = 0;
    for (const count of this.lanes.get(lane)?.values() ?? []) load += count;
    return load;
  }

  ownedBy(claim: ClaimId): readonly Address[] {
    return this.#byOwner.get(claim) ?? NONE;
  }

  leftBy(claim: ClaimId): readonly Address[] {
    return this.#byLast.get(claim) ?? NONE;
  }

  sharedBy(key: string): readonly Address[] {
    return this.#byKey.get(key) ?? NONE;
  }

  isInUse(pool: PoolName): boolean {
    return (this.#given.get(pool) ?? 0) > 0;
  }

  #change(address: Address, old: LeasedAddress | undefined, now: LeasedAddress | undefined): void {
    this.touched.addresses.add(address);
    for (const { claim } of old?.owners ?? []) this.touched.claims.add(claim);
    if (old?.owners !== now?.owners) {
      for (const { claim } of now?.owners ?? []) this.touched.claims.add(claim);
    }
    if (!isHeldAlike(old, now)) {
      if (old !== undefined) this.#unlist(old);
      if (now !== undefined) this.#list(now);
    }
    this.fill.change(old, now);
    this.#countGiven(old, -1);
    this.#countGiven(now, 1);
    if (old?.placement !== now?.placement || old?.pool !== now?.pool) {
      this.#count(old, -1);
      this.#count(now, 1);
    }
    if (old?.placement !== now?.placement) this.#move(address, old, now);
  }

  #move(address: Address, old: LeasedAddress | undefined, now: LeasedAddress | undefined): void {
    if (old?.placement.kind === "host") {
      const held = this.hosts.get(old.placement.agent);
      held?.delete(address);
      if (held?.size === 0) this.hosts.delete(old.placement.agent);
    }
    if (now?.placement.kind === "host") {
      const { agent } = now.placement;
      this.hosts.set(agent, (this.hosts.get(agent) ?? new Set()).add(address));
    }
  }

  #list({ address, owners, lastClaim, sharingKey }: LeasedAddress): void {
    for (const { claim } of owners) add(this.#byOwner, claim, address);
    if (sharingKey !== undefined) add(this.#byKey, sharingKey, address);
    if (owners.length > 0) return;
    add(this.#byLast, lastClaim, address);
    this.unowned.add(address);
  }

  #unlist({ address, owners, lastClaim, sharingKey }: LeasedAddress): void {
    for (const { claim } of owners) remove(this.#byOwner, claim, address);
    if (sharingKey !== undefined) remove(this.#byKey, sharingKey, address);
    if (owners.length > 0) return;
    remove(this.#byLast, lastClaim, address);
    this.unowned.delete(address);
  }

  #countGiven(row: LeasedAddress | undefined, by: number): void {
    if (row === undefined || row.owners.length === 0) return;
    this.#given.set(row.pool, (this.#given.get(row.pool) ?? 0) + by);
  }

  #count(row: LeasedAddress | undefined, by: number): void {
    if (row?.placement.kind !== "lane") return;
    const { lane } = row.placement;
    const counts = this.lanes.get(lane) ?? new Map<PoolName, number>();
    const count = (counts.get(row.pool) ?? 0) + by;
    if (count > 0) counts.set(row.pool, count);
    else counts.delete(row.pool);
    if (counts.size > 0) this.lanes.set(lane, counts);
    else this.lanes.delete(lane);
  }
}

const NONE: readonly Address[] = [];

function isHeldAlike(a: LeasedAddress | undefined, b: LeasedAddress | undefined): boolean {
  return (
    a?.owners === b?.owners && a?.lastClaim === b?.lastClaim && a?.sharingKey === b?.sharingKey
  );
}

function add<Key>(index: Map<Key, Address[]>, key: Key, address: Address): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [address]);
  else known.push(address);
}

function remove<Key>(index: Map<Key, Address[]>, key: Key, address: Address): void {
  const known = index.get(key);
  if (known === undefined) return;
  known.splice(known.indexOf(address), 1);
  if (known.length === 0) index.delete(key);
}
