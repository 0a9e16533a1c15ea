// What heartbeats are good for, on real gRPC: an agent that falls silent or leaves its answers out
// is given up in time, and one that beats confirms what it said. Time is the fake clock's.

import assert from "node:assert";
import { test } from "node:test";
import { planOfServices } from "@fairlead/testkit";
import { encodeReport } from "@fairlead/wire";
import { status } from "@grpc/grpc-js";

import { AGENT, helloOf, reportOf, Stage } from "./sync-stage.ts";

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
  agent.say({ kind: "report", report: encodeReport(reportOf(planOfServices(1)), undefined) });
  agent.say({ kind: "heartbeat" });
  await stage.until("agent-heard");
  assert.deepEqual(
    stage.facts.map((fact) => fact.kind),
    ["agent-hello", "agent-report", "agent-heard"],
  );
});

test("an agent is asked for a word when it has reported, and not before", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  assert.equal(stage.sync.ask?.(AGENT, "answer"), false);
  const plan = planOfServices(1);
  stage.deliver(plan);
  assert.notEqual((await agent.any()).kind, "heartbeat");
  agent.say({ kind: "report", report: encodeReport(reportOf(plan), undefined) });
  await stage.until("agent-report");
  assert.equal(stage.sync.ask?.(AGENT, "answer"), true);
  assert.deepEqual(await agent.next("heartbeat"), { kind: "heartbeat", wish: "answer" });
});

test("an agent that beats but never answers an update is given up", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say(helloOf());
  await agent.next("welcome");
  stage.deliver(planOfServices(1));
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

test("a connection that says nothing at all is closed after three heartbeats", async () => {
  await using stage = await new Stage().start();
  const agent = stage.agent();
  agent.say({ kind: "heartbeat" });
  assert.equal((await agent.ended).code, status.INVALID_ARGUMENT);
  await stage.clock.advance(60_000);
  assert.equal(stage.clock.pendingTimers(), 0, "no timer outlives its stream");
});
