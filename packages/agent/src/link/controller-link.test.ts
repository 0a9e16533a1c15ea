// The agent's link on real gRPC over loopback, with a controller that is played by hand. Time is
// the fake clock's, so waits before the next try pass only when a test says so.

import assert from "node:assert";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { status } from "@grpc/grpc-js";
import type { AgentReport, Resource, Step } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";
import { acceptedPlan, agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import {
  AgentService,
  createRevisions,
  decodeFromAgent,
  decodeReport,
  encodeToAgent,
  type OutgoingUpdate,
  serviceDefinition,
  type ToAgent,
} from "@fairlead/wire";

import type { AcceptedPlan, ControllerLink } from "../ports.ts";
import { createControllerLink } from "./controller-link.ts";
import type { Dial, DialEvents } from "./dial.ts";
import { HandPlayedController, type HandPlayedStream } from "./hand-played-controller.ts";

const AGENT = agentName("lb1");
const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
const SERVICE = [
  LANE,
  vipOf("192.0.2.100", LANE),
  ...listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080"]),
];
const revisions = createRevisions();
const { sync: SYNC } = serviceDefinition(AgentService);
const WELCOME = { epoch: 1, version: "1", heartbeatIntervalMs: 10_000, reportKnown: false };

/** The update from nothing to these resources. */
function updateOf(resources: readonly Resource[], nonce = 1, epoch = 1): OutgoingUpdate {
  return {
    nonce,
    epoch,
    baseRevision: undefined,
    newRevision: acceptedPlan("lb1", resources).revision,
    upserts: resources.map((resource) => ({ resource, revision: revisions.revisionOf(resource) })),
    tombstones: [],
    confirmed: false,
  };
}

/** An update that leads to the plan which it is from. */
function nothingNew({ revision }: AcceptedPlan, nonce: number): OutgoingUpdate {
  return { ...updateOf([], nonce), baseRevision: revision, newRevision: revision };
}

/** Asks something, and sees that nothing but the answer comes. */
async function heardNoReport(stream: HandPlayedStream): Promise<void> {
  assert.deepEqual(stream.heard, []);
  stream.say({ kind: "inventory-wanted" });
  assert.notEqual((await stream.any()).kind, "report");
}

/** A report of a finished pass for this plan, every resource at `step`. */
function reportOf(plan: AcceptedPlan, sequence: number, step: Step = "serving"): AgentReport {
  const entries = [...plan.revisions].map(
    ([name, revision]) => [name, { name, revision, step, evidence: [] }] as const,
  );
  return {
    agent: AGENT,
    sequence,
    epoch: plan.epoch,
    planRevision: plan.revision,
    links: [],
    resources: new Map(entries),
    lanes: [],
    dataPlane: { generationsAlive: 1, keepalivedAlive: true, reloads: 0 },
    remarks: [],
  };
}

/** An agent that has nothing but its link. */
class Stage implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock();
  readonly log: string[] = [];
  readonly plans: AcceptedPlan[] = [];
  readonly connections: boolean[] = [];
  readonly link: ControllerLink;

  constructor(ports: number | readonly number[], held?: AcceptedPlan, dial?: Dial) {
    this.link = createControllerLink({
      ...(dial === undefined ? {} : { dial: () => dial }),
      agent: AGENT,
      addresses: [ports].flat().map((port) => `127.0.0.1:${port}`),
      credentials: { kind: "insecure" },
      clock: this.clock,
      log: createLogger({
        level: "warn",
        format: "json",
        destination: { write: (text) => void this.log.push(text) },
      }),
      revisions,
      random: () => 0.5,
    });
    this.link.start({
      hello: () => ({
        agent: AGENT,
        bootId: "b",
        version: "1",
        capabilities: ["vrrp"],
        links: [],
        epoch: held?.epoch ?? 0,
      }),
      held: () => held,
      onPlan: (plan) => void this.plans.push(plan),
      onConnectionChange: (connected) => void this.connections.push(connected),
    });
  }

  /** Lets time pass in small steps, real sockets working in between, until `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    for (let round = 0; round < 10_000 && !isDone(); round += 1) await this.clock.advance(1);
    assert.ok(isDone(), "it comes true");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    assert.equal(this.clock.pendingTimers(), 0, "no timer outlives the link");
  }
}

/** Takes the agent's next stream up to its welcome. */
async function welcomed(controller: HandPlayedController): Promise<HandPlayedStream> {
  const stream = await controller.stream();
  await stream.next("hello");
  stream.welcome();
  return stream;
}

/** What a controller says to agents that are not its own. */
function standBy({ call }: HandPlayedStream): void {
  const details = "this controller stands by";
  call.emit("error", Object.assign(new Error(details), { code: status.UNAVAILABLE, details }));
}

test("a plan is taken, and its steps are said as the reports prove them", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  stream.say({ kind: "update", update: updateOf(SERVICE) });
  assert.deepEqual((await stream.next("ack")).ack, { nonce: 1, step: "received", nacks: [] });
  const [plan] = stage.plans;
  assert.ok(plan);
  stage.link.report(reportOf(plan, 1, "applied"));
  assert.equal((await stream.next("ack")).ack.step, "applied");
  stage.link.report(reportOf(plan, 2));
  assert.equal((await stream.next("ack")).ack.step, "serving");
});

test("after each update one report is sent, also when it says nothing new", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  stream.say({ kind: "update", update: updateOf(SERVICE) });
  await stream.next("ack");
  const [plan] = stage.plans;
  assert.ok(plan);
  stage.link.report(reportOf(plan, 1));
  await stream.next("report");
  assert.equal((await stream.next("ack")).ack.step, "serving");
  stream.say({ kind: "update", update: nothingNew(plan, 2) });
  assert.equal((await stream.next("ack")).ack.nonce, 2);
  stage.link.report(reportOf(plan, 2));
  const { report } = await stream.next("report");
  assert.deepEqual([report.sequence, report.whole, report.resources], [2n, false, []]);
  assert.equal((await stream.next("ack")).ack.step, "serving");
  stage.link.report(reportOf(plan, 3));
  await heardNoReport(stream);
});

test("a report that waited for room is not sent once an update has come", async () => {
  const call = new FullCall();
  await using stage = new Stage(0, undefined, (events) => call.dial(events));
  call.say({ kind: "welcome", welcome: WELCOME });
  call.say({ kind: "update", update: updateOf(SERVICE) });
  const [plan] = stage.plans;
  assert.ok(plan);
  stage.link.report(reportOf(plan, 1));
  call.say({ kind: "update", update: nothingNew(plan, 2) });
  call.drain();
  assert.deepEqual(call.heard, ["hello", "ack", "ack"]);
  stage.link.report(reportOf(plan, 2));
  assert.deepEqual(call.heard, ["hello", "ack", "ack", "report", "ack"]);
});

/** A call that has no room for anything but what must be said, until it is drained. */
class FullCall {
  readonly heard: string[] = [];
  #events: DialEvents | undefined;
  #hasRoom = false;

  readonly dial: Dial = (events) => {
    this.#events = events;
    return {
      write: (message) => {
        const decoded = decodeFromAgent(message);
        if (decoded.kind === "ok") this.heard.push(decoded.value.kind);
        return this.#hasRoom;
      },
      close: () => undefined,
    };
  };

  say(message: ToAgent): void {
    this.#events?.onMessage(
      SYNC.responseDeserialize(SYNC.responseSerialize(encodeToAgent(message))),
    );
  }

  drain(): void {
    this.#hasRoom = true;
    this.#events?.onDrain();
  }
}

test("steps that were overtaken are not said", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  stream.say({ kind: "update", update: updateOf(SERVICE) });
  await stream.next("ack");
  const [plan] = stage.plans;
  assert.ok(plan);
  stage.link.report(reportOf(plan, 1));
  stage.link.report(reportOf(plan, 2, "applied"));
  stage.link.report(reportOf(plan, 3));
  assert.equal((await stream.next("ack")).ack.step, "serving");
  await stream.next("report");
  await stream.next("report");
  assert.deepEqual(stream.heard, []);
});

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

test("while the controller does not read, only the newest report waits", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  await stage.until(() => stage.link.connected);
  stream.call.pause();
  const plan = acceptedPlan("lb1", SERVICE);
  const last = 5_000;
  for (let sequence = 1; sequence <= last; sequence += 1) {
    // Large enough that the windows of HTTP/2 do not swallow them all.
    const remarks = [{ reason: "DataPlaneDown" as const, detail: `${sequence}`.padEnd(1000, ".") }];
    stage.link.report({ ...reportOf(plan, sequence), remarks });
    if (sequence % 10 === 0) await stage.clock.settle();
  }
  stream.call.resume();
  let known: AgentReport | undefined;
  let count = 0;
  while (known?.sequence !== last) {
    const { report } = await stream.next("report");
    const decoded = decodeReport(AGENT, report, known);
    assert.ok(decoded.kind === "ok");
    known = decoded.value.report;
    count += 1;
  }
  assert.ok(count < last / 2, `${count} of ${last} reports were sent`);
});

test("after a short break a controller that knows the report is not sent it again", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const first = await welcomed(controller);
  const report = reportOf(acceptedPlan("lb1", SERVICE), 1);
  stage.link.report(report);
  await first.next("report");
  first.call.end();
  await stage.until(() => controller.streams.length === 2);
  await controller.stream();
  const second = controller.streams[1];
  assert.ok(second);
  assert.match((await second.next("hello")).reportDigest ?? "", /^[0-9a-f]{32}$/);
  second.welcome(true);
  await stage.until(() => stage.link.connected);
  stage.link.report({ ...report, sequence: 2 });
  stage.link.report({ ...report, sequence: 3, epoch: 9 });
  const { report: difference } = await second.next("report");
  assert.equal(difference.whole, false);
  assert.equal(difference.resources.length, 0);
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
