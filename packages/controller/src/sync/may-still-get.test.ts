// Whether an agent may still get or have a VIP, by what was sent to it and what it reported since.

import assert from "node:assert";
import { test } from "node:test";

import { present, type Resource } from "@fairlead/model";
import { servicesIn } from "@fairlead/testkit";

import { mayStillGet } from "./outbox.ts";
import { Bench, LANE, revisionOfPlan } from "./outbox-bench.ts";

const services = (count: number): readonly Resource[] => servicesIn(LANE, count);

const VIP = present(
  services(1).find(({ kind }) => kind === "vip"),
  "a service has a VIP",
).name;

test("a VIP may still be there until a report of the plan without it", () => {
  const bench = new Bench().want(services(1)).hello();
  assert.equal(mayStillGet(bench.outbox, VIP), true, "on its way");
  bench.ack().applied(services(1));
  assert.equal(mayStillGet(bench.outbox, VIP), true, "there");
  bench.want([]).ack();
  assert.equal(mayStillGet(bench.outbox, VIP), true, "answered, and not reported");
  bench.applied(services(1));
  assert.equal(mayStillGet(bench.outbox, VIP), true, "the report is of the plan before");
  bench.applied([]);
  assert.equal(mayStillGet(bench.outbox, VIP), false);
});

test("a VIP that waits behind an update may be sent before the plan that takes it out", () => {
  const bench = new Bench().want([]).hello().ack().applied([]);
  const [other] = services(2)
    .filter(({ kind }) => kind === "vip")
    .slice(1);
  assert.ok(other);
  bench.want([other]).want([...services(1), other]);
  assert.equal(mayStillGet(bench.outbox, VIP), true, "the answer sends it");
  bench.want([other]);
  assert.equal(mayStillGet(bench.outbox, VIP), false, "it waits no more");
  bench.ack();
  assert.equal(mayStillGet(bench.outbox, VIP), true, "the report is of the plan before");
  bench.applied([other]);
  assert.equal(mayStillGet(bench.outbox, VIP), false);
});

test("a controller that ended while a VIP went: the next one waited for a report that never came", () => {
  const planRevision = revisionOfPlan([]);
  const bench = new Bench().hello({ planRevision });
  assert.equal(mayStillGet(bench.outbox, VIP), true, "nothing is reported yet");
  bench.applied([]);
  assert.equal(mayStillGet(bench.outbox, VIP), false, "the report is of the plan that it has");
  bench.want(services(1));
  assert.equal(mayStillGet(bench.outbox, VIP), true, "it gets it once it said what it has");
  const behind = new Bench().hello({ planRevision }).applied(services(1));
  assert.equal(mayStillGet(behind.outbox, VIP), true, "the report is of another plan");
  bench.do({ kind: "gone" });
  assert.equal(mayStillGet(bench.outbox, VIP), true);
});

test("a report from before a VIP came and went again proves nothing", () => {
  const bench = new Bench().want([]).hello().ack().applied([]);
  assert.equal(mayStillGet(bench.outbox, VIP), false);
  bench.want(services(1)).ack().want([]).ack();
  assert.equal(mayStillGet(bench.outbox, VIP), true);
  bench.applied([]);
  assert.equal(mayStillGet(bench.outbox, VIP), false);
});

test("a report of an earlier stream proves nothing of what came after it", () => {
  const bench = new Bench().want([]).hello().ack().applied([]);
  const known = { kind: "reported", applied: revisionOfPlan([]), problems: new Map() } as const;
  bench.do({ kind: "gone" }).hello({ planRevision: revisionOfPlan([]) });
  bench.do({ ...known, isNew: false });
  assert.equal(mayStillGet(bench.outbox, VIP), true);
  bench.do({ ...known, isNew: true });
  assert.equal(mayStillGet(bench.outbox, VIP), false);
});
