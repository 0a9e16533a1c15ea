// Reports and the steps that they prove, on an agent's link with a controller that is played by
// hand: what is said, what was overtaken, and what waits while nobody reads.

import assert from "node:assert";
import { test } from "node:test";

import type { AgentReport, Step } from "@fairlead/model";
import { acceptedPlan, planOfServices } from "@fairlead/testkit";
import {
  AgentService,
  decodeFromAgent,
  decodeReport,
  encodeToAgent,
  type OutgoingUpdate,
  serviceDefinition,
  type ToAgent,
} from "@fairlead/wire";

import type { AcceptedPlan } from "../ports.ts";
import type { Dial, DialEvents } from "./dial.ts";
import { HandPlayedController, type HandPlayedStream } from "./hand-played-controller.ts";
import { AGENT, Stage, updateOf, WELCOME, welcomed } from "./link-stage.ts";

const SERVICE = [...planOfServices(1).resources.values()];
const { sync: SYNC } = serviceDefinition(AgentService);

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

test("a controller that asks hears at once what a new look has shown, or that nothing has", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  const plan = acceptedPlan("lb1", SERVICE);
  await stage.until(() => stage.link.connected);
  stage.link.report(reportOf(plan, 1));
  await stream.next("report");
  stream.say({ kind: "heartbeat", wish: undefined });
  stream.say({ kind: "heartbeat", wish: "answer" });
  assert.equal((await stream.any()).kind, "heartbeat");

  // What is lost is seen by the look, and reported before the answer.
  stage.look = () => {
    stage.link.report(reportOf(plan, 2, "applied"));
    return Promise.resolve();
  };
  stream.say({ kind: "heartbeat", wish: "answer" });
  assert.equal((await stream.any()).kind, "report");
  assert.equal((await stream.any()).kind, "heartbeat");

  stage.look = () => Promise.reject(new Error("the agent ends"));
  stream.say({ kind: "heartbeat", wish: "answer" });
  await heardNoReport(stream);
  assert.equal(stage.announcements, 0);
});

test("a controller that asks for it has an agent tell its segments, and needs no answer", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  stage.look = () => Promise.reject(new Error("nobody looks"));
  stream.say({ kind: "heartbeat", wish: "announcement" });
  await heardNoReport(stream);
  assert.equal(stage.announcements, 1);
});

test("an agent that is withdrawn says so last, and waits until the controller has heard it", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  const stream = await welcomed(controller);
  await stage.until(() => stage.link.connected);
  let hasLeft = false;
  const left = stage.link.leave().then(() => (hasLeft = true));
  stage.link.report(reportOf(acceptedPlan("lb1", SERVICE), 1));
  assert.equal((await stream.any()).kind, "leaving");
  stream.say({ kind: "inventory-wanted" });
  await stage.clock.advance(500);
  assert.equal(hasLeft, false, "the controller did not end the stream yet");
  const beganMs = stage.clock.nowMs();
  stream.call.end();
  await left;
  assert.equal(stage.clock.nowMs(), beganMs);
  assert.deepEqual(stream.heard, [], "nothing is said afterwards");
  await stage.clock.advance(60_000);
  assert.equal(controller.streams.length, 1, "and it does not come back");
});

test("an agent that is withdrawn waits less than a second for its controller", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  await welcomed(controller);
  await stage.until(() => stage.link.connected);
  const left = stage.link.leave();
  await stage.clock.advance(999);
  await left;
});

test("an agent that is withdrawn while no controller answers has nobody to wait for", async () => {
  await using controller = await new HandPlayedController().start();
  await using stage = new Stage(controller.port);
  await (await controller.stream()).next("hello");
  await stage.link.leave();
});
