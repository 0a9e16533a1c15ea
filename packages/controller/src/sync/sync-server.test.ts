// The server of streams on real gRPC over loopback, with an agent that is played by hand: what it
// says, what it leaves unsaid, and what the controller makes of it. Time is the fake clock's.

import assert from "node:assert";
import { test } from "node:test";
import type { AgentHello, AgentReport, NodePlan, Revision } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";
import { agentName, laneOf, listenerOf, makeLink, vipOf } from "@fairlead/testkit";
import {
  createRevisions,
  encodeReport,
  type FromAgent,
  reportDigest,
  serverCredentials,
  serverOptions,
} from "@fairlead/wire";
import { Server, status } from "@grpc/grpc-js";

import type { Fact } from "../facts.ts";
import { HandPlayedAgent } from "./hand-played-agent.ts";
import { createSyncServer, type SyncServer } from "./sync-server.ts";

const INSECURE = { kind: "insecure" } as const;
const AGENT = agentName("lb1");
const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
const revisions = createRevisions();

/** A plan with this many Services of one port. */
function planOf(count: number): NodePlan {
  const all = Array.from({ length: count }, (_, i) => vipOf(`192.0.2.${i + 1}`, LANE)).flatMap(
    (vip) => [vip, ...listenerOf(`${vip.address}:80`, ["10.0.0.1:8080"])],
  );
  const resources = new Map([LANE, ...all].map((one) => [one.name, one]));
  return { agent: AGENT, resources, retained: [] };
}

function revisionOfPlan(plan: NodePlan): Revision {
  return revisions.planRevisionOf(
    [...plan.resources.values()].map((one) => [one.name, revisions.revisionOf(one)]),
  );
}

function helloOf(parts: Partial<AgentHello> = {}): FromAgent & { readonly kind: "hello" } {
  const base = { agent: AGENT, bootId: "b", version: "1", capabilities: [], links: [], epoch: 0 };
  return { kind: "hello", hello: { ...base, ...parts }, reportDigest: undefined };
}

function reportOf(plan: NodePlan): AgentReport {
  const entries = [...plan.resources.values()].map((one) => {
    const revision = revisions.revisionOf(one);
    return [one.name, { name: one.name, revision, step: "serving", evidence: [] }] as const;
  });
  return {
    agent: AGENT,
    sequence: 1,
    epoch: 1,
    planRevision: revisionOfPlan(plan),
    links: [],
    resources: new Map(entries),
    lanes: [],
    dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 0 },
    remarks: [],
  };
}

/** A controller's server with agents; disposing ends all. */
class Stage implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock();
  readonly facts: Fact[] = [];
  readonly bytes = { sent: 0, received: 0, updates: 0 };
  readonly sync: SyncServer;
  readonly #server = new Server(serverOptions());
  readonly #agents: HandPlayedAgent[] = [];
  #port = 0;
  #wake: () => void = () => {};

  constructor() {
    this.sync = createSyncServer({
      clock: this.clock,
      log: createLogger({ level: "silent", format: "json" }),
      revisions,
      version: "0.1.0",
      emit: (facts) => {
        this.facts.push(...facts);
        this.#wake();
      },
      metrics: {
        streamsOpen: () => {},
        sent: (bytes) => void (this.bytes.sent += bytes),
        received: (bytes) => void (this.bytes.received += bytes),
        updateSent: () => void (this.bytes.updates += 1),
        updateRefused: () => {},
      },
    });
    this.sync.register(this.#server);
    this.sync.setLead("ours");
  }

  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync("[::]:0", serverCredentials(INSECURE), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    this.#port = await promise;
    return this;
  }

  /** `host`: what it reaches the controller at; on loopback it comes from there as well. */
  agent(host = "127.0.0.1"): HandPlayedAgent {
    const agent = new HandPlayedAgent(`${host}:${this.#port}`);
    this.#agents.push(agent);
    return agent;
  }

  deliver(plan: NodePlan, epoch = 1): void {
    this.sync.deliver({ epoch, plans: new Map([[AGENT, plan]]), leases: new Map() });
  }

  /** A plan of a world that does not have the agent. */
  deliverWithoutIt(): void {
    this.sync.deliver({ epoch: 1, plans: new Map(), leases: new Map() });
  }

  /** Waits until so many facts of this kind were emitted. */
  async until(kind: Fact["kind"], count = 1): Promise<void> {
    while (this.facts.filter((fact) => fact.kind === kind).length < count) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents) agent.close();
    await this.sync[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}

test("an agent says hello, is sent its plan, and its reports become facts", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  assert.equal((await agent.next("welcome")).welcome.heartbeatIntervalMs, 3000);
  stage.deliver(planOf(3));
  const { update } = await agent.next("update");
  assert.equal(update.newRevision, revisionOfPlan(planOf(3)));
  agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  agent.say({ kind: "report", report: encodeReport(reportOf(planOf(3))) });
  await stage.until("agent-report");
  assert.deepEqual(stage.facts.at(-1), {
    kind: "agent-report",
    isFirst: true,
    atMs: stage.clock.wallMs(),
    report: reportOf(planOf(3)),
  });
  assert.equal(stage.sync.syncState(AGENT).state, "in-sync");
  agent.close();
  await stage.until("agent-gone");
  assert.equal(stage.sync.syncState(AGENT).state, "unknown");
});

test("a reconnect with nothing changed costs less than 600 bytes, with 100 Services", async () => {
  await using stage = await new Stage().start();
  const plan = planOf(100);
  stage.deliver(plan);
  const first = stage.agent();
  first.say(helloOf({ planRevision: revisionOfPlan(plan) }));
  await first.next("welcome");
  first.say({ kind: "report", report: encodeReport(reportOf(plan)) });
  await stage.until("agent-report");
  first.close();
  await stage.until("agent-gone");
  Object.assign(stage.bytes, { sent: 0, received: 0 });

  const second = stage.agent();
  const hello = helloOf({ planRevision: revisionOfPlan(plan) });
  second.say({ ...hello, reportDigest: reportDigest(reportOf(plan)) });
  assert.equal((await second.next("welcome")).welcome.reportKnown, true);
  await stage.until("agent-report", 2);
  const { sent, received, updates } = stage.bytes;
  assert.ok(sent + received < 600, `${sent} + ${received} bytes`);
  assert.equal(updates, 0);
  assert.equal(stage.sync.syncState(AGENT).state, "in-sync");
});

test("a forgotten agent that comes back is sent nothing that was planned before it came", async () => {
  await using stage = await new Stage().start();
  const first = stage.agent();
  first.say(helloOf());
  stage.deliver(planOf(2));
  const { update } = await first.next("update");
  first.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  first.say({ kind: "report", report: encodeReport(reportOf(planOf(2))) });
  await stage.until("agent-report");
  first.close();
  await stage.until("agent-gone");
  // The plan that forgets it has nothing for it; those after that do not know it.
  stage.deliver({ ...planOf(0), resources: new Map() });
  stage.deliverWithoutIt();

  const second = stage.agent();
  const hello = helloOf({ planRevision: revisionOfPlan(planOf(2)) });
  second.say({ ...hello, reportDigest: reportDigest(reportOf(planOf(2))) });
  await stage.until("agent-hello", 2);
  assert.equal(stage.bytes.updates, 1, "no plan since it came says that all of this shall go");
  assert.equal((await second.next("welcome")).welcome.reportKnown, false);
  stage.deliver(planOf(3));
  await second.next("inventory-wanted");
});

test("an agent that came while a plan was made without it keeps its stream for the next", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliverWithoutIt();
  agent.say({ kind: "report", report: encodeReport(reportOf(planOf(0))) });
  await stage.until("agent-report");
  stage.deliver(planOf(1));
  assert.equal((await agent.next("update")).update.newRevision, revisionOfPlan(planOf(1)));
});

test("a newer stream of an agent ends the older, and the agent is not gone", async () => {
  await using stage = await new Stage().start();
  const older = stage.agent();
  older.say(helloOf());
  await older.next("welcome");
  const newer = stage.agent();
  newer.say(helloOf());
  await newer.next("welcome");
  assert.equal((await older.ended).code, status.ABORTED);
  stage.deliver(planOf(1));
  await newer.next("update");
  assert.deepEqual(
    stage.facts.map((fact) => fact.kind),
    ["agent-hello", "agent-hello"],
  );
});

test("a second host in the name of an agent is refused and found, until it asks no more", async () => {
  await using stage = await new Stage().start();
  const first = stage.agent();
  first.say(helloOf());
  await first.next("welcome");
  const other = stage.agent("[::1]");
  other.say(helloOf());
  const { code, details } = await other.ended;
  assert.equal(code, status.ALREADY_EXISTS);
  assert.match(
    details,
    /^::1 speaks in the name of lb1, which 127\.0\.0\.1 has: .* --name of its own/,
  );
  stage.deliver(planOf(1));
  await first.next("update");
  const [found] = stage.facts.filter((fact) => fact.kind === "finding");
  assert.equal(found?.finding.reason, "AgentNameTaken");
  await stage.clock.advance(20_000);
  assert.equal(stage.facts.filter((fact) => fact.kind === "finding-cleared").length, 1);
});

test("a host that has another address since it connected is the same agent come back", async () => {
  await using stage = await new Stage().start();
  const links = [makeLink("eth0", ["192.0.2.11/24"])];
  const before = stage.agent();
  before.say(helloOf({ links }));
  await before.next("welcome");
  const after = stage.agent("[::1]");
  after.say(helloOf({ links }));
  await after.next("welcome");
  assert.equal((await before.ended).code, status.ABORTED);
});

test("another host comes in when the one that had the name was silent for long", async () => {
  await using stage = await new Stage().start();
  const before = stage.agent();
  before.say(helloOf());
  await before.next("welcome");
  const early = stage.agent("[::1]");
  early.say(helloOf());
  assert.equal((await early.ended).code, status.ALREADY_EXISTS);
  await stage.clock.advance(9000);
  assert.equal((await before.ended).code, status.DEADLINE_EXCEEDED);
  const after = stage.agent("[::1]");
  after.say(helloOf());
  await after.next("welcome");
});

test("an agent that falls silent is given up after three heartbeats", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  await stage.clock.advance(8999);
  assert.equal(stage.facts.length, 1);
  await stage.clock.advance(1);
  assert.equal((await agent.ended).code, status.DEADLINE_EXCEEDED);
  assert.equal(stage.facts.at(-1)?.kind, "agent-gone");
  assert.equal(agent.heard.filter((message) => message.kind === "heartbeat").length, 2);
});

test("a heartbeat confirms what was reported by its stream, and nothing before that", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  agent.say({ kind: "heartbeat" });
  agent.say({ kind: "report", report: encodeReport(reportOf(planOf(1)), undefined) });
  agent.say({ kind: "heartbeat" });
  await stage.until("agent-heard");
  assert.deepEqual(
    stage.facts.map((fact) => fact.kind),
    ["agent-hello", "agent-report", "agent-heard"],
  );
});

test("an agent that beats but never answers an update is given up", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliver(planOf(1));
  await agent.next("update");
  for (let round = 0; round < 2; round += 1) {
    await stage.clock.advance(3000);
    const before = stage.bytes.received;
    agent.say({ kind: "heartbeat" });
    while (stage.bytes.received === before) await stage.clock.settle();
  }
  await stage.clock.advance(3000);
  assert.equal((await agent.ended).details, "the agent owes an answer to update 1");
});

test("plans pile up nowhere while an agent does not answer", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.call.pause();
  agent.say(helloOf());
  await stage.until("agent-hello");
  for (let round = 0; round < 200; round += 1) stage.deliver(planOf(1 + (round % 100)));
  assert.equal(stage.bytes.updates, 1);
  agent.call.resume();
  const { update } = await agent.next("update");
  agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  const second = await agent.next("update");
  assert.equal(second.update.newRevision, revisionOfPlan(planOf(100)));
  assert.equal(stage.bytes.updates, 2);
});

const nonsense: readonly { readonly name: string; readonly says: readonly FromAgent[] }[] = [
  { name: "speaks before hello", says: [{ kind: "heartbeat" }] },
  { name: "says hello twice", says: [helloOf(), helloOf()] },
  {
    name: "sends a difference first",
    says: [
      helloOf(),
      { kind: "report", report: encodeReport(reportOf(planOf(1)), reportOf(planOf(1))) },
    ],
  },
];

for (const { name, says } of nonsense) {
  test(`an agent that ${name} is told so`, async () => {
    await using stage = await new Stage().start();
    const agent = stage.agent();
    for (const message of says) agent.say(message);
    assert.equal((await agent.ended).code, status.INVALID_ARGUMENT);
  });
}

test("a connection that says nothing at all is closed after three heartbeats", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say({ kind: "heartbeat" });
  assert.equal((await agent.ended).code, status.INVALID_ARGUMENT);
  await stage.clock.advance(60_000);
  assert.equal(stage.clock.pendingTimers(), 0, "no timer outlives its stream");
});

test("agents that come while nobody leads are welcome to whoever wins, before any plan", async () => {
  await using stage = await new Stage().start();
  stage.sync.setLead("nobodys");
  const agent = stage.agent();
  agent.say(helloOf());
  while (stage.bytes.received === 0) await stage.clock.settle();
  await stage.clock.settle();
  assert.deepEqual([agent.heard, stage.facts], [[], []], "it waits, and nobody knows of it");
  stage.sync.setLead("ours");
  await agent.next("welcome");
  agent.say({ kind: "report", report: encodeReport(reportOf(planOf(1))) });
  await stage.until("agent-report");
  assert.deepEqual(
    stage.facts.map(({ kind }) => kind),
    ["agent-hello", "agent-report"],
  );
  assert.equal(stage.bytes.updates, 0, "nothing is sent before a plan is durable");
});

test("agents that wait for a leader are sent on at once when another one wins", async () => {
  await using stage = await new Stage().start();
  stage.sync.setLead("nobodys");
  const agent = stage.agent();
  agent.say(helloOf());
  while (stage.bytes.received === 0) await stage.clock.settle();
  stage.sync.setLead("anothers");
  assert.equal((await agent.ended).code, status.UNAVAILABLE);
  assert.equal(stage.clock.pendingTimers(), 0, "nobody waits any more");
  assert.deepEqual(stage.facts, []);
});

test("agents wait for a leader no longer than they may go without a welcome", async () => {
  await using stage = await new Stage().start();
  stage.sync.setLead("nobodys");
  const agent = stage.agent();
  agent.say(helloOf());
  while (stage.bytes.received === 0) await stage.clock.settle();
  await stage.clock.settle();
  await stage.clock.advance(1499);
  assert.equal(stage.bytes.sent, 0);
  await stage.clock.advance(1);
  assert.equal((await agent.ended).details, "this controller does not lead");
  assert.deepEqual([agent.heard, stage.clock.pendingTimers()], [[], 0]);
});

test("a lead that is given up ends the streams, also while nobody else has it", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.sync.setLead("nobodys");
  assert.equal((await agent.ended).code, status.UNAVAILABLE);
  assert.equal(stage.facts.at(-1)?.kind, "agent-gone");
});

test("a controller that is about to end says nothing more, and keeps the streams", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliver(planOf(1));
  const { update } = await agent.next("update");
  stage.deliver(planOf(2));
  const before = stage.bytes.received;
  stage.sync.hush();
  stage.deliver(planOf(3));
  // With the answer the update that waits for it would go out.
  agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  while (stage.bytes.received === before) await stage.clock.settle();
  const late = stage.agent();
  assert.equal((await late.ended).details, "the controller is stopping");
  assert.deepEqual([stage.bytes.updates, stage.facts.length], [1, 1]);
  await stage.clock.advance(3000);
  await agent.next("heartbeat");
  await stage.sync[Symbol.asyncDispose]();
  assert.equal((await agent.ended).details, "the controller is stopping");
});

test("while another controller leads agents are sent on, and nothing of them is kept", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliver(planOf(1), 7);
  await agent.next("update");
  stage.sync.setLead("anothers");
  const { code, details } = await agent.ended;
  assert.equal(code, status.UNAVAILABLE);
  assert.equal(details, "this controller does not lead");
  assert.equal(stage.facts.at(-1)?.kind, "agent-gone");
  assert.equal(stage.sync.syncState(AGENT).state, "unknown");
  assert.equal((await stage.agent().ended).code, status.UNAVAILABLE);
  stage.sync.setLead("ours");
  const back = stage.agent();
  back.say(helloOf());
  assert.equal((await back.next("welcome")).welcome.epoch, 0);
  assert.equal(stage.clock.pendingTimers(), 1, "of one stream alone");
});
