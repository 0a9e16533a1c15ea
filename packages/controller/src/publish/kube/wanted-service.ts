// What is wanted of each Service of a cluster, by the newest publication: what its status is made
// of, and which addresses are held for it. Follows one publication after the other and reads only
// what differs, so that one changed Service among ten thousand costs little. No clock, no I/O.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type Verdict,
  changedKeys,
} from "@fairlead/model";

import type { Publication } from "../../ports.ts";
import { publishedOf } from "./wanted-status.ts";

/** What is wanted of the Service of one name. */
export interface WantedService {
  /** Absent: nothing of this name asks for anything. */
  readonly claim?: WantedClaim;
  /** Leased to it, or still given up by agents that had them for it. */
  readonly held: readonly Address[];
  /** Whether a lease names it as owner: what was published stays even while it is not seen. */
  readonly owns: boolean;
}

/** What is wanted of a Service that asks for something. */
export interface WantedClaim {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** Addresses that are to stand in `spec.externalIPs`; absent: none. */
  readonly external?: readonly Address[];
  /** Why they do not stand there although that was asked for; absent: they may. */
  readonly externalRefused?: string;
}

/** What a publication is followed by. */
type Said = Pick<Publication, "claims" | "verdicts" | "leases">;

/** Nothing wanted of the Service of a name. */
export const NOTHING_WANTED: WantedService = { held: [], owns: false };
const NOTHING_SAID: Said = { claims: new Map(), verdicts: new Map(), leases: new Map() };
const NO_ROWS: readonly LeasedAddress[] = [];

/**
 * All that is wanted, by the id of the claim that a Service has or would have. It is derived when
 * it is asked for: kept for ten thousand Services it would be a copy of what the plan says.
 */
export class WantedServices {
  /** The rows of the addresses that are held for each claim. */
  readonly #rows = new Map<ClaimId, readonly LeasedAddress[]>();
  readonly #external = new Set<ClaimId>();
  #said: Said = NOTHING_SAID;

  /** What is wanted of the Service of this id. */
  get(id: ClaimId): WantedService {
    const rows = this.#rows.get(id) ?? NO_ROWS;
    const claim = this.#claimOf(id);
    if (claim === undefined && rows.length === 0) return NOTHING_WANTED;
    return {
      held: rows.map(({ address }) => address),
      owns: rows.some(({ owners }) => owners.some((owner) => owner.claim === id)),
      ...(claim === undefined ? {} : { claim }),
    };
  }

  /** Services whose addresses are to stand in `spec.externalIPs`. */
  withExternal(): Iterable<ClaimId> {
    return this.#external.values();
  }

  /** Takes the next publication; returns the ids of which something else may be wanted now. */
  follow(said: Said): ReadonlySet<ClaimId> {
    const before = this.#said;
    this.#said = said;
    const changed = new Set<ClaimId>();
    const verdicts = changedKeys(before.verdicts, said.verdicts);
    const claims = changedKeys(before.claims, said.claims);
    for (const id of [...verdicts, ...claims]) if (isService(id)) changed.add(id);
    for (const address of changedKeys(before.leases, said.leases)) {
      this.#followRow(before.leases.get(address), said.leases.get(address), changed);
    }
    for (const id of changed) {
      if (this.#claimOf(id)?.external === undefined) this.#external.delete(id);
      else this.#external.add(id);
    }
    return changed;
  }

  #followRow(
    before: LeasedAddress | undefined,
    now: LeasedAddress | undefined,
    changed: Set<ClaimId>,
  ): void {
    const [had, has] = [holdersOf(before), holdersOf(now)];
    for (const id of new Set([...had.keys(), ...has.keys()])) {
      if (had.get(id) !== has.get(id)) changed.add(id);
      const others = (this.#rows.get(id) ?? NO_ROWS).filter((row) => row !== before);
      const next = now === undefined || !has.has(id) ? others : [...others, now];
      if (next.length === 0) this.#rows.delete(id);
      // A copy, and not the list that grew: that has room for sixteen more.
      else this.#rows.set(id, [...next]);
    }
  }

  #claimOf(id: ClaimId): WantedClaim | undefined {
    const claim = this.#said.claims.get(id);
    const verdict = this.#said.verdicts.get(id);
    if (claim === undefined || verdict === undefined || claim.uid !== verdict.uid) return undefined;
    const hasExternal = claim.writesExternalIPs === true && verdict.state !== "refused";
    return { claim, verdict, ...(hasExternal ? { external: publishedOf(verdict) } : {}) };
  }
}

/** Claims that an address is held for, with whether they own it. */
function holdersOf(row: LeasedAddress | undefined): ReadonlyMap<ClaimId, boolean> {
  const holders = new Map<ClaimId, boolean>();
  if (row === undefined) return holders;
  const { owners, state, lastClaim } = row;
  for (const { claim } of owners) if (isService(claim)) holders.set(claim, true);
  const isDraining = owners.length === 0 && state.kind === "draining";
  if (isDraining && isService(lastClaim)) holders.set(lastClaim, false);
  return holders;
}

function isService(id: ClaimId): boolean {
  return id.startsWith("service/");
}
