// What is known of agents by their hellos, reports and departures.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  type AgentHello,
  type AgentReport,
  type AgentView,
  type ResourceReport,
  type Step,
  laneId,
  laneName,
  vipName,
} from "@fairlead/model";
import { RIVAL_MS } from "@fairlead/planner";
import { address, agentName, makeAgent, makeLink } from "@fairlead/testkit";

import { foldAgent } from "./agent-state.ts";
import type { Fact } from "./facts.ts";

const LB = agentName("lb-1");
const HELLO: AgentHello = makeAgent("lb-1").hello;
const VIP = address("192.0.2.100");

type AgentFact = Parameters<typeof foldAgent>[1];

const hello = (changes: Partial<AgentHello> = {}): AgentFact => ({
  kind: "agent-hello",
  atMs: 0,
  hello: { ...HELLO, ...changes },
});
const helloAt = (atMs: number): AgentFact => ({ kind: "agent-hello", atMs, hello: HELLO });

/** Of a stranger. */
const MAC = "02:00:00:00:99:99";

/** A report of the VIP alone, or of nothing. `mac` answered when the segment was asked. */
function report(
  atMs: number,
  step: Step | undefined,
  { mac, ...changes }: Partial<AgentReport> & { readonly mac?: string } = {},
): AgentFact {
  const name = vipName(VIP);
  const revision = "0".repeat(32) as AgentReport["planRevision"] & string;
  const seen: Pick<ResourceReport, "evidence" | "problem"> =
    mac === undefined
      ? { evidence: [] }
      : {
          evidence: [{ kind: "neighbour", mac, seenBy: LB }],
          problem: { reason: "AddressInUse", detail: `${mac} answers`, revision },
        };
  return {
    kind: "agent-report",
    atMs,
    report: {
      agent: LB,
      sequence: atMs,
      epoch: 1,
      links: HELLO.links,
      resources: new Map(step === undefined ? [] : [[name, { name, revision, step, ...seen }]]),
      lanes: [],
      dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 1 },
      remarks: [],
      ...changes,
    },
  };
}

const goneAt = (atMs: number): Extract<Fact, { kind: "agent-gone" }> => ({
  kind: "agent-gone",
  atMs,
  agent: LB,
});

const withdrawnAt = (atMs: number): AgentFact => ({ ...goneAt(atMs), withdrawn: true });

function fold(...facts: readonly AgentFact[]): {
  readonly agent: AgentView | undefined;
  readonly changes: readonly boolean[];
} {
  const agents = new Map<AgentView["name"], AgentView>();
  const changes = facts.map((fact) => foldAgent(agents, fact));
  return { agent: agents.get(LB), changes };
}

suite("an agent", () => {
  test("is known from its first hello on", () => {
    const { agent, changes } = fold(hello());
    assert.equal(agent?.connected, true);
    assert.equal(agent?.report, undefined);
    assert.deepEqual(changes, [true]);
  });

  test("that never said hello is not known by a report", () => {
    assert.equal(fold(report(1, "serving")).agent, undefined);
  });

  test("keeps its last report while it is away", () => {
    const { agent } = fold(hello(), report(1, "serving"), goneAt(5));
    assert.equal(agent?.connected, false);
    assert.equal(agent?.disconnectedAtMs, 5);
    assert.equal(agent?.report?.resources.size, 1);
  });

  test("that comes back has not gone", () => {
    const { agent } = fold(hello(), report(1, "serving"), goneAt(5), hello());
    assert.equal(agent?.connected, true);
    assert.equal(agent?.disconnectedAtMs, undefined);
    assert.equal(agent?.report?.resources.size, 1);
  });

  test("that comes back confirms nothing of its last report, before it reports again", () => {
    const away = [hello(), report(1, "serving"), goneAt(5)];
    const back: AgentFact = { kind: "agent-hello", atMs: 9, hello: HELLO };
    assert.equal(fold(...away, back).agent?.heardAtMs, 1);
    assert.equal(fold(...away, back, report(10, "applied")).agent?.heardAtMs, 10);
  });

  test("whose host booted has proved nothing yet", () => {
    const { agent } = fold(hello(), report(1, "serving"), goneAt(5), hello({ bootId: "next" }));
    assert.equal(agent?.report, undefined);
    assert.equal(agent?.heldSinceMs.size, 0);
  });

  test("that was withdrawn holds nothing from that moment on, and lost what it held", () => {
    const { agent, changes } = fold(hello(), report(1, "serving"), withdrawnAt(5));
    assert.equal(agent?.connected, false);
    assert.equal(agent?.withdrawn, true);
    assert.equal(agent?.report?.resources.size, 0);
    assert.equal(agent?.heldSinceMs.size, 0);
    assert.deepEqual([...(agent?.lostAtMs ?? [])], [[VIP, 5]]);
    assert.deepEqual(changes, [true, true, true]);
  });

  test("that comes back from a withdrawal says itself what it has from its disk", () => {
    const { agent } = fold(hello(), report(1, "serving"), withdrawnAt(5), helloAt(9));
    assert.equal(agent?.connected, true);
    assert.equal(agent?.withdrawn, undefined);
    assert.equal(agent?.report, undefined, "it may hold what it held, and was not asked yet");
  });

  test("goes once", () => {
    assert.deepEqual(fold(hello(), goneAt(5), goneAt(6)).changes, [true, true, false]);
  });
});

suite("a report", () => {
  test("that proves the same is no news, whatever its number", () => {
    const { agent, changes } = fold(hello(), report(1, "serving"), report(2, "serving"));
    assert.deepEqual(changes, [true, true, false]);
    assert.equal(agent?.report?.sequence, 2);
  });

  test("tells since when an address is held without a break", () => {
    const since = (...facts: readonly AgentFact[]): number | undefined =>
      fold(hello(), ...facts).agent?.heldSinceMs.get(VIP);
    assert.equal(since(report(1, "applied")), undefined);
    assert.equal(since(report(1, "serving"), report(9, "serving")), 1);
    assert.equal(since(report(1, "serving"), report(5, "applied"), report(9, "serving")), 9);
  });

  test("tells for a minute when an address was lost", () => {
    const lost = (...facts: readonly AgentFact[]): number | undefined =>
      fold(hello(), ...facts).agent?.lostAtMs?.get(VIP);
    assert.equal(lost(report(1, "applied")), undefined);
    assert.equal(lost(report(1, "serving"), report(5, "applied")), 5);
    assert.equal(lost(report(1, "serving"), report(5, "applied"), report(9, "serving")), undefined);
    const minute = 60_000;
    const told = [report(1, "serving"), report(5, "applied")];
    assert.equal(lost(...told, report(minute, "applied")), 5);
    assert.equal(lost(...told, report(minute + 5, "applied")), undefined);
  });

  test("tells of a stranger as long as it is said, and for a minute after", () => {
    const heardAtMs = (...facts: readonly AgentFact[]): number | undefined =>
      fold(hello(), ...facts).agent?.strangers?.get(VIP)?.heardAtMs;
    const said = [report(1, "received", { mac: MAC }), report(7, "received", { mac: MAC })];
    assert.equal(heardAtMs(report(1, "received")), undefined);
    assert.equal(heardAtMs(...said), 7);
    assert.equal(heardAtMs(...said, report(9, undefined)), 9);
    assert.equal(heardAtMs(...said, report(9, undefined), report(60_008, undefined)), 9);
    assert.equal(heardAtMs(...said, report(9, undefined), report(60_009, undefined)), undefined);
    assert.equal(heardAtMs(...said, report(9, "applied")), undefined, "it was found silent");
  });

  test("tells since when a lane is there as it is now", () => {
    const name = laneName(laneId("192.0.2.0/24", 7));
    const has = (atMs: number, text: string): AgentFact => {
      const revision = text.repeat(32) as AgentReport["planRevision"] & string;
      const row: ResourceReport = { name, revision, step: "applied", evidence: [] };
      return report(atMs, undefined, { resources: new Map([[name, row]]) });
    };
    const since = (...facts: readonly AgentFact[]): number | undefined =>
      fold(hello(), ...facts).agent?.laneSinceMs?.get(name);
    assert.equal(since(has(10, "a"), has(20, "a")), 10);
    assert.equal(since(has(10, "a"), has(20, "b"), has(30, "b")), 20, "it is another one");
    assert.equal(since(has(10, "a"), report(20, "applied")), undefined);
    assert.equal(since(has(10, "a"), helloAt(30), has(40, "a")), 30, "it came anew");
  });

  test("plans anew with each word of an agent that has a lane since lately and does not run it", () => {
    const name = laneName(laneId("192.0.2.0/24", 7));
    const agents = new Map<AgentView["name"], AgentView>();
    const hears = (atMs: number): boolean =>
      foldAgent(agents, { kind: "agent-heard", atMs, agent: HELLO.agent });
    const view = makeAgent("lb-1");
    agents.set(view.name, { ...view, laneSinceMs: new Map([[name, 1000]]) });
    assert.equal(hears(7400), true);
    assert.equal(hears(61_000), false, "it was let in long ago, or will not be");
    agents.set(view.name, view);
    assert.equal(hears(7400), false);
  });

  test("renews the links of the hello", () => {
    const links = [makeLink("eth1", ["192.0.2.99/24"])];
    const { agent } = fold(hello(), report(1, "serving", { links }));
    assert.deepEqual(agent?.hello.links, links);
  });
});

test("the next word of an agent matters when another took its address since", () => {
  const agents = new Map<AgentView["name"], AgentView>();
  const hold = (agent: ReturnType<typeof makeAgent>, sinceMs: number, heardAtMs: number): void => {
    agents.set(agent.name, { ...agent, heldSinceMs: new Map([[VIP, sinceMs]]), heardAtMs });
  };
  const first = makeAgent("lb-1");
  const second = makeAgent("lb-2");
  hold(first, 1000, 2000);
  hold(second, 5000, 5000);
  const matters = (atMs: number): boolean =>
    foldAgent(agents, { kind: "agent-heard", atMs, agent: first.name });
  assert.equal(matters(5000 + RIVAL_MS - 1), true);
  assert.equal(matters(6000), true, "what it said before may have been too early to count");
  assert.equal(matters(7000), false);
  assert.equal(agents.get(first.name)?.heardAtMs, 7000);
});
