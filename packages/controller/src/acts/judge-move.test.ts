// What operators are told of moves, drains and rebalances, and what they are refused for.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentView, Intent, World } from "@fairlead/model";
import {
  address,
  agentName,
  makeAgents,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  proveAll,
} from "@fairlead/testkit";
import { plan } from "@fairlead/planner";

import type { Act } from "./act.ts";
import { judgeAct } from "./judge-act.ts";

const revisionOf = makeRevisionOf();
const [A, B, C] = ["lb-1", "lb-2", "lb-3"].map(agentName);
assert.ok(A !== undefined && B !== undefined && C !== undefined);
const VIP = address("192.0.2.100");
const LANE = "192.0.2.0/24#1";

/** One address that lb-1 holds, with lb-2 and lb-3 behind it. */
const WORLD: World = ((): World => {
  const pools = [makePool("lan", "192.0.2.100-192.0.2.109"), makePool("own", "198.51.100.7")];
  let world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(3) });
  const first = plan(world, { revisionOf });
  const lanes = new Map(Array.from(first.lanes, ([id, lane]) => [id, inOrder(lane)]));
  world = nextWorld(world, { ...first, lanes });
  world = nextWorld(world, plan(world, { revisionOf }));
  world = nextWorld(world, plan(world, { revisionOf }), {
    agents: proveAll(world, plan(world, { revisionOf })),
  });
  return nextWorld(world, plan(world, { revisionOf }));
})();

/** The same with six addresses, all of them in the one lane. */
const CROWDED: World = ((): World => {
  const row = WORLD.leases.get(VIP);
  assert.ok(row !== undefined);
  const rows = [100, 101, 102, 103, 104, 105].map((n) => address(`192.0.2.${n}`));
  return { ...WORLD, leases: new Map(rows.map((at) => [at, { ...row, address: at }])) };
})();

function inOrder<T extends object>(lane: T): T & { readonly order: readonly AgentView["name"][] } {
  assert.ok(A !== undefined && B !== undefined && C !== undefined);
  return { ...lane, order: [A, B, C] };
}

const drained = (agent: AgentView["name"]): Intent => {
  return { id: `drain-${agent}`, sinceMs: 0, kind: "drain", agent };
};
const FROZEN: Intent = { id: "freeze", sinceMs: 0, kind: "freeze" };
const given = (...intents: readonly Intent[]): World => ({ ...WORLD, intents });

const without = (...names: readonly string[]): World => lacking(WORLD, names);

function lacking(world: World, names: readonly string[]): World {
  const agents = Array.from(world.agents.values(), (agent): AgentView =>
    names.includes(agent.name) ? { ...agent, connected: false, disconnectedAtMs: 1 } : agent,
  );
  return { ...world, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

/** Nobody runs the lane but who holds it. */
function unready(world: World): World {
  const agents = Array.from(world.agents.values(), (agent): AgentView => {
    const { report } = agent;
    return agent.name === A || report === undefined
      ? agent
      : { ...agent, report: { ...report, lanes: [] } };
  });
  return { ...world, agents: new Map(agents.map((agent) => [agent.name, agent])) };
}

const move = (to = C): Act => ({ kind: "move", address: VIP, to, isDryRun: false });
const drain = (agent = A): Act => ({ kind: "drain", agent, isDryRun: false });
const uncordon = (agent: AgentView["name"]): Act => ({ kind: "uncordon", agent });
const REBALANCE: Act = { kind: "rebalance", isDryRun: false };
const ENDS =
  "connections through a proxy end when their address moves; clients that connect anew are served";
const BACK = (agent: string, what: string): string =>
  `${agent} may hold lanes again; ${what} by itself, but by fairlead rebalance`;

const allowed: readonly {
  readonly name: string;
  readonly world: World;
  readonly act: Act;
  readonly will: readonly string[];
  readonly did: readonly string[];
}[] = [
  {
    name: "a move says what goes where and what ends",
    world: WORLD,
    act: move(),
    will: [`lane ${LANE} goes from lb-1 to lb-3 with ${VIP}`, ENDS],
    did: [`lane ${LANE} is on its way to lb-3`],
  },
  {
    name: "a move to the holder is done already",
    world: WORLD,
    act: move(A),
    will: [`lb-1 holds ${VIP} already`],
    did: [],
  },
  {
    name: "a drain says what goes to whom",
    world: WORLD,
    act: drain(),
    will: [
      "lb-1 gets no new addresses but those that nobody else can take, until it is uncordoned",
      `lane ${LANE} goes from lb-1 to lb-2 with ${VIP}`,
      ENDS,
    ],
    did: ["lb-1 is drained; fairlead uncordon lb-1 ends it"],
  },
  {
    name: "a drain goes past another one that is drained",
    world: given(drained(B)),
    act: drain(),
    will: [
      "lb-1 gets no new addresses but those that nobody else can take, until it is uncordoned",
      `lane ${LANE} goes from lb-1 to lb-3 with ${VIP}`,
      ENDS,
    ],
    did: ["lb-1 is drained; fairlead uncordon lb-1 ends it"],
  },
  {
    name: "what nobody else can hold stays, and it is said why",
    world: { ...without("lb-2"), intents: [drained(C)] },
    act: drain(),
    will: [
      "lb-1 gets no new addresses but those that nobody else can take, until it is uncordoned",
      `lane ${LANE} stays with ${VIP}: lb-2 is out of reach, lb-3 is drained; it goes as soon as ` +
        "one can hold it",
    ],
    did: [`lb-1 is drained, but it still holds 1 address: ${VIP}; fairlead uncordon lb-1 ends it`],
  },
  {
    name: "a drain while all is frozen waits",
    world: given(FROZEN),
    act: drain(C),
    will: [
      "lb-3 gets no new addresses but those that nobody else can take, until it is uncordoned",
      "all is frozen: nothing moves before fairlead thaw",
    ],
    did: ["lb-3 is drained; fairlead uncordon lb-3 ends it"],
  },
  {
    name: "a drain of the holder while all is frozen does not say that it moves",
    world: given(FROZEN),
    act: drain(),
    will: [
      "lb-1 gets no new addresses but those that nobody else can take, until it is uncordoned",
      `lane ${LANE} stays with ${VIP}: all is frozen; it goes after fairlead thaw`,
      "all is frozen: nothing moves before fairlead thaw",
    ],
    did: [`lb-1 is drained, but it still holds 1 address: ${VIP}; fairlead uncordon lb-1 ends it`],
  },
  {
    name: "a drain of one that is out of reach does not say that it is empty",
    world: without("lb-1", "lb-2", "lb-3"),
    act: drain(),
    will: [
      "lb-1 gets no new addresses but those that nobody else can take, until it is uncordoned",
      `lane ${LANE} stays with ${VIP}: lb-1 is out of reach and cannot be told to give it up`,
    ],
    did: [
      `lb-1 is drained, but it may still hold 1 address: ${VIP}; fairlead uncordon lb-1 ends it`,
    ],
  },
  {
    name: "a second drain says since when",
    world: given(drained(C)),
    act: drain(C),
    will: ["lb-3 is drained since 1970-01-01T00:00:00Z"],
    did: ["lb-3 is drained since 1970-01-01T00:00:00Z; fairlead uncordon lb-3 ends it"],
  },
  {
    name: "uncordon of one that is not drained changes nothing",
    world: WORLD,
    act: uncordon(B),
    will: [],
    did: ["lb-2 is not drained"],
  },
  {
    name: "uncordon of one that is not needed says that nothing moves back",
    world: given(drained(C)),
    act: uncordon(C),
    will: [],
    did: [BACK("lb-3", "nothing moves back")],
  },
  {
    name: "uncordon says what waited on a drained agent and comes now",
    world: given(drained(A), drained(B), drained(C)),
    act: uncordon(B),
    will: [`lane ${LANE} goes from lb-1 to lb-2 with ${VIP}`, ENDS],
    did: [BACK("lb-2", "nothing else moves back")],
  },
  {
    name: "uncordon while all is frozen says that what waited comes after the thaw",
    world: given(drained(A), drained(B), drained(C), FROZEN),
    act: uncordon(B),
    will: [`lane ${LANE} goes from lb-1 to lb-2 with ${VIP}, after fairlead thaw`],
    did: [BACK("lb-2", "nothing else moves back")],
  },
  {
    name: "uncordon of one that does not stand by says what comes as soon as it does",
    world: { ...without("lb-2"), intents: [drained(A), drained(B), drained(C)] },
    act: uncordon(B),
    will: [`lane ${LANE} waits on lb-1 with ${VIP}, and goes to lb-2 as soon as it stands by`],
    did: [BACK("lb-2", "nothing else moves back")],
  },
  {
    name: "a rebalance of one lane moves nothing",
    world: WORLD,
    act: REBALANCE,
    will: ["agents hold alike; nothing moves"],
    did: [],
  },
  {
    name: "a rebalance says that one lane has all, and that a lane moves whole",
    world: CROWDED,
    act: REBALANCE,
    will: [
      `addresses held in 192.0.2.0/24: lb-1 6, lb-2 0, lb-3 0; lb-1's ride in lane ${LANE}, and a ` +
        "lane moves whole, so no move would make it more even",
      "nothing moves; new addresses go to agents that hold fewer",
    ],
    did: [],
  },
  {
    name: "a rebalance with nobody else in reach has nobody to compare with",
    world: lacking(CROWDED, ["lb-2", "lb-3"]),
    act: REBALANCE,
    will: ["agents hold alike; nothing moves"],
    did: [],
  },
  {
    name: "a rebalance says that nobody stands by",
    world: unready(CROWDED),
    act: REBALANCE,
    will: [
      `addresses held in 192.0.2.0/24: lb-1 6, lb-2 0, lb-3 0; lb-1's ride in lane ${LANE}, and ` +
        "nobody who holds fewer stands by for them",
      "nothing moves; new addresses go to agents that hold fewer",
    ],
    did: [],
  },
  {
    name: "a thaw says what goes on",
    world: given(FROZEN, drained(C)),
    act: { kind: "thaw" },
    will: [],
    did: ["thawed; 1 of drains, moves and rebalances go on now"],
  },
];

for (const { name, world, act, will, did } of allowed) {
  test(name, () => {
    const judged = judgeAct(world, act);
    assert.ok(judged.kind === "allowed", JSON.stringify(judged));
    assert.deepEqual([judged.will, judged.did], [will, did]);
  });
}

const denied: readonly {
  readonly name: string;
  readonly world: World;
  readonly act: Act;
  readonly kind: "refused" | "not-found";
  readonly why: string;
}[] = [
  {
    name: "a move of an address that is not leased",
    world: WORLD,
    act: { kind: "move", address: address("192.0.2.105"), to: C, isDryRun: false },
    kind: "not-found",
    why: "no lease is of 192.0.2.105: it is free, or lies in no pool",
  },
  {
    name: "a move to nobody",
    world: WORLD,
    act: move(agentName("lb-9")),
    kind: "not-found",
    why: "no agent is called lb-9",
  },
  {
    name: "a move to one that is drained",
    world: given(drained(C)),
    act: move(),
    kind: "refused",
    why: "lb-3 is drained",
  },
  {
    name: "a move to one that is out of reach",
    world: without("lb-3"),
    act: move(),
    kind: "refused",
    why: "lb-3 is out of reach",
  },
  {
    name: "a move while all is frozen",
    world: given(FROZEN),
    act: move(),
    kind: "refused",
    why: "all is frozen",
  },
  {
    name: "a rebalance while all is frozen",
    world: given(FROZEN),
    act: REBALANCE,
    kind: "refused",
    why: "all is frozen",
  },
  {
    name: "a drain of nobody",
    world: WORLD,
    act: drain(agentName("lb-9")),
    kind: "not-found",
    why: "no agent is called lb-9",
  },
];

for (const { name, world, act, kind, why } of denied) {
  test(`${name} is ${kind}`, () => {
    const judged = judgeAct(world, act);
    assert.ok(judged.kind === kind, JSON.stringify(judged));
    assert.deepEqual(judged.why, [why]);
  });
}

test("a move takes the place of an earlier one of its lane, and a drain ends moves to its agent", () => {
  const [lane] = WORLD.lanes.values();
  assert.ok(lane !== undefined);
  const world = given({ id: "m1", sinceMs: 1, kind: "move", lane: lane.id, to: B });
  for (const act of [move(), move(A), drain(B)]) {
    const judged = judgeAct(world, act);
    assert.ok(judged.kind === "allowed");
    assert.deepEqual(judged.ends, ["m1"]);
  }
});

test("a drain that moves nothing gives what stays, why, and what to do, for scripts too", () => {
  const cases: readonly (readonly [World, RegExp, RegExp])[] = [
    [given(drained(B), drained(C)), /^lb-2 is drained, lb-3 is drained; /, /uncordon or start an/],
    [given(FROZEN), /^all is frozen; /, /fairlead thaw lets them go/],
    [without("lb-1", "lb-2", "lb-3"), /^lb-1 is out of reach/, /^Bring lb-1 back; /],
  ];
  for (const [world, why, remedy] of cases) {
    const judged = judgeAct(world, drain());
    assert.ok(judged.kind === "allowed");
    const [stay, ...others] = judged.stays ?? [];
    assert.deepEqual([judged.moves, others], [[], []]);
    assert.deepEqual([stay?.lane, stay?.addresses], [LANE, [VIP]]);
    assert.match(stay?.why ?? "", why);
    assert.match(judged.remedy ?? "", remedy);
  }
  const empty = judgeAct(WORLD, drain());
  assert.ok(empty.kind === "allowed");
  assert.deepEqual([empty.stays, empty.remedy], [[], undefined]);
});
