// The server of streams on real gRPC over loopback, with an agent that is played by hand: what it
// says, what it leaves unsaid, and what the controller makes of it. Time is the fake clock's.

import assert from "node:assert";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";

import { planOfServices } from "@fairlead/testkit";
import { encodeFromAgent, encodeReport, type FromAgent, reportDigest } from "@fairlead/wire";
import { status } from "@grpc/grpc-js";

import { AGENT, helloOf, reportOf, revisionOfPlan, Stage } from "./sync-stage.ts";

test("an agent says hello, is sent its plan, and its reports become facts", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  assert.equal((await agent.next("welcome")).welcome.heartbeatIntervalMs, 3000);
  stage.deliver(planOfServices(3));
  const { update } = await agent.next("update");
  assert.equal(update.newRevision, revisionOfPlan(planOfServices(3)));
  agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  agent.say({ kind: "report", report: encodeReport(reportOf(planOfServices(3))) });
  await stage.until("agent-report");
  assert.deepEqual(stage.facts.at(-1), {
    kind: "agent-report",
    isFirst: true,
    atMs: stage.clock.wallMs(),
    report: reportOf(planOfServices(3)),
  });
  assert.equal(stage.sync.syncState(AGENT).state, "in-sync");
  agent.close();
  await stage.until("agent-gone");
  assert.equal(stage.sync.syncState(AGENT).state, "unknown");
});

test("an agent that an operator withdraws says so, and its stream ends well", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  const ended = once(agent.call, "end");
  agent.say(helloOf());
  await agent.next("welcome");
  agent.say({ kind: "leaving" });
  await ended;
  const atMs = stage.clock.wallMs();
  assert.deepEqual(stage.facts.at(-1), { kind: "agent-gone", atMs, agent: AGENT, withdrawn: true });
});

test("an agent whose stream breaks was not withdrawn", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  agent.close();
  await stage.until("agent-gone");
  const atMs = stage.clock.wallMs();
  assert.deepEqual(stage.facts.at(-1), { kind: "agent-gone", atMs, agent: AGENT });
});

test("an agent whose stream breaks as it is welcomed is known to be gone", async () => {
  await using stage = new Stage();
  let open: (call: unknown) => void = () => {};
  const addService = (_: unknown, service: Record<string, unknown>): void => {
    open = service["sync"] as typeof open;
  };
  stage.sync.register({ addService });
  const write = (): boolean => call.emit("cancelled");
  const call = Object.assign(new EventEmitter(), { writable: true, getPeer: () => "x", write });
  open(call);
  call.emit("data", encodeFromAgent(helloOf()));
  assert.deepEqual(
    stage.facts.map((fact) => fact.kind),
    ["agent-hello", "agent-gone"],
  );
  assert.equal(stage.sync.syncState(AGENT).detail, "the agent is not connected");
});

test("a reconnect with nothing changed costs less than 600 bytes, with 100 Services", async () => {
  await using stage = await new Stage().start();
  const plan = planOfServices(100);
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
  stage.deliver(planOfServices(2));
  const { update } = await first.next("update");
  first.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  first.say({ kind: "report", report: encodeReport(reportOf(planOfServices(2))) });
  await stage.until("agent-report");
  first.close();
  await stage.until("agent-gone");
  // The plan that forgets it has nothing for it; those after that do not know it.
  stage.deliver({ ...planOfServices(0), resources: new Map() });
  stage.deliverWithoutIt();

  const second = stage.agent();
  const hello = helloOf({ planRevision: revisionOfPlan(planOfServices(2)) });
  second.say({ ...hello, reportDigest: reportDigest(reportOf(planOfServices(2))) });
  await stage.until("agent-hello", 2);
  assert.equal(stage.bytes.updates, 1, "no plan since it came says that all of this shall go");
  assert.equal((await second.next("welcome")).welcome.reportKnown, false);
  stage.deliver(planOfServices(3));
  await second.next("inventory-wanted");
});

test("an agent that came while a plan was made without it keeps its stream for the next", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliverWithoutIt();
  agent.say({ kind: "report", report: encodeReport(reportOf(planOfServices(0))) });
  await stage.until("agent-report");
  stage.deliver(planOfServices(1));
  assert.equal((await agent.next("update")).update.newRevision, revisionOfPlan(planOfServices(1)));
});

test("plans pile up nowhere while an agent does not answer", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.call.pause();
  agent.say(helloOf());
  await stage.until("agent-hello");
  for (let round = 0; round < 200; round += 1) stage.deliver(planOfServices(1 + (round % 100)));
  assert.equal(stage.bytes.updates, 1);
  agent.call.resume();
  const { update } = await agent.next("update");
  agent.say({ kind: "ack", ack: { nonce: update.nonce, step: "received", nacks: [] } });
  const second = await agent.next("update");
  assert.equal(second.update.newRevision, revisionOfPlan(planOfServices(100)));
  assert.equal(stage.bytes.updates, 2);
});

const nonsense: readonly { readonly name: string; readonly says: readonly FromAgent[] }[] = [
  { name: "speaks before hello", says: [{ kind: "heartbeat" }] },
  { name: "says hello twice", says: [helloOf(), helloOf()] },
  {
    name: "sends a difference first",
    says: [
      helloOf(),
      {
        kind: "report",
        report: encodeReport(reportOf(planOfServices(1)), reportOf(planOfServices(1))),
      },
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
