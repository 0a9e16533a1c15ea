// What is wanted of each Service of a cluster, by the newest publication: its status, and which
// addresses are held for it. Follows one publication after the other and derives anew only what
// differs, so that one changed Service among ten thousand costs little. No clock, no I/O.

import {
  type Address,
  type Claim,
  type ClaimId,
  type LeasedAddress,
  type Verdict,
  changedKeys,
} from "@fairlead/model";

import type { Publication } from "../../ports.ts";
import { type WantedStatus, wantedStatus } from "./wanted-status.ts";

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
  readonly status: WantedStatus;
  /** Addresses that are to stand in `spec.externalIPs`; absent: none. */
  readonly external?: readonly Address[];
}

/** What a publication is followed by. */
type Said = Pick<Publication, "claims" | "verdicts" | "leases">;

/** Nothing wanted of the Service of a name. */
export const NOTHING_WANTED: WantedService = { held: [], owns: false };
const NOTHING_SAID: Said = { claims: new Map(), verdicts: new Map(), leases: new Map() };

/** All that is wanted, by the id of the claim that a Service has or would have. */
export class WantedServices {
  readonly #wanted = new Map<ClaimId, WantedService>();
  /** Addresses of each claim, with whether it owns them. */
  readonly #holdings = new Map<ClaimId, Map<Address, boolean>>();
  readonly #external = new Set<ClaimId>();
  #said: Said = NOTHING_SAID;

  /** What is wanted of the Service of this id. */
  get(id: ClaimId): WantedService {
    return this.#wanted.get(id) ?? NOTHING_WANTED;
  }

  /** Services whose addresses are to stand in `spec.externalIPs`. */
  withExternal(): Iterable<ClaimId> {
    return this.#external.values();
  }

  /** Takes the next publication; returns the ids of which something else is wanted now. */
  follow(said: Said): ReadonlySet<ClaimId> {
    const before = this.#said;
    this.#said = said;
    const changed = new Set<ClaimId>();
    const verdicts = changedKeys(before.verdicts, said.verdicts);
    const claims = changedKeys(before.claims, said.claims);
    for (const id of [...verdicts, ...claims]) if (isService(id)) changed.add(id);
    const leases = changedKeys(before.leases, said.leases);
    for (const address of leases) this.#forget(before.leases.get(address), changed);
    for (const address of leases) this.#remember(said.leases.get(address), changed);
    for (const id of changed) if (!this.#derive(id)) changed.delete(id);
    return changed;
  }

  #forget(row: LeasedAddress | undefined, changed: Set<ClaimId>): void {
    if (row === undefined) return;
    for (const [id] of holdersOf(row)) {
      changed.add(id);
      const holding = this.#holdings.get(id);
      holding?.delete(row.address);
      if (holding?.size === 0) this.#holdings.delete(id);
    }
  }

  #remember(row: LeasedAddress | undefined, changed: Set<ClaimId>): void {
    if (row === undefined) return;
    for (const [id, owns] of holdersOf(row)) {
      changed.add(id);
      const holding = this.#holdings.get(id) ?? new Map<Address, boolean>();
      this.#holdings.set(id, holding.set(row.address, owns));
    }
  }

  /** Derives it anew; returns whether something else is wanted. */
  #derive(id: ClaimId): boolean {
    const holding = this.#holdings.get(id) ?? new Map<Address, boolean>();
    const claim = this.#deriveClaim(id);
    const known = this.get(id);
    const held = [...holding.keys()];
    const owns = [...holding.values()].includes(true);
    const isSame = known.claim === claim && known.owns === owns;
    if (isSame && known.held.join() === held.join()) return false;
    if (claim?.external === undefined) this.#external.delete(id);
    else this.#external.add(id);
    if (claim === undefined && held.length === 0) this.#wanted.delete(id);
    else this.#wanted.set(id, { held, owns, ...(claim === undefined ? {} : { claim }) });
    return true;
  }

  #deriveClaim(id: ClaimId): WantedClaim | undefined {
    const claim = this.#said.claims.get(id);
    const verdict = this.#said.verdicts.get(id);
    if (claim === undefined || verdict === undefined || claim.uid !== verdict.uid) return undefined;
    const known = this.get(id).claim;
    if (known?.claim === claim && known.verdict === verdict) return known;
    const status = wantedStatus(claim, verdict);
    const hasExternal = claim.writesExternalIPs === true && !status.isRefused;
    return { claim, verdict, status, ...(hasExternal ? { external: status.ingress } : {}) };
  }
}

/** Claims that an address is held for, with whether they own it. */
function holdersOf(row: LeasedAddress): readonly (readonly [id: ClaimId, owns: boolean])[] {
  const { owners, state, lastClaim } = row;
  const owning = owners.map(({ claim }) => [claim, true] as const);
  const isDraining = owners.length === 0 && state.kind === "draining";
  const all = isDraining ? [[lastClaim, false] as const] : owning;
  return all.filter(([id]) => isService(id));
}

function isService(id: ClaimId): boolean {
  return id.startsWith("service/");
}
