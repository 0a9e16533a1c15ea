// The state that facts add up to: claims, pools, agents and findings. A pure fold: given a state
// and facts it returns the next state and whether planning could come out differently.
// It decides when something that a list lacks counts as gone, and nothing else.

import { isDeepStrictEqual } from "node:util";

import {
  type Address,
  type AddressPool,
  type AgentName,
  type AgentView,
  type Claim,
  type ClaimId,
  type EditedMap,
  type Finding,
  type IpamSights,
  type LeasedAddress,
  NO_SIGHTS,
  editMap,
} from "@fairlead/model";
import { compareSeniority } from "@fairlead/planner";

import { foldAgent } from "./agent-state.ts";
import type { Fact } from "./facts.ts";
import { judgeAbsence, judgeOrphans } from "./judge-absence.ts";
import { findingKey, poolKey } from "./state-keys.ts";

/** Something a source showed, with when a whole list first lacked it. */
export interface Seen<T> {
  readonly value: T;
  readonly source: string;
  /** Epoch ms when it was first seen by this controller; a new uid is another object. */
  readonly seenAtMs: number;
  /** The first whole list that lacked it; it stays in force meanwhile. */
  readonly absent?: Absence;
}

/**
 * When a list first lacked something. The wait for the second list is measured by the steady
 * clock: the wall clock of a host that has just booted may jump by years.
 */
export interface Absence {
  /** Epoch ms, for people. */
  readonly sinceMs: number;
  /** Monotonic ms. */
  readonly steadyMs: number;
}

/** Pools of this name, the one that counts first: the others are refused for its sake. */
export function poolsNamed(
  { pools }: Pick<ClusterState, "pools">,
  name: string,
): readonly Seen<AddressPool>[] {
  return [...pools.values()]
    .filter(({ value }) => value.name === name)
    .sort((a, b) => compareSeniority(a.value, b.value));
}

/** What folding needs beside the facts. */
export interface FoldContext {
  /** Names of all sources: an orphan is gone only when each of them agrees. */
  readonly sources: readonly string[];
  /** Epoch ms, for when something was first seen. */
  readonly nowMs: number;
  /** Monotonic ms: when the facts arrived. */
  readonly steadyMs: number;
}

/** Everything known, by facts alone. Never changed in place. */
export interface ClusterState {
  readonly claims: ReadonlyMap<ClaimId, Seen<Claim>>;
  /** By source and name: two sources may declare one name, and each keeps its own. */
  readonly pools: ReadonlyMap<string, Seen<AddressPool>>;
  readonly agents: ReadonlyMap<AgentName, AgentView>;
  /** By source, subject and name. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** Claims that were shown and are gone, by uid; the latest, so that a successor knows them. */
  readonly ended: ReadonlyMap<ClaimId, string>;
  /** Claims that the store names and no source has shown; with when a list first lacked them. */
  readonly orphans: ReadonlyMap<ClaimId, { readonly absent?: Absence }>;
  /** Monotonic ms of each source's last whole list. */
  readonly listedSteadyMs: ReadonlyMap<string, number>;
  /** By source, addresses that it bars for VIPs, each with whose it is. */
  readonly barred: ReadonlyMap<string, ReadonlyMap<Address, string>>;
  readonly ipam: IpamSights;
  /** Since when agents can come to this leader, epoch ms; undefined before its store is read. */
  readonly heardSinceMs: number | undefined;
}

/** So many claims that are gone are remembered. */
const ENDED_MAX = 10_000;

/** The state before any fact. `stored` are the claims that own leases in the store. */
export function createClusterState(stored: Iterable<ClaimId>): ClusterState {
  return {
    claims: new Map(),
    pools: new Map(),
    agents: new Map(),
    findings: new Map(),
    ended: new Map(),
    orphans: new Map(Array.from(stored, (id) => [id, {}])),
    listedSteadyMs: new Map(),
    barred: new Map(),
    ipam: NO_SIGHTS,
    heardSinceMs: undefined,
  };
}

/** The state once the store is read, at `nowMs`: who owns its leases is known of from now on. */
export function withStored(
  state: ClusterState,
  { leases }: { readonly leases: readonly LeasedAddress[] },
  nowMs: number,
): ClusterState {
  const orphans = new Map<ClaimId, { readonly absent?: Absence }>();
  for (const { claim, uid } of leases.flatMap(({ owners }) => owners)) {
    const isKnown = state.claims.has(claim) || state.ended.get(claim) === uid;
    if (!isKnown) orphans.set(claim, {});
  }
  return { ...state, orphans, heardSinceMs: nowMs };
}

/** The maps of a state, changed while facts are folded in. */
interface Draft {
  readonly claims: EditedMap<ClaimId, Seen<Claim>>;
  readonly pools: EditedMap<string, Seen<AddressPool>>;
  readonly agents: EditedMap<AgentName, AgentView>;
  readonly findings: EditedMap<string, Finding>;
  readonly ended: EditedMap<ClaimId, string>;
  readonly orphans: EditedMap<ClaimId, { readonly absent?: Absence }>;
  readonly listedSteadyMs: EditedMap<string, number>;
  readonly barred: EditedMap<string, ReadonlyMap<Address, string>>;
}

/** Folds facts in, in their order. What says the same as before changes nothing. */
export function foldFacts(
  state: ClusterState,
  facts: readonly Fact[],
  context: FoldContext,
): { readonly state: ClusterState; readonly changed: boolean } {
  const draft: Draft = {
    claims: editMap(state.claims),
    pools: editMap(state.pools),
    agents: editMap(state.agents),
    findings: editMap(state.findings),
    ended: editMap(state.ended),
    orphans: editMap(state.orphans),
    listedSteadyMs: editMap(state.listedSteadyMs),
    barred: editMap(state.barred),
  };
  const ipam = facts.findLast((fact) => fact.kind === "ipam-seen")?.sights ?? state.ipam;
  let changed = !isDeepStrictEqual(ipam, state.ipam);
  for (const fact of facts) changed = foldOne(draft, fact, context) || changed;
  const next: ClusterState = {
    claims: draft.claims.done(),
    pools: draft.pools.done(),
    agents: draft.agents.done(),
    findings: draft.findings.done(),
    ended: draft.ended.done(),
    orphans: draft.orphans.done(),
    listedSteadyMs: draft.listedSteadyMs.done(),
    barred: draft.barred.done(),
    ipam,
    heardSinceMs: state.heardSinceMs,
  };
  return { state: next, changed };
}

function foldOne(draft: Draft, fact: Fact, context: FoldContext): boolean {
  const { claims, pools, findings, orphans } = draft;
  switch (fact.kind) {
    case "claim-seen": {
      const { claim, source } = fact;
      if (orphans.has(claim.id)) orphans.delete(claim.id);
      if (draft.ended.has(claim.id)) draft.ended.delete(claim.id);
      const known = claims.get(claim.id);
      const seenAtMs = known?.value.uid === claim.uid ? known.seenAtMs : context.nowMs;
      return foldSeen(claims, claim.id, { value: claim, source, seenAtMs });
    }
    case "pool-seen": {
      const { pool, source } = fact;
      const key = poolKey(source, pool.name);
      const seenAtMs = pools.get(key)?.seenAtMs ?? context.nowMs;
      return foldSeen(pools, key, { value: pool, source, seenAtMs });
    }
    case "claim-gone": {
      // What the store alone knows has no source yet: whichever saw it end is believed.
      if (fact.how === "seen-deleted" && orphans.has(fact.id)) {
        return orphans.delete(fact.id);
      }
      const known = claims.get(fact.id);
      if (fact.how === "absent" || known?.value.uid !== fact.uid) return false;
      return known.source === fact.source && endClaim(draft, fact.id);
    }
    case "pool-gone":
      if (fact.how === "absent" || !pools.has(poolKey(fact.source, fact.name))) return false;
      return pools.delete(poolKey(fact.source, fact.name));
    case "finding": {
      const key = findingKey(fact.source, fact.finding);
      if (isDeepStrictEqual(findings.get(key), fact.finding)) return false;
      findings.set(key, fact.finding);
      return true;
    }
    case "finding-cleared": {
      const key = findingKey(fact.source, fact);
      return findings.has(key) && findings.delete(key);
    }
    case "leases-imported": {
      const unseen = fact.owners.filter((id) => !claims.has(id) && !orphans.has(id));
      for (const id of unseen) orphans.set(id, {});
      return unseen.length > 0;
    }
    case "addresses-barred":
      if (isDeepStrictEqual(draft.barred.get(fact.source), fact.barred)) return false;
      draft.barred.set(fact.source, fact.barred);
      return true;
    case "ipam-seen":
      return false;
    case "source-listed":
      return foldList(draft, fact, context);
    default:
      return foldAgent(draft.agents, fact);
  }
}

function endClaim({ claims, ended }: Draft, id: ClaimId): boolean {
  const uid = claims.get(id)?.value.uid;
  if (uid !== undefined) ended.set(id, uid);
  const oldest = ended.size > ENDED_MAX ? ended.keys().next().value : undefined;
  if (oldest !== undefined) ended.delete(oldest);
  return claims.delete(id);
}

/** Keeps the object that was known where the new one says the same: planning knows it by then. */
function foldSeen<Id, T>(seen: EditedMap<Id, Seen<T>>, id: Id, entry: Seen<T>): boolean {
  const known = seen.get(id);
  const isSame = known !== undefined && isDeepStrictEqual(known.value, entry.value);
  if (!isSame) {
    seen.set(id, entry);
    return true;
  }
  const isNews = known.source !== entry.source;
  if (isNews || known.absent !== undefined) seen.set(id, { ...entry, value: known.value });
  return isNews;
}

function foldList(
  draft: Draft,
  list: Extract<Fact, { kind: "source-listed" }>,
  { sources, steadyMs }: FoldContext,
): boolean {
  const first = !draft.listedSteadyMs.has(list.source);
  draft.listedSteadyMs.set(list.source, steadyMs);
  const at = { source: list.source, absent: { sinceMs: list.atMs, steadyMs } };
  const claimsGone = judgeAbsence(draft.claims, at, {
    isPresent: (id) => list.claims.has(id),
    remove: (id) => endClaim(draft, id),
  });
  const poolsGone = judgeAbsence(draft.pools, at, {
    isPresent: (_, { name }) => list.pools.has(name),
    remove: (key) => draft.pools.delete(key),
  });
  return judgeOrphans(draft, sources, at.absent) || claimsGone || poolsGone || first;
}
