// The rows of one planning run while addresses are given: who holds what, found by claim, by
// sharing key and by last holder. Mutable, made anew for each run, and never left behind.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeaseOwner,
  type LeasedAddress,
  type PoolName,
  compareAddress,
  compareText,
} from "@fairlead/model";

import { type ReleaseView, settle, withOwners } from "./release.ts";

/** What an owner is entered with. */
export interface Entry {
  readonly address: Address;
  readonly claim: Claim;
  readonly ports: LeaseOwner["ports"];
  readonly pool: PoolName;
  /** Absent: nobody else may join. */
  readonly sharingKey?: string;
}

/** The rows and their indexes. */
export interface LeaseTable {
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  /** How often a row changed so far: what was said of the others before may differ now. */
  changes(): number;
  /** Addresses that the claim owns, lowest first. */
  heldBy(claim: Claim): readonly Address[];
  /** Addresses without owner that the claim's namesake held last, lowest first. */
  leftBy(id: ClaimId): readonly Address[];
  /** Addresses held under a sharing key, lowest first. */
  sharedBy(key: string): readonly Address[];
  /** Makes the claim an owner, or changes its ports and key. */
  enter(entry: Entry): void;
  /** Takes the claim out; the row drains, rests or goes. */
  leave(address: Address, claim: Claim): void;
}

/** Makes the table of the given rows, which are taken over. */
export function createLeaseTable(
  rows: Map<Address, LeasedAddress>,
  release: ReleaseView,
): LeaseTable {
  return new Table(rows, release);
}

class Table implements LeaseTable {
  readonly rows: Map<Address, LeasedAddress>;
  readonly #release: ReleaseView;
  readonly #byOwner = new Map<ClaimId, Address[]>();
  readonly #byLast = new Map<ClaimId, Address[]>();
  readonly #byKey = new Map<string, Address[]>();
  #changes = 0;
  #isIndexed = false;

  constructor(rows: Map<Address, LeasedAddress>, release: ReleaseView) {
    this.rows = rows;
    this.#release = release;
  }

  changes(): number {
    return this.#changes;
  }

  heldBy(claim: Claim): readonly Address[] {
    this.#index();
    const held = this.#byOwner.get(claim.id) ?? NONE;
    return held.length > 1 ? held.toSorted(compareAddress) : held;
  }

  leftBy(id: ClaimId): readonly Address[] {
    this.#index();
    const left = this.#byLast.get(id)?.filter((address) => {
      const row = this.rows.get(address);
      return row?.owners.length === 0 && row.lastClaim === id;
    });
    return left === undefined ? NONE : [...new Set(left)].sort(compareAddress);
  }

  sharedBy(key: string): readonly Address[] {
    this.#index();
    const shared = this.#byKey.get(key)?.filter((address) => {
      return this.rows.get(address)?.sharingKey === key;
    });
    return shared === undefined ? NONE : [...new Set(shared)].sort(compareAddress);
  }

  enter({ address, claim, ports, pool, sharingKey }: Entry): void {
    this.#index();
    const row = this.rows.get(address);
    const own = row?.owners.find((owner) => owner.claim === claim.id);
    const isSame = own !== undefined && samePorts(own.ports, ports);
    const isKnown = isSame && row?.sharingKey === sharingKey && row?.pool === pool;
    if (isKnown) return;
    const others = row?.owners.filter((owner) => owner.claim !== claim.id) ?? [];
    const owner: LeaseOwner = isSame ? own : { claim: claim.id, uid: claim.uid, ports };
    const next: LeasedAddress = {
      address,
      pool,
      owners: [...others, owner].sort((a, b) => compareText(a.claim, b.claim)),
      ...(sharingKey === undefined ? {} : { sharingKey }),
      lastClaim: claim.id,
      placement: row?.placement ?? { kind: "unplaced" },
      sentTo: row?.sentTo ?? [],
      state: { kind: "held" },
      published: row?.published ?? false,
      sinceMs:
        row === undefined || row.owners.length === 0 ? this.#release.world.nowMs : row.sinceMs,
    };
    this.rows.set(address, next);
    this.#changes += 1;
    if (own === undefined) push(this.#byOwner, claim.id, address);
    if (sharingKey !== undefined) push(this.#byKey, sharingKey, address);
  }

  leave(address: Address, claim: Claim): void {
    this.#index();
    const row = this.rows.get(address);
    if (row === undefined) return;
    const owners = row.owners.filter((owner) => owner.claim !== claim.id);
    if (owners.length === row.owners.length) return;
    this.#changes += 1;
    const held = this.#byOwner.get(claim.id)?.filter((other) => other !== address) ?? [];
    this.#byOwner.set(claim.id, held);
    const left = withOwners(row, owners);
    const settled = owners.length > 0 ? left : settle(this.#release, left, []);
    if (settled === undefined) {
      this.rows.delete(address);
      return;
    }
    this.rows.set(address, settled);
    if (owners.length === 0) push(this.#byLast, settled.lastClaim, address);
  }

  /** Indexes are made when first asked for: a plan in which nothing changed asks for none. */
  #index(): void {
    if (this.#isIndexed) return;
    this.#isIndexed = true;
    for (const row of this.rows.values()) this.#add(row);
  }

  #add(row: LeasedAddress): void {
    for (const owner of row.owners) push(this.#byOwner, owner.claim, row.address);
    if (row.owners.length === 0) push(this.#byLast, row.lastClaim, row.address);
    if (row.sharingKey !== undefined) push(this.#byKey, row.sharingKey, row.address);
  }
}

const NONE: readonly Address[] = [];

function push<Key>(index: Map<Key, Address[]>, key: Key, address: Address): void {
  const known = index.get(key);
  if (known === undefined) index.set(key, [address]);
  else known.push(address);
}

/** Whether both name the same ports in the same order; a claim's ports are sorted. */
export function samePorts(a: LeaseOwner["ports"], b: LeaseOwner["ports"]): boolean {
  return (
    a.length === b.length &&
    a.every((port, i) => port.port === b[i]?.port && port.protocol === b[i].protocol)
  );
}
