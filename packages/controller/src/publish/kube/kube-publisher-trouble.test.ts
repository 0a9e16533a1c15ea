// A server that is away, that forbids or that refuses: what is tried, how often, and what is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeAgent } from "@fairlead/testkit";

import type { KubeRequest } from "../../kube/kube-client.ts";
import { answerError, type KubeError, socketError } from "../../kube/kube-errors.ts";
import { lackOfRight, refusal } from "../../kube/memory-refusals.ts";
import { told as eventsOf } from "./publish-lines.ts";
import { leased, PublishStage, served } from "./publish-stage.ts";

const unreachable = (request: KubeRequest): KubeError => socketError(request, new Error("refused"));
const throttled = (request: KubeRequest): KubeError =>
  answerError(request, { status: 429, retryAfter: "20", body: { message: "too many requests" } });

test("a server that is away for a minute is left alone, and then all is written once", async () => {
  await using stage = new PublishStage();
  for (let i = 1; i <= 50; i += 1) stage.create(`web-${i}`, served(`192.0.2.${i}`));
  let isAway = true;
  stage.cluster.fail = (request) => (isAway ? unreachable(request) : undefined);
  await stage.pass(60_000);
  const tries = stage.wrote().length;
  assert.ok(tries < 60, `${tries} tries in a minute`);
  isAway = false;
  await stage.clock.advance(35_000);
  assert.equal(stage.wrote().length, 150);
  assert.deepEqual(stage.shows("web-50"), ["192.0.2.50"]);
});

test("a server that is away for half an hour is asked seldom, and then all is written once", async () => {
  await using stage = new PublishStage();
  stage.create("web-0", served("192.0.2.100"));
  await stage.pass();
  let isAway = true;
  stage.cluster.fail = (request) => (isAway ? unreachable(request) : undefined);
  for (let i = 1; i <= 50; i += 1) stage.create(`web-${i}`, served(`192.0.2.${i}`));
  stage.wrote();
  const perMinute: number[] = [];
  for (let minute = 0; minute < 30; minute += 1) {
    await stage.pass(60_000);
    perMinute.push(stage.wrote().length);
  }
  // Services and Events are each tried by themselves, twice in half a minute.
  assert.ok(Math.max(...perMinute.slice(1)) <= 12, `tries in each minute: ${perMinute.join()}`);
  assert.ok(Math.min(...perMinute) >= 2, `tries in each minute: ${perMinute.join()}`);
  assert.deepEqual(stage.shows("web-0"), ["192.0.2.100"]);
  isAway = false;
  await stage.clock.advance(35_000);
  const wrote = stage.wrote();
  assert.equal(wrote.length, 100, "Events of half an hour ago are no news any more");
  assert.equal(new Set(wrote).size, 100);
  assert.equal(stage.dropped, 50);
  assert.deepEqual(stage.shows("web-50"), ["192.0.2.50"]);
});

test("a server that answers ten seconds late is written to once, and told no trouble", async () => {
  await using stage = new PublishStage();
  const { client } = stage.cluster;
  const send = client.request.bind(client);
  client.request = async (request, signal) => {
    await stage.clock.sleep(10_000, signal);
    return send(request, signal);
  };
  stage.create("web", served());
  await stage.pass(9000);
  assert.deepEqual(stage.wrote(), []);
  await stage.pass(120_000);
  assert.deepEqual(stage.wrote().toSorted(), [
    "event web AddressAllocated",
    "hold web",
    "status web 192.0.2.10",
  ]);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.deepEqual(stage.troubles, []);
});

test("a server that asks to be left alone is", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  stage.cluster.fail = (request) => throttled(request);
  await stage.pass(19_000);
  assert.equal(stage.wrote().length, 2, "one write and one Event");
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(10_000);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
});

const USER = "system:serviceaccount:fairlead:controller";

test("a right that is missing is told once, and what waited goes when it is given", async () => {
  await using stage = new PublishStage();
  for (let i = 1; i <= 100; i += 1) stage.create(`web-${i}`, served(`192.0.2.${i}`));
  let isForbidden = true;
  stage.cluster.fail = (request) =>
    isForbidden && request.path.endsWith("/status") ? lackOfRight(request, USER) : undefined;
  await stage.pass(600_000);
  const tries = stage.results.filter((result) => result === "status forbidden").length;
  assert.ok(tries < 80, `${tries} tries in ten minutes`);
  assert.equal(stage.troubles.length, 1);
  assert.match(
    stage.troubles[0] ?? "",
    /^\+ PublishFailed kubernetes patch services\/status: PATCH .* User "system:serviceaccount:fairlead:controller" cannot patch resource "services\/status" .*; add verb patch on services\/status to the user's ClusterRole, or: kubectl create clusterrole fairlead-patch-services-status --verb=patch --resource=services\/status; kubectl create clusterrolebinding fairlead-patch-services-status --clusterrole=fairlead-patch-services-status --serviceaccount=fairlead:controller$/u,
  );
  isForbidden = false;
  await stage.clock.advance(31_000);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes patch services/status"]);
  assert.deepEqual(stage.shows("web-100"), ["192.0.2.100"]);

  isForbidden = true;
  for (let i = 1; i <= 100; i += 1) stage.want(`web-${i}`, leased(`192.0.2.${i}`));
  await stage.pass(60_000);
  assert.equal(stage.troubles.length, 3);
  assert.match(stage.troubles[2] ?? "", /^\+ PublishFailed kubernetes patch services\/status/u);
});

test("without the right to Events one is tried now and then, and none is lost", async () => {
  await using stage = new PublishStage();
  let isForbidden = true;
  stage.cluster.fail = (request) =>
    isForbidden && request.path.includes("/events") ? lackOfRight(request, USER) : undefined;
  for (let i = 1; i <= 100; i += 1) stage.create(`web-${i}`, served(`192.0.2.${i}`));
  await stage.pass(60_000);
  const tries = stage.results.filter((result) => result === "event forbidden").length;
  assert.ok(tries < 30, `${tries} tries in a minute`);
  assert.equal(stage.troubles.length, 1);
  assert.match(stage.troubles[0] ?? "", /^\+ PublishFailed kubernetes create events/u);
  isForbidden = false;
  await stage.clock.advance(31_000);
  const told = stage.wrote().filter((line) => line.endsWith(" AddressAllocated"));
  assert.equal(new Set(told).size, 100);
  assert.equal(stage.dropped, 0);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes create events.events.k8s.io"]);
});

test("a right that is missing in one namespace holds nothing back in others", async () => {
  await using stage = new PublishStage();
  stage.create("closed/web", served("192.0.2.1"));
  stage.create("open/web", served("192.0.2.2"));
  stage.cluster.fail = (request) =>
    request.path.includes("/closed/services") ? lackOfRight(request, USER) : undefined;
  await stage.pass();
  assert.deepEqual(stage.shows("open/web"), ["192.0.2.2"]);
  assert.equal(stage.troubles.length, 1);
  // Nobody needs the right any more.
  stage.cluster.delete("closed/web");
  await stage.pass();
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes patch services"]);
});

test("a write that the server refuses is told with its words, and offered again when it changes", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  stage.cluster.fail = (request) =>
    request.path.endsWith("/status") ? refusal(request, 422, "no such luck") : undefined;
  await stage.pass(200_000);
  const refusals = (): number =>
    stage.results.filter((result) => result === "status refused").length;
  assert.equal(refusals(), 1);
  assert.match(
    stage.troubles.join("\n"),
    /^\+ PublishFailed kubernetes writes: PATCH .*: no such luck$/u,
  );
  stage.want("web", served("192.0.2.11"));
  await stage.pass();
  assert.equal(refusals(), 2);
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(300_000);
  assert.deepEqual(stage.shows("web"), ["192.0.2.11"]);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes writes"]);
});

test("one Service whose writes fail holds no other back", async () => {
  await using stage = new PublishStage();
  stage.create("bad", served("192.0.2.1"));
  stage.create("good", served("192.0.2.2"));
  stage.cluster.fail = (request) =>
    request.path.includes("/services/bad") ? refusal(request, 500, "webhook failed") : undefined;
  await stage.pass(60_000);
  assert.deepEqual(stage.shows("good"), ["192.0.2.2"]);
  assert.match(
    stage.troubles.join("\n"),
    /^\+ PublishFailed kubernetes writes: PATCH .*: webhook failed$/u,
  );
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(31_000);
  assert.deepEqual(stage.shows("bad"), ["192.0.2.1"]);
});

test("a thousand Services at once are written within 12 s, at most eight at a time", async () => {
  await using stage = new PublishStage();
  let underWay = 0;
  let most = 0;
  const { client } = stage.cluster;
  const send = client.request.bind(client);
  client.request = async (request, signal) => {
    underWay += 1;
    most = Math.max(most, underWay);
    try {
      return await send(request, signal);
    } finally {
      underWay -= 1;
    }
  };
  const names = Array.from({ length: 1000 }, (_, i) => `web-${i}`);
  for (const [i, name] of names.entries()) {
    stage.create(name, served(`10.1.${Math.floor(i / 250)}.${i % 250}`));
  }
  await stage.pass(12_000);
  assert.ok(names.every((name) => stage.shows(name).length === 1));
  assert.equal(stage.wrote().length, 3000);
  assert.ok(most <= 8, `${most} at a time`);
});

test("an address goes before a thousand words", async () => {
  await using stage = new PublishStage();
  const names = Array.from({ length: 1500 }, (_, i) => `web-${i}`);
  for (const name of names) stage.create(name, { state: "pending", main: NO_POOL });
  await stage.pass(1000);
  stage.create("urgent", served());
  await stage.pass(300);
  assert.deepEqual(stage.shows("urgent"), ["192.0.2.10"]);
});

const NO_POOL = { reason: "NoPool", detail: "there is none" } as const;

test("ending writes nothing more and leaves no timer", async () => {
  const stage = new PublishStage();
  for (let i = 1; i <= 50; i += 1) stage.create(`web-${i}`, served(`192.0.2.${i}`));
  await stage.clock.advance(2);
  stage.publish();
  await stage.clock.advance(3);
  await stage[Symbol.asyncDispose]();
  const written = stage.wrote().length;
  await stage.clock.advance(60_000);
  assert.equal(stage.wrote().length, 0, `${written} before`);
  assert.equal(stage.clock.pendingTimers(), 0);
});

test("external IPs that are forbidden are told, offered seldom, and hold nothing else back", async () => {
  await using stage = new PublishStage();
  stage.create("web", { ...served(), external: true });
  const words = "is forbidden: Use of external IPs is denied by admission control.";
  stage.cluster.fail = (request) =>
    request.query?.["fieldManager"] === "fairlead-external-ips"
      ? refusal(request, 403, words)
      : undefined;
  await stage.pass(600_000);
  const offered = stage.wrote().filter((line) => line.startsWith("external"));
  assert.deepEqual(new Set(offered), new Set(["external web 192.0.2.10"]));
  assert.ok(offered.length <= 3, `${offered.length} times in ten minutes`);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.equal(stage.troubles.length, 1);
  assert.match(stage.troubles[0] ?? "", /PublishFailed .*denied by admission control/);
  const [event, ...more] = externalEvents(stage);
  assert.match(event ?? "", /^Warning ExternalIPsRefused Publish: .*denied by admission control/u);
  assert.deepEqual(more, [], "who asked for it reads it once");
  stage.want("web", served("192.0.2.11"));
  await stage.pass();
  assert.deepEqual(stage.shows("web"), ["192.0.2.11"]);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes writes"]);
});

const STATUS_FAILURES = [
  { name: "refused", status: 422, words: "no such luck" },
  { name: "broken by a webhook", status: 500, words: "webhook failed" },
  { name: "denied by a rule", status: 403, words: "is frozen" },
  {
    name: "not ours to write",
    status: 403,
    words: 'is forbidden: User "lb" cannot patch resource "services/status" in API group ""',
  },
];

for (const { name, status, words } of STATUS_FAILURES) {
  test(`an address stayed in external IPs after it went, as the status was ${name}`, async () => {
    await using stage = new PublishStage();
    stage.create("web", { ...served("192.0.2.10"), external: true });
    await stage.pass();
    stage.cluster.fail = (request) =>
      request.path.endsWith("/status") ? refusal(request, status, words) : undefined;
    stage.wrote();
    stage.want("web", { ...served("192.0.2.11"), external: true });
    await stage.pass(60_000);
    const external = stage.wrote().filter((line) => line.startsWith("external"));
    assert.deepEqual(external, ["external web 192.0.2.11"]);
    assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
    assert.equal(stage.troubles.length, 1, stage.troubles.join("\n"));
    stage.cluster.fail = () => undefined;
    await stage.pass(310_000);
    assert.deepEqual(stage.shows("web"), ["192.0.2.11"]);
    assert.equal(stage.troubles.length, 2);
  });
}

test("external IPs are not written while nobody knows where nodes are, and that is told", async () => {
  await using stage = new PublishStage();
  stage.nodes = undefined;
  stage.create("mail", served("192.0.2.11"));
  await stage.pass();
  assert.equal(stage.isFollowingNodes, false, "nobody has to know where nodes are");
  stage.create("web", { ...served(), external: true });
  await stage.pass();
  assert.match(
    stage.troubles.join(),
    /^\+ ExternalIPsRefused kubernetes external IPs: .* before nodes were listed/,
  );
  assert.ok(stage.isFollowingNodes);
  assert.equal(
    stage.wrote().some((line) => line.startsWith("external")),
    false,
  );
  assert.deepEqual(externalEvents(stage), [], "most often they are known a moment later");
  stage.nodes = new Set();
  await stage.pass();
  assert.ok(stage.wrote().includes("external web 192.0.2.10"));
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes external IPs"]);
});

test("a host that becomes a node is refused its external IPs at once, without a newer plan", async () => {
  await using stage = new PublishStage();
  const agent = makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] });
  stage.agents.set(agent.name, agent);
  stage.create("web", { ...served(), external: true });
  await stage.pass();
  assert.ok(stage.wrote().includes("external web 192.0.2.10"));
  stage.nodes = new Set(["192.0.2.11"]);
  stage.tellNodes();
  assert.match(stage.troubles.join(), /^\+ ExternalIPsRefused .*agent lb-1 runs on the node/);
  await stage.clock.advance(5000);
  const [event, ...more] = externalEvents(stage);
  assert.match(event ?? "", /agent lb-1 runs on the node 192\.0\.2\.11.*\[FL\d{4}\]$/u);
  assert.deepEqual(more, []);
});

/** What is told of external IPs on Services. */
function externalEvents(stage: PublishStage): readonly string[] {
  return eventsOf(stage).filter((line) => line.includes("ExternalIPsRefused"));
}

test("whoever leads no more does not tell of external IPs, and does so when it leads again", async () => {
  await using stage = new PublishStage();
  stage.nodes = undefined;
  stage.create("web", { ...served(), external: true });
  await stage.pass();
  stage.pause();
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes external IPs"]);
  await stage.pass();
  assert.match(stage.troubles.at(-1) ?? "", /^\+ ExternalIPsRefused kubernetes external IPs: /);
  assert.equal(
    stage.wrote().some((line) => line.startsWith("external")),
    false,
  );
});

test("an Event that could not be told before another one spoke is that one's to tell", async () => {
  await using stage = new PublishStage();
  stage.cluster.fail = (request) =>
    request.path.includes("/events") ? unreachable(request) : undefined;
  stage.create("web", served());
  await stage.pass();
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  stage.wrote();
  stage.pause();
  stage.cluster.fail = () => undefined;
  await stage.pass(60_000);
  assert.deepEqual(stage.wrote(), []);
});
