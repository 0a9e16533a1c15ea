// What may happen to a world between two plans, for properties: claims come and go, agents die,
// report and contradict each other, operators step in. Given random worlds; plays whole histories.

import {
  type AgentView,
  type Claim,
  type Plan,
  type Revision,
  type World,
  vipName,
} from "@fairlead/model";
import fc from "fast-check";

import { makeLink, nextWorld } from "./builders.ts";
import { type Happening, happening } from "./happening.ts";
import { address as addressOf } from "./node-plan-builders.ts";
import { arbOperatorsWish } from "./operator-happenings.ts";
import { makeWithdrawn, proveAll } from "./plan-answers.ts";
import { noticeAll } from "./world-notices.ts";
import { arbAgents, arbClaim, arbPools, arbWorld } from "./world-arbitraries.ts";

/** Anything that may happen. */
export const arbHappening: fc.Arbitrary<Happening> = fc.oneof(
  arbClaim.map(written),
  fc.nat().map(deleted),
  fc.nat().map(absent),
  fc.subarray(["lb-1", "lb-2", "lb-3"], { maxLength: 2 }).map(reported),
  arbAgents.map((agents) =>
    happening(`there are ${agents.length} agents`, (world, plan) =>
      nextWorld(world, plan, { agents: merge(world, agents) }),
    ),
  ),
  arbPools.map((pools) =>
    happening("pools are edited", (world, plan) => nextWorld(world, plan, { pools })),
  ),
  fc
    .constantFrom(1000, 7000, 61_000)
    .map((ms) =>
      happening(`${ms} ms pass`, (world, plan) =>
        nextWorld(world, plan, { nowMs: world.nowMs + ms }),
      ),
    ),
  { weight: 5, arbitrary: arbOperatorsWish },
  fc.nat().map(rivalled),
  fc.constantFrom("lb-1", "lb-2").map(gaveUp),
  fc.constantFrom("lb-1", "lb-2").map(relinked),
  fc.subarray(["lb-1", "lb-2", "lb-3"], { minLength: 1 }).map(withdrawn),
  fc.nat().map(haunted),
  fc.subarray(["192.0.2.11", "192.0.2.100", "192.0.2.101", "2001:db8::100"]).map(barred),
  fc
    .nat()
    .map((n) =>
      happening(`agents notice ${n} of each other`, (world, plan) =>
        nextWorld(world, plan, { agents: noticeAll(world, plan, n) }),
      ),
    ),
);

/** A world and what happens to it. */
export interface History {
  readonly world: World;
  readonly happenings: readonly Happening[];
}

/** A history of a few steps. */
export const arbHistory: fc.Arbitrary<History> = fc.record({
  world: arbWorld,
  happenings: fc.array(arbHappening, { minLength: 1, maxLength: 6 }),
});

/** As `arbHistory`, and at times the store is lost in between, as only a restart may notice. */
export const arbHistoryWithLosses: fc.Arbitrary<History> = fc.record({
  world: arbWorld,
  happenings: fc.array(fc.oneof({ weight: 4, arbitrary: arbHappening }, fc.nat().map(storeLost)), {
    minLength: 1,
    maxLength: 6,
  }),
});

/** Plays a history; calls `see` with every world and its plan, the first one included. */
export function playHistory(
  { world, happenings }: History,
  plan: (world: World) => Plan,
  see: (world: World, plan: Plan) => void,
): void {
  let current = world;
  let planned = plan(current);
  see(current, planned);
  for (const { apply } of happenings) {
    current = apply(current, planned);
    planned = plan(current);
    see(current, planned);
  }
}

function written(claim: Claim): Happening {
  return happening(`${claim.id} is written: ${fc.stringify(claim)}`, (world, plan) =>
    nextWorld(world, plan, {
      claims: [...new Map(world.claims).set(claim.id, claim).values()],
      absent: [],
    }),
  );
}

function deleted(n: number): Happening {
  return happening(`claim ${n} is deleted`, (world, plan) => {
    const claims = [...world.claims.values()];
    const gone = claims[n % Math.max(1, claims.length)];
    return nextWorld(world, plan, { claims: claims.filter((claim) => claim !== gone) });
  });
}

function absent(n: number): Happening {
  return happening(`claim ${n} is absent`, (world, plan) => {
    const claims = [...world.claims.values()];
    const gone = claims[n % Math.max(1, claims.length)];
    const left = claims.filter((claim) => claim !== gone);
    return nextWorld(world, plan, { claims: left, absent: gone === undefined ? [] : [gone] });
  });
}

function reported(dead: readonly string[]): Happening {
  const what = `agents report, but for ${dead.join(" ") || "none"}`;
  return happening(what, (world, plan) =>
    nextWorld(world, plan, { agents: proveAll(revive(world, dead), plan, { dead }) }),
  );
}

/** An older copy of the store is put back, or none; every status has what was published. */
function storeLost(n: number): Happening {
  const kept = n % 3;
  return happening(`the store is lost but for ${kept} of its rows`, (world, plan) => {
    const claims = Array.from(world.claims.values(), (claim) => {
      const said = plan.verdicts.get(claim.id)?.addresses ?? [];
      const published = said.filter((one) => one.published).map(({ address }) => address);
      return published.length === 0 ? claim : { ...claim, statusAddresses: published };
    });
    const leases = new Map([...plan.leases].slice(0, kept));
    return nextWorld(world, plan, { claims, leases, lanes: new Map() });
  });
}

/** Two agents that were dead to each other both hold everything; one of them is heard later. */
function rivalled(n: number): Happening {
  return happening(`two hold everything, heard ${n % 3} s later`, (world, plan) => {
    const first = proveAll(world, plan, { dead: ["lb-1"], atMs: world.nowMs + 500 });
    const second = proveAll(world, plan, { atMs: world.nowMs });
    const heardAtMs = world.nowMs + (n % 3) * 1000;
    const agents = second.map((agent) =>
      agent.name === "lb-1"
        ? { ...agent, heardAtMs }
        : (first.find(({ name }) => name === agent.name) ?? agent),
    );
    return nextWorld(world, plan, { agents });
  });
}

/** An agent that held addresses says that it has them no more, and nobody else does yet. */
function gaveUp(name: string): Happening {
  return happening(`${name} gives up what it holds`, (world, plan) => {
    const agents = proveAll(world, plan).map((agent) => {
      const { report } = agent;
      if (agent.name !== name || report === undefined) return agent;
      const resources = new Map(report.resources);
      for (const [vip, said] of resources) {
        if (vip.startsWith("vip/")) resources.set(vip, { ...said, step: "applied", evidence: [] });
      }
      const lost = Array.from(agent.heldSinceMs.keys(), (at) => [at, world.nowMs] as const);
      const lostAtMs = new Map([...(agent.lostAtMs ?? []), ...lost]);
      return { ...agent, report: { ...report, resources }, heldSinceMs: new Map(), lostAtMs };
    });
    return nextWorld(world, plan, { agents });
  });
}

/** Operators withdraw agents that are in reach. */
function withdrawn(names: readonly string[]): Happening {
  return happening(`${names.join(" ")} withdrawn`, (world, plan) => {
    const agents = Array.from(world.agents.values(), (agent) =>
      agent.connected && names.includes(agent.name) ? makeWithdrawn(agent, world.nowMs) : agent,
    );
    return nextWorld(world, plan, { agents });
  });
}

/** An agent's link goes, or comes back. */
function relinked(name: string): Happening {
  return happening(`${name} has its link no more, or again`, (world, plan) => {
    const agents = Array.from(world.agents.values(), (agent) => {
      if (agent.name !== name) return agent;
      const isGone = agent.hello.links.length > 0;
      const links = isGone ? [] : [makeLink("eth0", [`192.0.2.1${name.slice(-1)}/24`])];
      return { ...agent, hello: { ...agent.hello, links } };
    });
    return nextWorld(world, plan, { agents });
  });
}

/** A cluster's nodes have these addresses, and no others that nobody else tells of. */
function barred(texts: readonly string[]): Happening {
  return happening(`nodes have ${texts.join(" ") || "no address"}`, (world, plan) => {
    const nodes = texts.map((text, i) => [addressOf(text), `is an address of node n${i}`] as const);
    return nextWorld(world, plan, { barred: new Map(nodes) });
  });
}

/** An agent asked its segment for an address before it held it, and a stranger answered. */
function haunted(n: number): Happening {
  return happening(`a stranger answers for address ${n}`, (world, plan) => {
    const leased = [...plan.leases.keys()];
    const address = leased[n % Math.max(1, leased.length)];
    const agents = Array.from(world.agents.values(), (agent) => {
      const planned = address && plan.nodePlans.get(agent.name)?.resources.get(vipName(address));
      if (!planned || agent.report === undefined || n % 2 === agent.name.length % 2) return agent;
      const [revision, mac] = ["0".repeat(32) as Revision, "02:00:00:00:99:99"];
      const detail = `${mac} answers for ${planned.name}`;
      const resources = new Map(agent.report.resources).set(planned.name, {
        name: planned.name,
        revision,
        step: "received",
        evidence: [{ kind: "neighbour", mac, seenBy: agent.name }],
        problem: { reason: "AddressInUse", detail, revision },
      });
      const strangers = new Map(agent.strangers).set(address, { mac, heardAtMs: world.nowMs });
      return { ...agent, report: { ...agent.report, resources }, strangers };
    });
    return nextWorld(world, plan, { agents });
  });
}

function revive(world: World, dead: readonly string[]): World {
  const agents = Array.from(world.agents.values(), (agent) => {
    if (agent.connected || dead.includes(agent.name)) return agent;
    const { disconnectedAtMs: _, withdrawn: isWithdrawn, report, ...rest } = agent;
    const known = isWithdrawn === true || report === undefined ? {} : { report };
    return { ...rest, ...known, connected: true };
  });
  return { ...world, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

/** Agents never vanish from a controller's sight while it runs; new ones join. */
function merge(world: World, joining: readonly AgentView[]): readonly AgentView[] {
  const merged = new Map(world.agents);
  for (const agent of joining) if (!merged.has(agent.name)) merged.set(agent.name, agent);
  return [...merged.values()];
}
