// The rows of one planning run while addresses are given: who holds what, and how owners come and
// go. Given the rows and how they are released; one run's own, and never left behind.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeaseOwner,
  type LeasedAddress,
  type Placement,
  type PoolName,
  compareAddress,
  compareText,
} from "@fairlead/model";

import type { LeaseRows } from "./lease-rows.ts";
import { type ReleaseView, settle, withOwners } from "./release.ts";

/** What an owner is entered with. */
export interface Entry {
  readonly address: Address;
  readonly claim: Claim;
  readonly ports: LeaseOwner["ports"];
  readonly pool: PoolName;
  /** Absent: nobody else may join. */
  readonly sharingKey?: string;
  /** Whether the address stands in the owner's status. Default: as the row has it. */
  readonly published?: boolean;
  /** Absent: it stays where it is, if anywhere. */
  readonly placement?: Placement;
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

/** Makes the table over the given rows, which it changes. */
export function createLeaseTable(rows: LeaseRows, release: ReleaseView): LeaseTable {
  return new Table(rows, release);
}

class Table implements LeaseTable {
  readonly rows: LeaseTable["rows"];
  readonly #rows: LeaseRows;
  readonly #release: ReleaseView;
  #changes = 0;

  constructor(rows: LeaseRows, release: ReleaseView) {
    this.rows = rows.all;
    this.#rows = rows;
    this.#release = release;
  }

  changes(): number {
    return this.#changes;
  }

  heldBy(claim: Claim): readonly Address[] {
    return inOrder(this.#rows.ownedBy(claim.id));
  }

  leftBy(id: ClaimId): readonly Address[] {
    return inOrder(this.#rows.leftBy(id));
  }

  sharedBy(key: string): readonly Address[] {
    return inOrder(this.#rows.sharedBy(key));
  }

  enter(entry: Entry): void {
    const { address, claim, ports, pool, sharingKey, published, placement: given } = entry;
    const row = this.rows.get(address);
    const own = row?.owners.find((owner) => owner.claim === claim.id);
    const isSame = own !== undefined && samePorts(own.ports, ports);
    const isKnown = isSame && row?.sharingKey === sharingKey && row?.pool === pool;
    const placement = given ?? row?.placement ?? UNPLACED;
    if (isKnown && isPlacedAlike(row.placement, placement)) return;
    const others = row?.owners.filter((owner) => owner.claim !== claim.id) ?? [];
    const { nowMs } = this.#release.world;
    const isJoining = own === undefined && others.length > 0 && row?.sinceMs !== nowMs;
    const joinedMs = isJoining ? nowMs : own?.sinceMs;
    const since = joinedMs === undefined ? {} : { sinceMs: joinedMs };
    const owner: LeaseOwner = isSame ? own : { claim: claim.id, uid: claim.uid, ports, ...since };
    const next: LeasedAddress = {
      address,
      pool,
      owners: others.length === 0 ? [owner] : [...others, owner].sort(compareOwner),
      ...(sharingKey === undefined ? {} : { sharingKey }),
      lastClaim: claim.id,
      placement:
        row !== undefined && isPlacedAlike(row.placement, placement) ? row.placement : placement,
      sentTo: row?.sentTo ?? NOBODY,
      state: HELD,
      published: published ?? row?.published ?? false,
      sinceMs: row === undefined || row.owners.length === 0 ? nowMs : row.sinceMs,
    };
    this.#rows.put(next);
    this.#changes += 1;
  }

  leave(address: Address, claim: Claim): void {
    const row = this.rows.get(address);
    if (row === undefined) return;
    const owners = row.owners.filter((owner) => owner.claim !== claim.id);
    if (owners.length === row.owners.length) return;
    this.#changes += 1;
    const left = withOwners(row, owners);
    const settled = owners.length > 0 ? left : settle(this.#release, left, []);
    if (settled === undefined) this.#rows.drop(address);
    else this.#rows.put(settled);
  }
}

/** One for all: ten thousand rows say the same. */
const UNPLACED: Placement = { kind: "unplaced" };
const HELD: LeasedAddress["state"] = { kind: "held" };
const NOBODY: LeasedAddress["sentTo"] = [];

function compareOwner(a: LeaseOwner, b: LeaseOwner): number {
  return compareText(a.claim, b.claim);
}

function isPlacedAlike(a: Placement, b: Placement): boolean {
  if (a.kind !== "host" || b.kind !== "host") return a === b || a.kind === b.kind;
  return a.agent === b.agent && a.link === b.link;
}

/** A copy: the rows' own lists change with them. */
function inOrder(addresses: readonly Address[]): readonly Address[] {
  return addresses.length === 0 ? NONE : addresses.toSorted(compareAddress);
}

const NONE: readonly Address[] = [];

/** Whether both name the same ports in the same order; a claim's ports are sorted. */
export function samePorts(a: LeaseOwner["ports"], b: LeaseOwner["ports"]): boolean {
  return (
    a.length === b.length &&
    a.every((port, i) => port.port === b[i]?.port && port.protocol === b[i].protocol)
  );
}
