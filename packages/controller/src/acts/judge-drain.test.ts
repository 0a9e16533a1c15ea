// What operators are told of drains and their end, with and without a freeze: what goes, what stays
// and why.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentName, Intent, World } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { agentName, heldWorld } from "@fairlead/testkit";

import type { Act } from "./act.ts";
import {
  A,
  B,
  C,
  drain,
  drained,
  ENDS,
  FROZEN,
  LANE,
  lacking,
  testAllowed,
  testDenied,
  VIP,
} from "./act-cases.ts";
import { judgeAct } from "./judge-act.ts";

const WORLD = heldWorld(plan);
const given = (...intents: readonly Intent[]): World => ({ ...WORLD, intents });
const without = (...names: readonly string[]): World => lacking(WORLD, names);
const uncordon = (agent: AgentName): Act => ({ kind: "uncordon", agent });
const BACK = (agent: string, what: string): string =>
  `${agent} may be given addresses again; ${what} by itself, but by fairlead rebalance`;

testAllowed([
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
    name: "a thaw says what goes on",
    world: given(FROZEN, drained(C)),
    act: { kind: "thaw" },
    will: [],
    did: ["thawed; 1 of drains, moves and rebalances go on now"],
  },
]);

testDenied([
  {
    name: "a drain of nobody",
    world: WORLD,
    act: drain(agentName("lb-9")),
    kind: "not-found",
    why: "no agent is called lb-9",
  },
]);

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
