// The feed of members reads of a plan what differs from the one before: whatever plans come, in
// whatever order and with whatever failures, the table has what the last plan says, as if it had
// been read whole; and a change among ten thousand listeners looks at a handful of resources. A
// failure prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Address,
  type Resource,
  type ResourceName,
  type Revision,
  editMap,
} from "@fairlead/model";
import { acceptedPlan, agentName, createFakeMemberTable, listenerOf } from "@fairlead/testkit";
import { createLogger } from "@fairlead/runtime";
import { createRevisions } from "@fairlead/wire";
import fc from "fast-check";

import type { Applied } from "./applied.ts";
import { createMemberFeed, withPlace } from "./member-feed.ts";
import type { AcceptedPlan, MemberTable, PlacedMembers } from "./ports.ts";
import { servedListeners } from "./served-listeners.ts";

type Change = readonly (readonly [at: string, members: readonly string[] | undefined])[];

/** A few listeners that come, change and go, among as many others as make patched maps. */
const arbChanges: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.array(
    fc.tuple(
      fc.constantFrom("192.0.2.1:80/tcp", "192.0.2.1:53/udp", "192.0.2.2:80/tcp"),
      fc.option(fc.subarray(["10.0.0.1:80", "10.0.0.2:80", "fd00::1:80"]), { nil: undefined }),
    ),
    { maxLength: 3 },
  ),
  { maxLength: 12 },
);

const { revisionOf } = createRevisions();
const LOG = createLogger({ level: "silent", format: "json" });

function changed(held: AcceptedPlan, change: Change): AcceptedPlan {
  const resources = editMap(held.plan.resources);
  const revisions = editMap(held.revisions);
  for (const [at, members] of change) {
    for (const resource of listenerOf(at, members ?? [])) {
      if (members === undefined) {
        resources.delete(resource.name);
        revisions.delete(resource.name);
        continue;
      }
      resources.set(resource.name, resource);
      revisions.set(resource.name, revisionOf(resource));
    }
  }
  const plan = { agent: agentName("lb1"), resources: resources.done(), retained: [] };
  return { ...held, plan, revisions: revisions.done() };
}

function others(count: number): readonly Resource[] {
  return Array.from({ length: count }, (_, at) => {
    return listenerOf(`198.51.100.1:${at + 1}/tcp`, ["10.0.0.1:8080"]);
  }).flat();
}

/** What the table was filled with last. */
function recorded(table: MemberTable): MemberTable & { filled: ReadonlyMap<Address, unknown> } {
  return {
    ...table,
    filled: new Map(),
    async fill(listeners) {
      await table.fill(listeners);
      this.filled = new Map(listeners);
    },
  };
}

/** What a table has to have: what is placed, and of what is served whoever else is. */
function toBeFilled(placed: readonly PlacedMembers[], served: Applied["listeners"]): unknown {
  const filled = new Map<Address, unknown>(placed.map((one) => [one.place.service, one]));
  for (const entry of served.values()) {
    const service = entry.place?.service;
    if (service !== undefined && !filled.has(service)) filled.set(service, entry);
  }
  return filled;
}

test("after any plans and failures the table has what the last plan says", async () => {
  const arbFailures = fc.array(fc.constantFrom("members.place", "members.fill", ""));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 300), arbChanges, arbFailures, async (size, ...rest) => {
      const [changes, failures] = rest;
      const due = [...failures];
      let failing: string | undefined;
      const fake = createFakeMemberTable((call) => {
        if (call === failing) throw new Error("it fails");
      });
      const table = recorded(fake.table);
      const feed = createMemberFeed(table, LOG);
      let wanted = acceptedPlan("lb1", others(size));
      let served: Applied["listeners"] = new Map();
      for (const change of changes) {
        wanted = changed(wanted, change);
        failing = due.pop();
        const before = feed.fed;
        const places = await feed.feed(wanted, served);
        if (feed.remarks.length > 0) {
          assert.deepEqual(feed.fed, before);
          assert.deepEqual(new Map(feed.waiting), toWait(wanted, places, before));
          continue;
        }
        assert.equal(feed.waiting.size, 0);
        const entries = servedListeners(wanted).map((one) => withPlace(one, places));
        const placed = entries.filter((one): one is typeof one & PlacedMembers => "place" in one);
        assert.deepEqual(table.filled, toBeFilled(placed, served));
        const fed = placed.map(({ listener, membersRevision }) => [listener.name, membersRevision]);
        assert.deepEqual(new Map(feed.fed), new Map(fed as [ResourceName, Revision][]));
        // nginx follows now and then.
        if (change.length !== 1) served = new Map(entries.map((one) => [one.listener.name, one]));
      }
    }),
    { numRuns: 60 },
  );
});

/** Of what has a place, all but what the table has already, with the words of the failure. */
function toWait(
  wanted: AcceptedPlan,
  places: ReadonlyMap<ResourceName, unknown>,
  fed: ReadonlyMap<ResourceName, Revision>,
): unknown {
  const left = servedListeners(wanted).filter(
    ({ listener, membersRevision }) =>
      places.has(listener.name) && fed.get(listener.name) !== membersRevision,
  );
  const said = { reason: "DataPlaneDown", detail: "it fails" };
  return new Map(
    left.map(({ listener, membersRevision: revision }) => [
      listener.members,
      { ...said, revision },
    ]),
  );
}

/** Counts what is read of it. */
class CountedMap<Key, Value> extends Map<Key, Value> {
  reads = 0;

  override get(key: Key): Value | undefined {
    this.reads += 1;
    return super.get(key);
  }

  override has(key: Key): boolean {
    this.reads += 1;
    return super.has(key);
  }

  override entries(): MapIterator<[Key, Value]> {
    this.reads += this.size;
    return super.entries();
  }

  override values(): MapIterator<Value> {
    this.reads += this.size;
    return super.values();
  }

  override [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries();
  }
}

test("a member among ten thousand listeners costs a handful of looks", async () => {
  const first = acceptedPlan("lb1", others(10_000));
  const resources = new CountedMap(first.plan.resources);
  const wanted = { ...first, plan: { ...first.plan, resources } };
  const { table } = createFakeMemberTable(() => undefined);
  const feed = createMemberFeed(table, LOG);
  const served: Applied["listeners"] = new Map();
  await feed.feed(wanted, served);
  assert.ok(resources.reads > 10_000, `${resources.reads} reads of the first plan`);
  resources.reads = 0;
  const at = "198.51.100.1:4711/tcp";
  const [{ name }, members] = listenerOf(at, ["10.0.0.2:8080"]);
  await feed.feed(changed(wanted, [[at, ["10.0.0.2:8080"]]]), served);
  assert.equal(feed.fed.get(name), revisionOf(members));
  assert.ok(resources.reads < 20, `${resources.reads} reads`);
});
