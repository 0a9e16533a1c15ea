// Whose the name of an agent is, on real gRPC: one that comes back gets its name, and a second host
// does not while the first one speaks. The other host comes from the other loopback address.

import assert from "node:assert";
import { test } from "node:test";
import { makeLink, planOfServices } from "@fairlead/testkit";
import { status } from "@grpc/grpc-js";

import { helloOf, Stage } from "./sync-stage.ts";

test("a newer stream of an agent ends the older, and the agent is not gone", async () => {
  await using stage = await new Stage().start();
  const older = stage.agent();
  older.say(helloOf());
  await older.next("welcome");
  const newer = stage.agent();
  newer.say(helloOf());
  await newer.next("welcome");
  assert.equal((await older.ended).code, status.ABORTED);
  stage.deliver(planOfServices(1));
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
  stage.deliver(planOfServices(1));
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
