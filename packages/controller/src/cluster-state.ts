// The state that facts add up to: claims, pools, agents and findings. A pure fold: given a state
// and facts it returns the next state and whether planning could come out differently.
// It decides when something that a list lacks counts as gone, and nothing else.

import type {
  AddressPool,
  AgentName,
  AgentView,
  Claim,
  ClaimId,
  Finding,
  PoolName,
} from "@fairlead/model";

import { foldAgent } from "./agent-state.ts";
import type { Fact } from "./facts.ts";

/** After this long a second whole list that still lacks something makes it gone (DESIGN 3). */
export const ABSENCE_MS = 30_000;

/** Something a source showed, with when a whole list first lacked it. */
export interface Seen<T> {
  readonly value: T;
  readonly source: string;
  /** Epoch ms when it was first seen by this controller. */
  readonly seenAtMs: number;
  /** Epoch ms of the first whole list that lacked it; it stays in force meanwhile. */
  readonly absentSinceMs?: number;
}

/** Everything known, by facts alone. Never changed in place. */
export interface ClusterState {
  readonly claims: ReadonlyMap<ClaimId, Seen<Claim>>;
  readonly pools: ReadonlyMap<PoolName, Seen<AddressPool>>;
  readonly agents: ReadonlyMap<AgentName, AgentView>;
  /** By source, subject and name. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** Claims that the store names and no source has shown; with when a list first lacked them. */
  readonly orphans: ReadonlyMap<ClaimId, { readonly absentSinceMs?: number }>;
  /** Epoch ms of each source's last whole list. */
  readonly listedAtMs: ReadonlyMap<string, number>;
}

/** The state before any fact. `stored` are the claims that own leases in the store. */
export function createClusterState(stored: Iterable<ClaimId>): ClusterState {
  return {
    claims: new Map(),
    pools: new Map(),
    agents: new Map(),
    findings: new Map(),
    orphans: new Map(Array.from(stored, (id) => [id, {}])),
    listedAtMs: new Map(),
  };
}

/** Copies of the maps, changed while facts are folded in. */
interface Draft {
  readonly claims: Map<ClaimId, Seen<Claim>>;
  readonly pools: Map<PoolName, Seen<AddressPool>>;
  readonly agents: Map<AgentName, AgentView>;
  readonly findings: Map<string, Finding>;
  readonly orphans: Map<ClaimId, { readonly absentSinceMs?: number }>;
  readonly listedAtMs: Map<string, number>;
}

/**
 * Folds facts in, in their order.
 * @param sources names of all sources: an orphan is gone only when each of them agrees.
 * @param nowMs epoch ms, for when something was first seen.
 */
export function foldFacts(
  state: ClusterState,
  facts: readonly Fact[],
  context: { readonly sources: readonly string[]; readonly nowMs: number },
): { readonly state: ClusterState; readonly changed: boolean } {
  const draft: Draft = {
    claims: new Map(state.claims),
    pools: new Map(state.pools),
    agents: new Map(state.agents),
    findings: new Map(state.findings),
    orphans: new Map(state.orphans),
    listedAtMs: new Map(state.listedAtMs),
  };
  let changed = false;
  for (const fact of facts) changed = foldOne(draft, fact, context) || changed;
  return { state: draft, changed };
}

function foldOne(
  draft: Draft,
  fact: Fact,
  context: { readonly sources: readonly string[]; readonly nowMs: number },
): boolean {
  switch (fact.kind) {
    case "claim-seen": {
      draft.orphans.delete(fact.claim.id);
      const seenAtMs = draft.claims.get(fact.claim.id)?.seenAtMs ?? context.nowMs;
      draft.claims.set(fact.claim.id, { value: fact.claim, source: fact.source, seenAtMs });
      return true;
    }
    case "pool-seen": {
      const seenAtMs = draft.pools.get(fact.pool.name)?.seenAtMs ?? context.nowMs;
      draft.pools.set(fact.pool.name, { value: fact.pool, source: fact.source, seenAtMs });
      return true;
    }
    case "claim-gone": {
      const known = draft.claims.get(fact.id);
      if (fact.how === "absent" || known?.value.uid !== fact.uid) return false;
      return known.source === fact.source && draft.claims.delete(fact.id);
    }
    case "pool-gone":
      if (fact.how === "absent" || draft.pools.get(fact.name)?.source !== fact.source) return false;
      return draft.pools.delete(fact.name);
    case "finding":
      draft.findings.set(findingKey(fact.source, fact.finding), fact.finding);
      return true;
    case "finding-cleared":
      return draft.findings.delete(findingKey(fact.source, fact));
    case "source-listed":
      return foldList(draft, fact, context.sources);
    default:
      return foldAgent(draft.agents, fact);
  }
}

function foldList(
  draft: Draft,
  list: Extract<Fact, { kind: "source-listed" }>,
  sources: readonly string[],
): boolean {
  const first = !draft.listedAtMs.has(list.source);
  draft.listedAtMs.set(list.source, list.atMs);
  const claimsGone = judgeAbsence(draft.claims, list, list.claims);
  const poolsGone = judgeAbsence(draft.pools, list, list.pools);
  return judgeOrphans(draft, sources) || claimsGone || poolsGone || first;
}

/** Marks what the list lacks, and removes what an earlier list lacked long enough ago. */
function judgeAbsence<Id, T>(
  seen: Map<Id, Seen<T>>,
  list: { readonly source: string; readonly atMs: number },
  present: ReadonlySet<Id>,
): boolean {
  let changed = false;
  for (const [id, entry] of seen) {
    if (entry.source !== list.source) continue;
    if (present.has(id)) {
      if (entry.absentSinceMs === undefined) continue;
      const { absentSinceMs: _, ...back } = entry;
      seen.set(id, back);
    } else if (entry.absentSinceMs === undefined) {
      seen.set(id, { ...entry, absentSinceMs: list.atMs });
    } else if (list.atMs - entry.absentSinceMs >= ABSENCE_MS) {
      seen.delete(id);
      changed = true;
    }
  }
  return changed;
}

/** An orphan has no source of its own: all of them must have listed whole, twice, apart. */
function judgeOrphans(draft: Draft, sources: readonly string[]): boolean {
  if (draft.orphans.size === 0) return false;
  const times = sources.map((name) => draft.listedAtMs.get(name));
  if (times.some((time) => time === undefined)) return false;
  const oldestMs = Math.min(...times.map((time) => time ?? 0));
  const newestMs = Math.max(...times.map((time) => time ?? 0));
  let changed = false;
  for (const [id, orphan] of draft.orphans) {
    if (orphan.absentSinceMs === undefined) {
      draft.orphans.set(id, { absentSinceMs: newestMs });
    } else if (oldestMs - orphan.absentSinceMs >= ABSENCE_MS) {
      draft.orphans.delete(id);
      changed = true;
    }
  }
  return changed;
}

function findingKey(
  source: string,
  finding: { readonly subject: string; readonly name: string },
): string {
  return `${source}\n${finding.subject}\n${finding.name}`;
}
