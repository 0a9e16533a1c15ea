// What an agent takes and what it refuses, each case an update that some controller might send.

import assert from "node:assert";
import { test } from "node:test";
import type { Resource, ResourceName } from "@fairlead/model";
import { acceptedPlan, agentName, laneOf, listenerOf, vipOf } from "@fairlead/testkit";
import { createRevisions, type IncomingUpdate } from "@fairlead/wire";

import type { AcceptedPlan } from "../ports.ts";
import { type Received, receiveUpdate } from "./plan-receiver.ts";

const LANE = laneOf({ routerId: 51, order: ["lb1=192.0.2.11"] });
const OTHER_LANE = laneOf({ routerId: 52, order: ["lb1=192.0.2.11"] });
const VIP = vipOf("192.0.2.100", LANE);
const [LISTENER, MEMBERS] = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080"]);
const revisions = createRevisions();

/** The update that leads from one plan to another, as a right controller makes it. */
function updateTo(
  next: readonly Resource[],
  held: AcceptedPlan | undefined,
  change: Partial<IncomingUpdate> = {},
): IncomingUpdate {
  const goal = acceptedPlan("lb1", next);
  const revised = next.map((resource) => ({ resource, revision: revisions.revisionOf(resource) }));
  const names = new Set<ResourceName>(next.map((resource) => resource.name));
  return {
    nonce: 1,
    epoch: 3,
    baseRevision: held?.revision,
    newRevision: goal.revision,
    upserts: revised.filter(
      ({ resource, revision }) => held?.revisions.get(resource.name) !== revision,
    ),
    tombstones: [...(held?.revisions.keys() ?? [])].filter((name) => !names.has(name)),
    confirmed: false,
    unreadable: [],
    ...change,
  };
}

function receive(update: IncomingUpdate, held?: AcceptedPlan, epoch = 0): Received {
  return receiveUpdate({ agent: agentName("lb1"), held, epoch, update, revisions });
}

function vips(count: number): readonly Resource[] {
  return [LANE, ...Array.from({ length: count }, (_, i) => vipOf(`192.0.2.${i + 1}`, LANE))];
}

const ALL = [LANE, VIP, LISTENER, MEMBERS];

test("the first plan is taken whole, with its epoch and its hashes", () => {
  const received = receive(updateTo(ALL, undefined));
  const { plan, revision, revisions: hashes } = acceptedPlan("lb1", ALL, 3);
  assert.equal(received.kind, "accepted");
  assert.deepEqual(received.kind === "accepted" && received.plan.plan.resources, plan.resources);
  assert.equal(received.kind === "accepted" && received.plan.revision, revision);
  assert.deepEqual(received.kind === "accepted" && received.plan.revisions, hashes);
  assert.equal(received.kind === "accepted" && received.plan.epoch, 3);
});

const refusals: readonly {
  readonly name: string;
  readonly update: IncomingUpdate;
  readonly held?: AcceptedPlan;
  readonly epoch?: number;
  readonly refusal: string;
}[] = [
  {
    name: "an epoch below the one that was obeyed",
    update: updateTo(ALL, undefined),
    epoch: 4,
    refusal: "stale-epoch",
  },
  {
    name: "an epoch below the one of the plan on the disk",
    update: updateTo(ALL, acceptedPlan("lb1", [LANE], 4)),
    held: acceptedPlan("lb1", [LANE], 4),
    refusal: "stale-epoch",
  },
  {
    name: "a difference from a plan that is not held",
    update: updateTo(ALL, acceptedPlan("lb1", [LANE])),
    held: acceptedPlan("lb1", [OTHER_LANE]),
    refusal: "wrong-base",
  },
  {
    name: "a difference from nothing when a plan is held",
    update: updateTo(ALL, undefined),
    held: acceptedPlan("lb1", [LANE]),
    refusal: "wrong-base",
  },
  {
    name: "a lane taken away from under its VIP",
    update: updateTo([VIP], acceptedPlan("lb1", [LANE, VIP])),
    held: acceptedPlan("lb1", [LANE, VIP]),
    refusal: "invalid",
  },
  {
    name: "members taken away from their listener",
    update: updateTo([LISTENER], acceptedPlan("lb1", [LISTENER, MEMBERS])),
    held: acceptedPlan("lb1", [LISTENER, MEMBERS]),
    refusal: "invalid",
  },
  {
    name: "a result that is not the plan announced",
    update: updateTo(ALL, undefined, { newRevision: acceptedPlan("lb1", [LANE]).revision }),
    refusal: "invalid",
  },
  {
    name: "eleven of eleven VIPs gone, confirmed by nobody",
    update: updateTo([LANE], acceptedPlan("lb1", vips(11))),
    held: acceptedPlan("lb1", vips(11)),
    refusal: "unconfirmed-removal",
  },
  {
    name: "21 of 100 VIPs gone, confirmed by nobody",
    update: updateTo(vips(79), acceptedPlan("lb1", vips(100))),
    held: acceptedPlan("lb1", vips(100)),
    refusal: "unconfirmed-removal",
  },
];

for (const { name, update, held, epoch, refusal } of refusals) {
  test(`refuses ${name}`, () => {
    const received = receive(update, held, epoch);
    assert.equal(received.kind === "refused" && received.refusal, refusal);
  });
}

const removals: readonly { readonly name: string; readonly from: number; readonly to: number }[] = [
  { name: "ten of ten VIPs", from: 10, to: 0 },
  { name: "20 of 100 VIPs", from: 100, to: 80 },
];

for (const { name, from, to } of removals) {
  test(`lets ${name} go unconfirmed`, () => {
    const held = acceptedPlan("lb1", vips(from));
    assert.equal(receive(updateTo(vips(to), held), held).kind, "accepted");
  });
}

test("lets everything go that was confirmed", () => {
  const held = acceptedPlan("lb1", vips(100));
  const update = updateTo([], held, { confirmed: true });
  assert.equal(receive(update, held).kind, "accepted");
});

test("takes the rest when one resource cannot be read, and keeps what it had of it", () => {
  const held = acceptedPlan("lb1", ALL);
  const revision = acceptedPlan("lb1", [OTHER_LANE]).revision;
  const problem = { reason: "BadField" as const, detail: "listener: bad balance", revision };
  const update = updateTo([...ALL, OTHER_LANE], held, {
    unreadable: [{ name: LISTENER.name, problem }],
  });
  const received = receive(update, held);
  assert.ok(received.kind === "accepted");
  assert.deepEqual(received.nacks, [{ name: LISTENER.name, problem }]);
  assert.equal(received.plan.plan.resources.get(LISTENER.name), LISTENER);
  assert.ok(received.plan.plan.resources.has(OTHER_LANE.name));
});

test("does not take a content that does not hash to its revision, nor what needs it", () => {
  const update = updateTo([LISTENER, MEMBERS], undefined);
  const upserts = update.upserts.map((one) =>
    one.resource === MEMBERS ? { ...one, revision: revisions.revisionOf(LISTENER) } : one,
  );
  const received = receive({ ...update, upserts });
  assert.ok(received.kind === "accepted");
  assert.deepEqual(
    received.nacks.map((nack) => nack.problem.detail),
    ["the content does not hash to its revision", `it needs ${MEMBERS.name}, which is not there`],
  );
  assert.equal(received.plan.plan.resources.size, 0);
});
