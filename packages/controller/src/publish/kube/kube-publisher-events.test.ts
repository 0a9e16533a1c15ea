// What is told of Services by Events, when, and that a restart tells nothing twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Json } from "../../kube/object-fields.ts";
import { told } from "./publish-lines.ts";
import { leased, PublishStage, refused, served, waiting } from "./publish-stage.ts";

test("an Event has all that events.k8s.io asks for, and names the object", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  const [[key, event]] = [...stage.cluster.events] as [[string, Json]];
  assert.match(key, /^default\/web\.[0-9a-f]{16}$/u);
  const { regarding, ...rest } = event;
  assert.deepEqual(rest, {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { namespace: "default", name: key.slice("default/".length) },
    eventTime: "2026-01-01T00:00:00.002000Z",
    reportingController: "fairlead.io/controller",
    reportingInstance: "controller-0",
    action: "Allocate",
    reason: "AddressAllocated",
    type: "Normal",
    note: "192.0.2.10 is allocated (pool default).",
  });
  assert.deepEqual(regarding, {
    apiVersion: "v1",
    kind: "Service",
    namespace: "default",
    name: "web",
    uid: "uid-1",
    resourceVersion: "101",
  });
});

test("a refusal is told at once, in the four parts of every error", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("AddressTaken", 'held by "default/other"'));
  await stage.pass(50);
  assert.deepEqual(told(stage), [
    'Warning AddressTaken Refuse: The address asked for is held by another Service: held by "default/other". ' +
      "Ask for another one, or give both Services the same fairlead.io/sharing-key. [FL0205]",
  ]);
});

test("what waits is told after 3 s, and not again while it waits for the same", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  await stage.pass(2900);
  assert.deepEqual(told(stage), []);
  await stage.pass(3_600_000);
  assert.equal(told(stage).length, 1);
  assert.match(
    told(stage)[0] ?? "",
    /^Warning NoAgents Wait: No agent that may hold .* \[FL0401\]$/u,
  );
  stage.want("web", waiting("NoSegment"));
  await stage.pass(4000);
  assert.match(told(stage)[1] ?? "", /^Warning NoSegment Wait: /u);
});

test("a reason that changes all the time is told all the same", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  for (let i = 0; i < 5; i += 1) {
    stage.want("web", waiting(i % 2 === 0 ? "NoAgents" : "NoSegment"));
    await stage.pass(1000);
  }
  assert.equal(told(stage).length, 1);
});

test("a wait that is over soon is not told", async () => {
  await using stage = new PublishStage();
  stage.create("web", leased());
  await stage.pass(1500);
  stage.want("web", served());
  await stage.pass(60_000);
  assert.deepEqual(told(stage), [
    "Normal AddressAllocated Allocate: 192.0.2.10 is allocated (pool default).",
  ]);
});

const UNMET = {
  ...served(),
  unmet: true,
  main: { reason: "AddressOutsidePools", detail: "10.99.0.1 lies in no pool that is used" },
} as const;

test("a wish that is edited to one that cannot be had was told nowhere: its address stayed", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass(10_000);
  stage.want("web", UNMET);
  await stage.pass(2900);
  assert.equal(told(stage).length, 1);
  await stage.pass(60_000);
  assert.deepEqual(told(stage).slice(1), [
    "Warning AddressOutsidePools Wait: The address asked for lies in no pool that may serve this " +
      "Service: 10.99.0.1 lies in no pool that is used. " +
      "Ask for an address of a pool, or add it to one. [FL0204]",
  ]);
  stage.want("web", served());
  await stage.pass(60_000);
  assert.equal(told(stage).length, 2);
});

test("members that are missing are told when it lasts", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.want("web", { ...served(), memberless: true });
  await stage.pass(2000);
  stage.want("web", served());
  await stage.pass(10_000);
  assert.equal(told(stage).length, 1);
  stage.want("web", { ...served(), memberless: true });
  await stage.pass(3100);
  assert.match(
    told(stage)[1] ?? "",
    /^Warning NoMembers Check: .*80\/TCP has no member\. .* \[FL0501\]$/u,
  );
});

test("that no node is selected is told as the cause of lacking members", async () => {
  await using stage = new PublishStage();
  const main = { reason: "NoMembers", detail: "no Ready node matches" } as const;
  stage.create("web", { ...served(), memberless: true, main });
  await stage.pass(60_000);
  assert.match(told(stage).at(-1) ?? "", /80\/TCP has no member\.; no Ready node matches/u);
});

test("a daemon's refusal is told in its own words", async () => {
  await using stage = new PublishStage();
  const detail = "on lb-1: nginx: [emerg] unknown directive";
  stage.create("web", { ...leased(), main: { reason: "ConfigRejected", detail } });
  await stage.pass(60_000);
  const [allocated, rejected, ...more] = told(stage);
  assert.match(allocated ?? "", /AddressAllocated/u);
  assert.match(
    rejected ?? "",
    /^Warning ConfigRejected Configure: .*on lb-1: nginx: \[emerg\] unknown directive\. /u,
  );
  assert.deepEqual(more, []);
});

const FATES = [
  { name: "served", fate: served() },
  { name: "refused", fate: refused("NoPool") },
  { name: "waiting", fate: waiting("NoAgents") },
  { name: "served otherwise than it asks for", fate: UNMET },
  { name: "without members", fate: { ...served(), memberless: true } },
  {
    name: "refused by a daemon",
    fate: { ...leased(), main: { reason: "ConfigRejected", detail: "no" } as const },
  },
];

for (const { name, fate } of FATES) {
  test(`a restart of the controller tells nothing twice: ${name}`, async () => {
    await using stage = new PublishStage();
    stage.create("web", fate);
    await stage.pass(30_000);
    assert.notEqual(told(stage).length, 0);
    stage.wrote();
    await stage.restart();
    await stage.pass(60_000);
    assert.deepEqual(stage.wrote(), []);
  });
}

test("what began while no controller ran is told", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  await stage.pass();
  stage.wrote();
  await stage.restart();
  stage.want("web", waiting("NoAgents"));
  await stage.pass(5000);
  assert.ok(stage.wrote().includes("event web NoAgents"));
});

test("a wait that an earlier life saw begin is told in time", async () => {
  await using stage = new PublishStage();
  stage.create("web", waiting("NoAgents"));
  await stage.pass(1500);
  await stage.restart();
  await stage.pass(2000);
  assert.equal(told(stage).length, 1);
});
