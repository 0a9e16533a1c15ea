// The difference between two states of a source as facts. Pure: two states go in, facts come out,
// and what did not change gives none. It never says more of a departure than was seen.

import type { AddressPool, Claim, ClaimId, Finding, PoolName } from "@fairlead/model";

import type { Departure, Fact } from "../facts.ts";
import { claimsEqual } from "./translate-service.ts";

/** Everything a source has said, or has to say now. */
export interface SourceSnapshot {
  readonly claims: ReadonlyMap<ClaimId, Claim>;
  readonly pools: ReadonlyMap<PoolName, AddressPool>;
  readonly findings: readonly Finding[];
}

/** What a source that has said nothing has said. */
export const EMPTY_SNAPSHOT: SourceSnapshot = { claims: new Map(), pools: new Map(), findings: [] };

/**
 * Facts that lead from one snapshot to the next: pools, then claims, then findings.
 * @param how how what is missing in `after` went.
 */
export function diffSnapshots(
  source: string,
  before: SourceSnapshot,
  after: SourceSnapshot,
  how: {
    readonly claim: (claim: Claim) => Departure;
    readonly pool: (name: PoolName) => Departure;
  },
): readonly Fact[] {
  const facts: Fact[] = [];
  for (const name of before.pools.keys()) {
    if (after.pools.has(name)) continue;
    facts.push({ kind: "pool-gone", source, name, how: how.pool(name) });
  }
  for (const [name, pool] of after.pools) {
    const known = before.pools.get(name);
    if (known !== undefined && samePool(known, pool)) continue;
    facts.push({ kind: "pool-seen", source, pool });
  }
  for (const [id, claim] of before.claims) {
    const { uid } = claim;
    const now = after.claims.get(id);
    if (now?.uid === uid) continue;
    // One object took the place of another of the same name: the first was deleted.
    const departure = now === undefined ? how.claim(claim) : "seen-deleted";
    facts.push({ kind: "claim-gone", source, id, uid, how: departure });
  }
  for (const [id, claim] of after.claims) {
    const known = before.claims.get(id);
    if (known !== undefined && claimsEqual(known, claim)) continue;
    facts.push({ kind: "claim-seen", source, claim });
  }
  return [...facts, ...diffFindings(source, before.findings, after.findings)];
}

function samePool(a: AddressPool, b: AddressPool): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function diffFindings(
  source: string,
  before: readonly Finding[],
  after: readonly Finding[],
): readonly Fact[] {
  const known = new Map(before.map((finding) => [keyOf(finding), finding]));
  const facts: Fact[] = [];
  for (const finding of after) {
    const same = known.get(keyOf(finding));
    known.delete(keyOf(finding));
    if (same !== undefined && JSON.stringify(same) === JSON.stringify(finding)) continue;
    facts.push({ kind: "finding", source, finding });
  }
  for (const { subject, name } of known.values()) {
    facts.push({ kind: "finding-cleared", source, subject, name });
  }
  return facts;
}

function keyOf({ subject, name }: Finding): string {
  return `${subject}\n${name}`;
}
