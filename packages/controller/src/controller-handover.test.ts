// A controller that ends while another one waits for its lead, with an agent that is played by hand
// on real gRPC: what comes first, the end of the lead or that of the agent's stream.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatHostPort, createLogger, createSystemClock } from "@fairlead/runtime";
import { agentName, createMemoryMedium, createMemoryStore } from "@fairlead/testkit";
import { status } from "@grpc/grpc-js";

import { runController } from "./controller.ts";
import type { Election } from "./ports.ts";
import { sampleSettings } from "./sample-settings.ts";
import { HandPlayedAgent } from "./sync/hand-played-agent.ts";

test("a leader that ends gives the lead up before the streams of its agents end", async () => {
  const order: string[] = [];
  const { promise: asked, resolve: givesUp } = Promise.withResolvers<void>();
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const election: Election = {
    identity: "me",
    noticesMs: 0,
    start: (events) => {
      events.onLead();
      return Promise.resolve();
    },
    view: () => ({ leads: true, holder: "me" }),
    [Symbol.asyncDispose]: async () => {
      givesUp();
      await answered;
      order.push("the lead is given up");
    },
  };
  const controller = await runController({
    settings: sampleSettings({
      source: { kind: "folder", folder: "/nonexistent" },
      store: { kind: "sqlite", path: "/nonexistent/store.db" },
    }),
    clock: createSystemClock(),
    log: createLogger({ level: "silent", format: "text" }),
    onFailed: () => undefined,
    ports: {
      election,
      store: createMemoryStore({ medium: createMemoryMedium() }),
      sources: [],
      publishers: [],
    },
  });
  const agent = new HandPlayedAgent(formatHostPort(controller.agentsAt));
  const name = agentName("lb-1");
  const hello = { agent: name, bootId: "b", version: "1", capabilities: [], links: [], epoch: 0 };
  agent.say({ kind: "hello", hello, reportDigest: undefined });
  await agent.next("welcome");
  const ended = agent.ended.then((error) => {
    order.push("the stream has ended");
    return error;
  });
  const stopped = controller[Symbol.asyncDispose]();
  await asked;
  // Another agent is sent on already, and this one is kept.
  const late = new HandPlayedAgent(formatHostPort(controller.agentsAt));
  late.say({
    kind: "hello",
    hello: { ...hello, agent: agentName("lb-2") },
    reportDigest: undefined,
  });
  assert.equal((await late.ended).code, status.UNAVAILABLE);
  assert.deepEqual(order, []);
  answer();
  assert.equal((await ended).details, "the controller is stopping");
  await stopped;
  assert.deepEqual(order, ["the lead is given up", "the stream has ended"]);
  for (const one of [agent, late]) one.close();
});
