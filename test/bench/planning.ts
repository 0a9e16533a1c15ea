// How long planning takes with ten thousand Services: from scratch, again with nothing changed,
// with one Service changed, and after one agent's report. The floor is copying the same claims
// with structuredClone in the same run, so that figures of different machines compare.

import {
  type AgentView,
  type Claim,
  type Plan,
  type World,
  addressFromValue,
  addressValue,
  parseAddress,
  present,
} from "@fairlead/model";
import { createPlanMemory, plan } from "@fairlead/planner";
import { makeAgent, makeClaim, makePool, makeWorld, nextWorld, proveAll } from "@fairlead/testkit";
import { createRevisions } from "@fairlead/wire";

/** Services in the bench. */
const SERVICES = 10_000;
/** Agents in the bench. */
const AGENTS = 12;
/** Each figure is the median of so many runs, after one that warms up. */
const RUNS = 7;

/** Medians in ms. */
export interface PlanningFigures {
  readonly services: number;
  readonly floorMs: number;
  /** No memory, no leases, no lanes. */
  readonly scratchMs: number;
  /** No memory, all leases and lanes as stored: a controller's start. */
  readonly restartMs: number;
  /** Memory, and nothing changed. */
  readonly idleMs: number;
  /** Memory, and one Service with another member. */
  readonly changedMs: number;
  /** Memory, and one Service more. */
  readonly addedMs: number;
  /** Memory, and a new report of one agent that says the same. */
  readonly reportedMs: number;
}

/** Measures; takes a few seconds of one core. */
export async function benchPlanning(): Promise<PlanningFigures> {
  const claims = makeBenchClaims();
  const agents = makeBenchAgents();
  const { revisionOf } = createRevisions();
  const pools = [makePool("default", "10.64.0.0/16")];
  const empty = makeWorld({ claims, agents, pools });

  const memory = createPlanMemory();
  let world: World = empty;
  let last: Plan = plan(world, { revisionOf, memory });
  const go = (next: World): void => {
    world = next;
    last = plan(world, { revisionOf, memory });
  };
  go(nextWorld(world, last, { agents: proveAll(world, last) }));
  go(nextWorld(world, last));
  const stored = nextWorld(world, last);

  let edits = 0;
  const edit = (): World => {
    edits += 1;
    const members = [`10.2.${edits >> 8}.${edits & 255}:8080`, "10.1.0.2:8080", "10.1.0.3:8080"];
    const changed = makeClaim(`svc-${edits}`, { createdAtMs: edits, members });
    return nextWorld(world, last, { claims: replace(world, changed) });
  };
  const add = (): World => {
    edits += 1;
    const added = makeClaim(`added-${edits}`, { createdAtMs: SERVICES + edits });
    return nextWorld(world, last, { claims: replace(world, added) });
  };
  return {
    services: SERVICES,
    floorMs: median(
      () => 0,
      () => void structuredClone(claims),
    ),
    scratchMs: median(
      () => empty,
      (one) => void plan(one, { revisionOf }),
    ),
    restartMs: median(
      () => stored,
      (one) => void plan(one, { revisionOf }),
    ),
    idleMs: median(() => nextWorld(world, last), go),
    changedMs: median(edit, go),
    addedMs: median(add, go),
    reportedMs: median(() => reportAgain(world, last), go),
  };
}

/** Ten thousand Services with three members each. */
export function makeBenchClaims(): readonly Claim[] {
  return Array.from({ length: SERVICES }, (_, i) => {
    const members = [1, 2, 3].map((n) => `10.1.${(i >> 6) & 255}.${(i & 63) * 4 + n}:8080`);
    return makeClaim(`svc-${i}`, { createdAtMs: i, members });
  });
}

/** A dozen agents in one network. */
export function makeBenchAgents(): readonly AgentView[] {
  const first = addressValue(present(parseAddress("10.0.0.11"), "an address"));
  return Array.from({ length: AGENTS }, (_, i) =>
    makeAgent(`lb-${i}`, { prefixes: [`${addressFromValue("ipv4", first + BigInt(i))}/8`] }),
  );
}

function replace(world: World, claim: Claim): readonly Claim[] {
  return [...new Map(world.claims).set(claim.id, claim).values()];
}

function reportAgain(world: World, last: Plan): World {
  const [first, ...others] = [...world.agents.values()];
  const { report } = present(first, "there is an agent");
  const again =
    report === undefined ? {} : { report: { ...report, sequence: report.sequence + 1 } };
  const agents = [{ ...present(first, "there is an agent"), ...again }, ...others];
  return nextWorld(world, last, { agents });
}

function median<T>(prepare: () => T, run: (input: T) => void): number {
  const times: number[] = [];
  for (let i = 0; i <= RUNS; i++) {
    const input = prepare();
    const begun = performance.now();
    run(input);
    times.push(performance.now() - begun);
  }
  const sorted = times.slice(1).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
