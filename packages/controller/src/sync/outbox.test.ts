// What the outbox says in single situations that an operator would recognise.

import assert from "node:assert";
import { test } from "node:test";
import type {
  Address,
  AgentHello,
  AgentName,
  LeasedAddress,
  NodePlan,
  Resource,
} from "@fairlead/model";
import { parsePoolName, parseClaimId, present } from "@fairlead/model";
import { address, agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { type Ack, createRevisions } from "@fairlead/wire";

import {
  EMPTY_OUTBOX,
  mayStillGet,
  type Outbox,
  outboxContext,
  type OutboxMessage,
  stepOutbox,
} from "./outbox.ts";
import { syncStateOf } from "./sync-state.ts";
import { findUnconfirmed, NOTHING_DELIVERED, wantedPlan } from "./wanted-plan.ts";

const AGENT = agentName("lb1");
const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
const revisions = createRevisions();
const context = outboxContext(revisions);
const { planRevisionOf } = revisions;

/** VIPs 192.0.2.1 to .count with a port each, in one lane. */
function services(count: number): readonly Resource[] {
  return Array.from({ length: count }, (_, i) => vipOf(`192.0.2.${i + 1}`, LANE)).flatMap((vip) => [
    vip,
    ...listenerOf(`${vip.address}:80`, ["10.0.0.1:8080"]),
  ]);
}

function planOf(resources: readonly Resource[]): Parameters<typeof wantedPlan>[0] {
  const all = [LANE, ...resources];
  return { agent: AGENT, resources: new Map(all.map((one) => [one.name, one])), retained: [] };
}

function revisionOfPlan(resources: readonly Resource[]): ReturnType<typeof planRevisionOf> {
  const all = [LANE, ...resources];
  return planRevisionOf(all.map((one) => [one.name, revisions.revisionOf(one)]));
}

function helloWith(parts: Partial<AgentHello>): AgentHello {
  const base = { agent: AGENT, bootId: "b", version: "1", capabilities: [], links: [], epoch: 0 };
  return { ...base, ...parts };
}

/** An outbox under test with what it sent. */
class Bench {
  outbox: Outbox = EMPTY_OUTBOX;
  readonly sent: OutboxMessage[] = [];

  do(event: Parameters<typeof stepOutbox>[1]): this {
    const { outbox, send } = stepOutbox(this.outbox, event, context);
    this.outbox = outbox;
    if (send !== undefined) this.sent.push(send);
    return this;
  }

  want(
    resources: readonly Resource[],
    options: { epoch?: number; unconfirmed?: ReadonlySet<Address> } = {},
  ): this {
    const { epoch = 3, unconfirmed = new Set<Address>() } = options;
    const wanted = wantedPlan(planOf(resources), { epoch, unconfirmed, revisions });
    return this.do({ kind: "wanted", wanted });
  }

  hello(parts: Partial<AgentHello> = {}): this {
    return this.do({ kind: "hello", hello: helloWith(parts) });
  }

  ack(answer: Partial<Ack> = { step: "received" }): this {
    const nonce = this.outbox.inFlight?.update.nonce ?? 0;
    return this.do({ kind: "ack", ack: { nonce, nacks: [], ...answer } });
  }

  applied(resources: readonly Resource[]): this {
    const applied = revisionOfPlan(resources);
    return this.do({ kind: "reported", applied, problems: new Map(), isNew: true });
  }

  get last(): Extract<OutboxMessage, { kind: "update" }>["update"] {
    const message = this.sent.at(-1);
    if (message?.kind !== "update") assert.fail("the last message is an update");
    return message.update;
  }

  get state(): string {
    const { state, detail } = syncStateOf(this.outbox, planRevisionOf);
    return detail === "" ? state : `${state}: ${detail}`;
  }
}

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
  assert.equal(bench.last.baseRevision, planRevisionOf([]));
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

const removals: readonly {
  readonly name: string;
  readonly vips: number;
  readonly going: number;
  readonly unconfirmed: boolean;
  readonly tombstones: number;
  readonly confirmed: boolean;
}[] = [
  {
    name: "ended claims, many",
    vips: 60,
    going: 60,
    unconfirmed: false,
    tombstones: 180,
    confirmed: true,
  },
  {
    name: "held by claims, few",
    vips: 60,
    going: 12,
    unconfirmed: true,
    tombstones: 36,
    confirmed: false,
  },
  {
    name: "held by claims, too many",
    vips: 60,
    going: 13,
    unconfirmed: true,
    tombstones: 0,
    confirmed: true,
  },
  {
    name: "held by claims, the last ten",
    vips: 10,
    going: 10,
    unconfirmed: true,
    tombstones: 30,
    confirmed: false,
  },
];

for (const { name, vips, going, unconfirmed, tombstones, confirmed } of removals) {
  test(`VIPs that go: ${name}`, () => {
    const all = services(vips);
    const staying = services(vips - going);
    const bench = new Bench().want(all).hello().ack();
    const gone = Array.from({ length: going }, (_, i) => address(`192.0.2.${vips - i}`));
    bench.want(staying, { unconfirmed: new Set(unconfirmed ? gone : []) });
    const sent = bench.sent.length > 1 ? bench.last : undefined;
    assert.equal(sent?.tombstones.length ?? 0, tombstones);
    assert.equal(sent?.confirmed ?? true, confirmed);
    if (tombstones === 0) assert.match(bench.state, /^rejected: 13 VIPs stay/);
  });
}

test("a VIP that moved to another agent, or whose claim ended, goes confirmed", () => {
  const claim = present(parseClaimId("service/default/web"), "a claim");
  const lease = (text: string, state: LeasedAddress["state"]): [Address, LeasedAddress] => [
    address(text),
    {
      address: address(text),
      pool: present(parsePoolName("default"), "a pool"),
      owners: [],
      lastClaim: claim,
      placement: { kind: "unplaced" },
      sentTo: [AGENT],
      state,
      published: true,
      sinceMs: 0,
    },
  ];
  const other = agentName("lb2");
  const plans = (own: readonly string[]): Map<AgentName, NodePlan> =>
    new Map([[other, { ...planOf(own.map((text) => vipOf(text, LANE))), agent: other }]]);
  const first = findUnconfirmed(NOTHING_DELIVERED, {
    epoch: 1,
    plans: plans(["192.0.2.1"]),
    leases: new Map([
      lease("192.0.2.1", { kind: "held" }),
      lease("192.0.2.2", { kind: "held" }),
      lease("192.0.2.3", { kind: "draining", sinceMs: 0 }),
    ]),
  });
  assert.deepEqual([...first.unconfirmed], [address("192.0.2.2")]);
  const { leases } = first.delivery;
  const moved = findUnconfirmed(first, { epoch: 1, plans: plans(["192.0.2.2"]), leases });
  assert.deepEqual([...moved.unconfirmed], [address("192.0.2.1")]);
  const none = findUnconfirmed(moved, { epoch: 1, plans: plans([]), leases: new Map() });
  assert.deepEqual([...none.unconfirmed], []);
});
