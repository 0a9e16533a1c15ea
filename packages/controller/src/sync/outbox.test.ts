// What the outbox says in single situations that an operator would recognise.

import assert from "node:assert";
import { test } from "node:test";

import { type Resource } from "@fairlead/model";
import { servicesIn } from "@fairlead/testkit";

import { Bench, LANE, revisionOfPlan, revisions } from "./outbox-bench.ts";

const services = (count: number): readonly Resource[] => servicesIn(LANE, count);

test("a new agent gets the whole plan, with the epoch, from nothing", () => {
  const bench = new Bench().want(services(2)).hello();
  assert.equal(bench.last.baseRevision, undefined);
  assert.equal(bench.last.newRevision, revisionOfPlan(services(2)));
  assert.equal(bench.last.epoch, 3);
  assert.equal(bench.last.upserts.length, 7);
  assert.equal(bench.state, "behind: the newest plan is on its way");
  bench.ack();
  assert.equal(bench.state, "behind: the newest plan is being applied");
  bench.applied(services(2));
  assert.equal(bench.state, "in-sync");
});

test("an agent that has the plan is sent nothing, also by a controller that just started", () => {
  const bench = new Bench().want(services(2)).hello({ planRevision: revisionOfPlan(services(2)) });
  assert.deepEqual(bench.sent, []);
  assert.equal(bench.state, "in-sync");
});

test("an agent with another plan is asked what it has, and gets the difference alone", () => {
  const before = services(2);
  const bench = new Bench().want(services(3)).hello({ planRevision: revisionOfPlan(before) });
  assert.deepEqual(bench.sent, [{ kind: "inventory-wanted" }]);
  const all = [LANE, ...before];
  const inventory = new Map(all.map((one) => [one.name, revisions.revisionOf(one)]));
  bench.do({ kind: "inventory", inventory });
  assert.equal(bench.last.upserts.length, 3);
  assert.equal(bench.last.baseRevision, revisionOfPlan(before));
});

test("an agent that comes back to the same controller is not asked", () => {
  const bench = new Bench().want(services(2)).hello().ack().do({ kind: "gone" }).want(services(3));
  bench.hello({ planRevision: revisionOfPlan(services(2)) });
  assert.equal(bench.sent.length, 2);
  assert.equal(bench.last.upserts.length, 3);
});

test("what changes while an answer is awaited goes out as one difference", () => {
  const bench = new Bench().want(services(1)).hello();
  for (const count of [2, 3, 4, 5]) bench.want(services(count));
  assert.equal(bench.sent.length, 1);
  bench.ack();
  assert.equal(bench.sent.length, 2);
  assert.equal(bench.last.newRevision, revisionOfPlan(services(5)));
  assert.equal(bench.last.nonce, 2);
});

test("an agent that obeyed a later controller is left alone", () => {
  const bench = new Bench().want(services(1)).hello({ epoch: 4 });
  assert.deepEqual(bench.sent, []);
  assert.equal(bench.state, "rejected: the agent obeyed epoch 4, this controller has 3");
  bench.want(services(1), { epoch: 5 });
  assert.equal(bench.last.epoch, 5);
});

test("a wrong base leads to the question and then to a difference from the truth", () => {
  const bench = new Bench().want(services(1)).hello().ack({ refusal: "wrong-base" });
  assert.deepEqual(bench.sent.at(-1), { kind: "inventory-wanted" });
  bench.do({ kind: "inventory", inventory: new Map() });
  assert.equal(bench.last.baseRevision, revisions.planRevisionOf([]));
});

test("an update that was refused whole is not sent again until something differs", () => {
  const bench = new Bench().want(services(1)).hello().ack({ refusal: "invalid" });
  bench.want(services(1));
  assert.equal(bench.sent.length, 1);
  assert.match(bench.state, /^rejected: the agent finds that the plan does not hold together/);
  bench.want(services(2));
  assert.equal(bench.sent.length, 2);
});

test("a resource that was not taken is not offered again, and is named", () => {
  const [vip] = services(1);
  assert.ok(vip);
  const revision = revisions.revisionOf(vip);
  const problem = { reason: "BadField" as const, detail: "bad carrier", revision };
  const bench = new Bench().want(services(1)).hello();
  bench.ack({ step: "received", nacks: [{ name: vip.name, problem }] });
  bench.want(services(1));
  assert.equal(bench.sent.length, 1);
  assert.equal(bench.state, "rejected: vip/192.0.2.1: bad carrier");
  // Another build of the agent may take it.
  const planRevision = bench.outbox.held?.revision;
  bench.do({ kind: "gone" }).hello({ version: "2", ...(planRevision && { planRevision }) });
  assert.deepEqual(
    bench.last.upserts.map((one) => one.resource.name),
    [vip.name],
  );
});

test("what a daemon refused is named although the plan was taken", () => {
  const [, listener] = services(1);
  assert.ok(listener);
  const revision = revisions.revisionOf(listener);
  const remark = { reason: "PortTaken" as const, detail: "sshd has 0.0.0.0:80" };
  const bench = new Bench().want(services(1)).hello().ack();
  const applied = revisionOfPlan(services(1));
  const problems = new Map([[listener.name, { revision, remark }]]);
  bench.do({ kind: "reported", applied, problems, isNew: true });
  assert.equal(bench.state, "rejected: listener/192.0.2.1/tcp/80: sshd has 0.0.0.0:80");
  bench.do({ kind: "reported", applied, problems: new Map(), isNew: true });
  assert.equal(bench.state, "in-sync");
});
