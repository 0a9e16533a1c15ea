// Which controller an agent's link holds on to, on real gRPC over loopback with controllers that
// are played by hand: what it says first, whom it leaves, and when it tries again.

import assert from "node:assert";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { acceptedPlan, laneOf, planOfServices } from "@fairlead/testkit";
import { status } from "@grpc/grpc-js";

import { HandPlayedController, type HandPlayedStream } from "./hand-played-controller.ts";
import { Stage, updateOf, WELCOME, welcomed } from "./link-stage.ts";

const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
const SERVICE = [...planOfServices(1).resources.values()];

/** What a controller says to agents that are not its own. */
function standBy({ call }: HandPlayedStream): void {
  const details = "this controller stands by";
  call.emit("error", Object.assign(new Error(details), { code: status.UNAVAILABLE, details }));
}

test("hello names the plan from the disk, and the question what is in it is answered", async () => {
  const held = acceptedPlan("lb1", SERVICE, 7);
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port, held);
  const stream = await controller.stream();
  const { hello } = await stream.next("hello");
  assert.equal(hello.planRevision, held.revision);
  assert.equal(hello.epoch, 7);
  stream.welcome();
  stream.say({ kind: "inventory-wanted" });
  assert.deepEqual((await stream.next("inventory")).inventory, held.revisions);
  assert.deepEqual(stage.plans, []);
});

test("an older controller is refused, although the plan on the disk is all that knows", async () => {
  const held = acceptedPlan("lb1", [LANE], 7);
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port, held);
  const stream = await welcomed(controller);
  stream.say({ kind: "update", update: updateOf(SERVICE, 1, 6) });
  assert.equal((await stream.next("ack")).ack.refusal, "stale-epoch");
  assert.deepEqual(stage.plans, []);
});

test("of a leader that had nothing to send an agent that started again knew nothing", async () => {
  const held = acceptedPlan("lb1", SERVICE, 7);
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port, held);
  const stream = await controller.stream();
  await stream.next("hello");
  stream.say({ kind: "welcome", welcome: { ...WELCOME, epoch: 8 } });
  await stage.until(() => stage.plans.length === 1);
  assert.deepEqual(stage.plans, [{ ...held, epoch: 8 }], "it is kept as that leader's");
});

test("a restarted controller finds the agent again, with what it took meanwhile", async () => {
  const first = await new HandPlayedController().start();
  await using stage = new Stage(first.port);
  const stream = await welcomed(first);
  stream.say({ kind: "update", update: updateOf(SERVICE) });
  await stream.next("ack");
  await first[Symbol.asyncDispose]();
  await stage.until(() => !stage.link.connected);

  await using second = await new HandPlayedController().start(first.port);
  await stage.until(() => second.streams.length > 0);
  const { hello } = await (await second.stream()).next("hello");
  assert.equal(hello.planRevision, stage.plans[0]?.revision);
  assert.deepEqual(stage.connections, [true, false]);
});

test("a controller that is not there is tried ever more rarely, and logged once", async () => {
  const gone = await new HandPlayedController().start();
  await gone[Symbol.asyncDispose]();
  await using stage = new Stage(gone.port);
  await stage.until(() => stage.log.length > 0);
  const begunMs = stage.clock.nowMs();
  for (let second = 0; second < 60; second += 1) await stage.clock.advance(1000);
  assert.ok(stage.clock.nowMs() - begunMs >= 60_000);
  assert.equal(stage.log.length, 1);
  await using controller = await new HandPlayedController().start(gone.port);
  await stage.until(() => controller.streams.length > 0);
  assert.equal(stage.link.connected, false);
});

test("a port of something else is named once, with the port that is meant", async () => {
  await using web = createHttpServer();
  await once(web.listen(0, "127.0.0.1"), "listening");
  await using stage = new Stage((web.address() as AddressInfo).port);
  let tries = 0;
  web.on("connection", () => (tries += 1));
  await stage.until(() => tries > 3);
  assert.equal(stage.log.length, 1);
  assert.match(stage.log.join(), /does not speak gRPC; name the port .* 7702 by default/u);
});

test("one that stands by is left at once for the next, and a lost leader for its successor", async () => {
  await using first = await new HandPlayedController().start();
  await using second = await new HandPlayedController().start();
  await using stage = new Stage([first.port, second.port]);
  const refused = await first.stream();
  await refused.next("hello");
  standBy(refused);
  await stage.until(() => second.streams.length === 1);
  const led = await welcomed(second);
  await stage.until(() => stage.connections.length === 1);
  standBy(led);
  await stage.until(() => first.streams.length === 2);
  await welcomed(first);
  await stage.until(() => stage.connections.length === 3);
  assert.deepEqual(stage.connections, [true, false, true]);
  assert.ok(stage.clock.nowMs() < 1000, "it waits between two rounds, and not within one");
});

test("while nobody leads, all controllers are tried ever more rarely", async () => {
  await using first = await new HandPlayedController().start();
  await using second = await new HandPlayedController().start();
  await using stage = new Stage([first.port, second.port]);
  for (let round = 0; round < 4; round += 1) {
    for (const controller of [first, second]) {
      await stage.until(() => controller.streams.length === round + 1);
      standBy(await controller.stream());
    }
  }
  // Half of 200, 400 and 800 ms, as chance has it here.
  assert.ok(stage.clock.nowMs() >= 700, `it took ${stage.clock.nowMs()} ms`);
  assert.equal(stage.log.length, 2, stage.log.join());
});

test("a link that comes up ends a wait of seconds, and an attempt into a cut cable", async () => {
  const gone = await new HandPlayedController().start();
  await gone[Symbol.asyncDispose]();
  await using stage = new Stage(gone.port);
  await stage.until(() => stage.log.length > 0);
  for (let second = 0; second < 60; second += 1) await stage.clock.advance(1000);
  await using controller = await new HandPlayedController().start(gone.port);
  const beganMs = stage.clock.nowMs();
  stage.link.hurry();
  await stage.until(() => controller.streams.length === 1);
  await (await controller.stream()).next("hello");
  stage.link.hurry();
  await stage.until(() => controller.streams.length === 2);
  await welcomed(controller);
  await stage.until(() => stage.link.connected);
  assert.ok(stage.clock.nowMs() - beganMs < 1000);
  assert.equal(stage.log.length, 1, "what ended an attempt is nobody's trouble");
  stage.link.hurry();
  await stage.clock.advance(100);
  assert.equal(stage.link.connected, true, "an open stream goes on");
  assert.equal(controller.streams.length, 2);
});

test("a controller that never says welcome is left after ten seconds", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await controller.stream();
  await stream.next("hello");
  await stage.clock.advance(9_999);
  assert.equal(controller.streams.length, 1);
  await stage.clock.advance(1);
  await stream.ended;
  await stage.until(() => controller.streams.length === 2);
});

test("a controller that stopped in the middle is left after three heartbeats", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  await stage.until(() => stage.link.connected);
  // Nothing closes and nothing fails: the peer only never says a word again, as under SIGSTOP.
  await stage.clock.advance(30_000);
  await stream.ended;
  assert.deepEqual(stage.connections, [true, false]);
  assert.match(stage.log.join(""), /nothing was heard of the controller/);
});

test("an agent that is ended does not say that it lost the controller", async () => {
  await using controller = await new HandPlayedController().start();
  const stage = new Stage(controller.port);
  await welcomed(controller);
  await stage.until(() => stage.link.connected);
  await stage[Symbol.asyncDispose]();
  assert.deepEqual(stage.connections, [true]);
  assert.equal(stage.link.connected, false);
});
