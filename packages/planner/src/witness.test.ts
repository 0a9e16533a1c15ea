// What an agent's word is worth: when silence becomes doubt, what it has just given up, what counts
// as proof that it holds an address, and whom one believes when two say so.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AgentView,
  type Evidence,
  type ResourceReport,
  type Revision,
  vipName,
} from "@fairlead/model";
import { address, device, makeAgent, makeReport, makeWorld } from "@fairlead/testkit";

import { staleAtMs } from "./stale.ts";
import { callWitnesses, HANDOVER_MS, holdersOf, provesHolding, type Witness } from "./witness.ts";

const VIP = address("192.0.2.100");
const OTHER = address("192.0.2.101");
const NOW_MS = 1_000_000;
const IN_KERNEL: Evidence = { kind: "kernel-address", link: device("eth0") };

interface Said {
  readonly step?: ResourceReport["step"];
  readonly evidence?: readonly Evidence[];
  readonly sinceMs?: number;
  readonly isGone?: boolean;
}

/** An agent that says this of the address. */
function agent(name: string, said: Said = {}): AgentView {
  const { step = "serving", evidence = [IN_KERNEL], sinceMs, isGone = false } = said;
  const view = makeAgent(name, isGone ? { goneAtMs: NOW_MS } : {});
  const plan = { agent: view.name, resources: new Map(), retained: [] };
  const bare = makeReport(
    plan,
    () => false,
    () => assert.fail("it has no resources"),
  );
  const row = { name: vipName(VIP), revision: "r" as Revision, step, evidence };
  return {
    ...view,
    report: { ...bare, resources: new Map([[row.name, row]]) },
    heldSinceMs: new Map(sinceMs === undefined ? [] : [[VIP, sinceMs]]),
  };
}

const witness = (view: AgentView): Witness => ({ view, isStale: false, handing: new Set() });

test("silence is doubt from the agent's own moment on, and never while its stream is open", () => {
  const world = makeWorld({ agents: [makeAgent("here"), makeAgent("gone", { goneAtMs: NOW_MS })] });
  const [, gone] = world.agents.values();
  const doubtMs = gone && staleAtMs(gone, world.settings);
  assert.ok(doubtMs !== undefined && doubtMs > NOW_MS);
  const staleAt = (nowMs: number): readonly boolean[] =>
    Array.from(callWitnesses({ ...world, nowMs }).values(), ({ isStale }) => isStale);
  assert.deepEqual(staleAt(doubtMs - 1), [false, false]);
  assert.deepEqual(staleAt(doubtMs), [false, true]);
  assert.deepEqual(staleAt(doubtMs * 2), [false, true]);
});

test("an address is on its way for as long as a takeover takes, and not longer", () => {
  const lostAtMs = new Map([
    [VIP, NOW_MS - HANDOVER_MS + 1],
    [OTHER, NOW_MS - HANDOVER_MS],
  ]);
  const agents = [{ ...makeAgent("lb-1"), lostAtMs }, makeAgent("lb-2")];
  const called = callWitnesses(makeWorld({ nowMs: NOW_MS, agents }));
  const handing = Array.from(called.values(), (one) => [...one.handing]);
  assert.deepEqual(handing, [[VIP], []]);
});

const proofs: readonly { readonly name: string; readonly view: AgentView; readonly is: boolean }[] =
  [
    { name: "it serves, and its kernel has the address", view: agent("lb-1"), is: true },
    {
      name: "it serves, and what it saw is something else",
      view: agent("lb-1", { evidence: [{ kind: "neighbour", mac: "", seenBy: agent("x").name }] }),
      is: false,
    },
    { name: "it serves without proof", view: agent("lb-1", { evidence: [] }), is: false },
    { name: "it has applied, and serves not", view: agent("lb-1", { step: "applied" }), is: false },
    { name: "it has not reported", view: makeAgent("lb-1"), is: false },
  ];
for (const { name, view, is } of proofs) {
  test(`proof of holding: ${name}`, () => assert.equal(provesHolding(view, VIP), is));
}

test("another address is not proved by it", () => {
  assert.equal(provesHolding(agent("lb-1"), OTHER), false);
});

const beliefs: readonly {
  readonly name: string;
  readonly asked: readonly AgentView[];
  readonly order: readonly string[];
}[] = [
  { name: "nobody says so", asked: [agent("lb-1", { step: "applied" })], order: [] },
  {
    name: "who is in reach before who came later",
    asked: [agent("lb-1", { sinceMs: 9, isGone: true }), agent("lb-2", { sinceMs: 1 })],
    order: ["lb-2", "lb-1"],
  },
  {
    name: "who came later before who came earlier, and who is not known to have come last",
    asked: [agent("lb-1"), agent("lb-2", { sinceMs: 1 }), agent("lb-3", { sinceMs: 2 })],
    order: ["lb-3", "lb-2", "lb-1"],
  },
  {
    name: "of those that came together the first by name",
    asked: [agent("lb-2", { sinceMs: 1 }), agent("lb-1", { sinceMs: 1 })],
    order: ["lb-1", "lb-2"],
  },
  {
    name: "without those that do not say so",
    asked: [agent("lb-1", { step: "applied" }), agent("lb-2")],
    order: ["lb-2"],
  },
];
for (const { name, asked, order } of beliefs) {
  test(`of those that say they hold it: ${name}`, () => {
    const found = holdersOf(VIP, asked.map(witness)).map(({ view }) => view.name);
    assert.deepEqual(found, order);
  });
}
