// What is told by Events of an address that came to another agent: from whom, why, and how long
// nobody had it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentReport, type AgentView, type Intent, laneName } from "@fairlead/model";

import { told } from "./publish-lines.ts";
import { addressOf, agentOf, leased, PublishStage, served } from "./publish-stage.ts";
import { STAGE_LANE } from "./tracked-moves.ts";

const AGENT: Omit<AgentView, "name"> = {
  connected: true,
  heardAtMs: 0,
  hello: {
    agent: agentOf("lb-1"),
    bootId: "b",
    version: "0.1.0",
    capabilities: [],
    links: [],
    epoch: 0,
  },
  heldSinceMs: new Map(),
};

const VIP = addressOf("192.0.2.10");

/** What a successor's host heard of the one before. */
const HEARD: AgentReport = {
  appliedRevision: "r",
  resources: new Map(),
  lanes: [{ name: laneName(STAGE_LANE), state: "holder", silenceMs: 342 }],
  remarks: [],
} as unknown as AgentReport;

const MOVES: readonly {
  readonly name: string;
  /** What an operator asked for. Absent: nothing. */
  readonly asked?: Intent;
  readonly from: Partial<AgentView>;
  readonly to: Partial<AgentView>;
  readonly note: string;
}[] = [
  {
    name: "its holder went out of reach",
    from: { connected: false, heardAtMs: 5000, disconnectedAtMs: 5200 },
    to: { heldSinceMs: new Map([[VIP, 5340]]) },
    note: "gap at most 340 ms: lb-1 is out of reach; counted from its last word",
  },
  {
    name: "its holder gave it up",
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 5051]]) },
    note: "gap 51 ms: lb-1 gave it up; the other reported it 51 ms later",
  },
  {
    name: "the other spoke first",
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 4990]]) },
    note: "gap 0 ms: lb-1 gave it up; the other reported it first",
  },
  {
    name: "its holder is out of reach, and the other tells what it heard",
    from: { connected: false, heardAtMs: 5000, disconnectedAtMs: 5200 },
    to: { heldSinceMs: new Map([[VIP, 6340]]), report: HEARD },
    note: "gap 342 ms: lb-1 is out of reach; the other had heard nothing of it for 342 ms",
  },
  {
    name: "an operator moved it, which was told as given up by its holder",
    asked: { id: "move-1", sinceMs: 0, kind: "move", lane: STAGE_LANE, to: agentOf("lb-2") },
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 5051]]) },
    note: "gap 51 ms: moved by an operator; the other reported it 51 ms later",
  },
  {
    name: "an operator drained its host, which was told as given up by its holder",
    asked: { id: "drain-1", sinceMs: 0, kind: "drain", agent: agentOf("lb-1") },
    from: { lostAtMs: new Map([[VIP, 5000]]) },
    to: { heldSinceMs: new Map([[VIP, 4990]]) },
    note: "gap 0 ms: lb-1 is drained; the other reported it first",
  },
];

for (const c of MOVES) {
  test(`a move says from whom, to whom, why and how fast: ${c.name}`, async () => {
    await using stage = new PublishStage();
    stage.create("web", served("192.0.2.10", "lb-1"));
    await stage.pass();
    stage.wrote();
    if (c.asked !== undefined) stage.moves.ask(c.asked, agentOf("lb-2"));
    // In a takeover nobody holds it for a moment.
    stage.want("web", leased());
    await stage.pass(100);
    stage.agents.set(agentOf("lb-1"), { ...AGENT, name: agentOf("lb-1"), ...c.from });
    stage.agents.set(agentOf("lb-2"), { ...AGENT, name: agentOf("lb-2"), ...c.to });
    stage.want("web", served("192.0.2.10", "lb-2"));
    await stage.pass(10_000);
    assert.deepEqual(told(stage).slice(1), [
      `Normal VipMoved Move: 192.0.2.10 moved from lb-1 to lb-2, ${c.note}.`,
    ]);
  });
}

test("a silent death is told when it is known, and not as something that its holder gave up", async () => {
  await using stage = new PublishStage();
  const [first, second] = [agentOf("lb-1"), agentOf("lb-2")];
  const loser = { ...AGENT, name: first, heardAtMs: 5000, heldSinceMs: new Map([[VIP, 1000]]) };
  stage.create("web", served("192.0.2.10", "lb-1"));
  await stage.pass();
  stage.agents.set(first, loser);
  stage.agents.set(second, { ...AGENT, name: second, heldSinceMs: new Map([[VIP, 5340]]) });
  stage.want("web", served("192.0.2.10", "lb-2"));
  await stage.pass(3000);
  assert.deepEqual(told(stage).slice(1), []);
  stage.agents.set(first, { ...loser, connected: false, disconnectedAtMs: 8000 });
  await stage.pass(10_000);
  assert.deepEqual(told(stage).slice(1), [
    "Normal VipMoved Move: 192.0.2.10 moved from lb-1 to lb-2, gap at most 340 ms: " +
      "lb-1 is out of reach; counted from its last word.",
  ]);
});

test("every move is told, also one that was over before anybody looked, and each once", async () => {
  await using stage = new PublishStage();
  const agents = ["lb-1", "lb-2", "lb-3"].map(agentOf);
  for (const name of agents) stage.agents.set(name, { ...AGENT, name });
  stage.create("web", served("192.0.2.10", "lb-1"));
  await stage.pass();
  // Two publications at one moment: publishers see the last.
  for (const holder of ["lb-2", "lb-3", "lb-1"]) {
    stage.want("web", served("192.0.2.10", holder));
    stage.publish();
  }
  await stage.pass(10_000);
  await stage.pass(10_000);
  const ways = told(stage).map((line) => /moved from (\S+ to [^\s,]+)/.exec(line)?.[1]);
  assert.deepEqual(ways.slice(1), ["lb-1 to lb-2", "lb-2 to lb-3", "lb-3 to lb-1"]);
});

/** While no controller led lb-2 took the address of web over from lb-1; the next one leads now. */
async function takeOverUnled(stage: PublishStage): Promise<void> {
  stage.create("web", served("192.0.2.10", "lb-1"));
  await stage.pass();
  await stage.restart("lb-1");
  const second = agentOf("lb-2");
  stage.agents.set(second, { ...AGENT, name: second, report: HEARD });
  stage.want("web", served("192.0.2.10", "lb-2"));
  await stage.pass(10_000);
}

test("a takeover while no controller led had no Event; the next life tells it, and once", async () => {
  await using stage = new PublishStage();
  await takeOverUnled(stage);
  const line =
    "Normal VipMoved Move: 192.0.2.10 moved from lb-1 to lb-2, gap 342 ms: lb-1 is out of reach; " +
    "lb-1 had it before this controller led; nobody spoke for it for 342 ms before the other did.";
  assert.deepEqual(told(stage).slice(1), [line]);
  await stage.pass(10_000);
  await stage.restart("lb-2");
  await stage.pass(10_000);
  assert.deepEqual(told(stage).slice(1), [line]);
});

test("a Service that shares an address later is not told what moved it before", async () => {
  await using stage = new PublishStage();
  await takeOverUnled(stage);
  stage.create("late", served("192.0.2.10", "lb-2"));
  await stage.pass(10_000);
  const moves = told(stage).filter((line) => line.includes("VipMoved"));
  assert.equal(moves.length, 1);
});
