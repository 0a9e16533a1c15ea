// The server of streams while the lead is nobody's, another's or given up, and while the controller
// ends: which agents it takes, keeps or sends on, and that it says nothing that it may not say.

import assert from "node:assert";
import { test } from "node:test";
import { planOfServices } from "@fairlead/testkit";
import { encodeReport } from "@fairlead/wire";
import { status } from "@grpc/grpc-js";

import { AGENT, helloOf, reportOf, Stage } from "./sync-stage.ts";

/** An agent that has said its hello while nobody leads. */
async function waitingAgent(stage: Stage): Promise<ReturnType<Stage["agent"]>> {
  stage.sync.setLead("nobodys");
  const agent = stage.agent();
  agent.say(helloOf());
  while (stage.bytes.received === 0) await stage.clock.settle();
  return agent;
}

test("agents that come while nobody leads are welcome to whoever wins, before any plan", async () => {
  await using stage = await new Stage().start();
  const agent = await waitingAgent(stage);
  await stage.clock.settle();
  assert.deepEqual([agent.heard, stage.facts], [[], []], "it waits, and nobody knows of it");
  stage.sync.setLead("ours");
  await agent.next("welcome");
  agent.say({ kind: "report", report: encodeReport(reportOf(planOfServices(1))) });
  await stage.until("agent-report");
  assert.deepEqual(
    stage.facts.map(({ kind }) => kind),
    ["agent-hello", "agent-report"],
  );
  assert.equal(stage.bytes.updates, 0, "nothing is sent before a plan is durable");
});

test("agents that wait for a leader are sent on at once when another one wins", async () => {
  await using stage = await new Stage().start();
  const agent = await waitingAgent(stage);
  stage.sync.setLead("anothers");
  assert.equal((await agent.ended).code, status.UNAVAILABLE);
  assert.equal(stage.clock.pendingTimers(), 0, "nobody waits any more");
  assert.deepEqual(stage.facts, []);
});

test("agents wait for a leader no longer than they may go without a welcome", async () => {
  await using stage = await new Stage().start();
  const agent = await waitingAgent(stage);
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
  stage.deliver(planOfServices(1));
  const { update } = await agent.next("update");
  stage.deliver(planOfServices(2));
  const before = stage.bytes.received;
  stage.sync.hush();
  stage.deliver(planOfServices(3));
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
  stage.deliver(planOfServices(1), 7);
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
