// Events that cannot be written: how often they are tried, what is told of them, and how many wait
// while the server is away.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { KubeRequest } from "../../kube/kube-client.ts";
import { type KubeError, socketError } from "../../kube/kube-errors.ts";
import { refusal } from "../../kube/memory-refusals.ts";
import { told } from "./publish-lines.ts";
import { PublishStage, refused, served } from "./publish-stage.ts";

test("an Event that cannot be written is tried a few times and dropped", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  stage.cluster.fail = events((request) => refusal(request, 500, "no"));
  await stage.pass(600_000);
  assert.equal(stage.results.filter((result) => result === "event failed").length, 5);
  assert.equal(stage.dropped, 1);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.match(stage.troubles.join("\n"), /^\+ PublishFailed kubernetes writes: POST \S+: no$/u);
});

test("an Event of a namespace that goes is dropped at once, and is no trouble", async () => {
  for (const [status, words] of [
    [403, "unable to create new content in namespace default because it is being terminated"],
    [404, 'namespaces "default" not found'],
  ] as const) {
    await using stage = new PublishStage();
    stage.create("web", served());
    stage.cluster.fail = events((request) => refusal(request, status, words));
    await stage.pass(60_000);
    assert.equal(stage.dropped, 1);
    assert.deepEqual(stage.troubles, []);
  }
});

test("a right to Events that is missing is told, and cleared by the next that is written", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  const words = 'User "fairlead" cannot create resource "events" in API group "events.k8s.io"';
  stage.cluster.fail = events((request) => refusal(request, 403, words));
  await stage.pass(2000);
  assert.match(
    stage.troubles.join("\n"),
    /^\+ PublishFailed kubernetes create events\.events\.k8s\.io: .* --verb=create --resource=events\.events\.k8s\.io; .* --user=fairlead$/u,
  );
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(31_000);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes create events.events.k8s.io"]);
});

test("a count that the server does not take is told in its words, until it takes one", async () => {
  for (const [status, words] of [
    [422, "series.count: Invalid value"],
    [403, 'admission webhook "events.test" denied the request'],
  ] as const) {
    await using stage = new PublishStage();
    const repeat = async (): Promise<void> => {
      stage.want("web", refused("PoolExhausted"));
      await stage.pass(1500);
      stage.want("web", served());
      await stage.pass(1500);
    };
    stage.create("web", served());
    await stage.pass();
    await repeat();
    stage.cluster.fail = counts((request) => refusal(request, status, words));
    await repeat();
    assert.equal(stage.dropped, 1, "it is not tried again");
    const path = "/apis/events\\.k8s\\.io/v1/namespaces/default/events/web\\.[0-9a-f]+";
    const line = new RegExp(`^\\+ PublishFailed kubernetes writes: PATCH ${path}: (.*)$`, "u");
    assert.equal(line.exec(stage.troubles.join("\n"))?.[1], words);
    // What could not be counted begins anew, and the next count is refused as well.
    await repeat();
    await repeat();
    assert.equal(stage.dropped, 2);
    assert.equal(stage.troubles.length, 1, "said once");
    const refusals = (): readonly string[] =>
      told(stage).filter((one) => one.startsWith("Warning PoolExhausted"));
    assert.deepEqual(refusals().map(timesOf), [1, 1]);

    stage.cluster.fail = () => undefined;
    await repeat();
    await repeat();
    assert.deepEqual(refusals().map(timesOf), [1, 1, 2]);
    assert.deepEqual(stage.troubles.slice(1), ["- kubernetes writes"]);
  }
});

test("a count that the server does not take is no news any more ten minutes later", async () => {
  await using stage = new PublishStage();
  stage.cluster.fail = counts((request) => refusal(request, 422, "no"));
  stage.create("web", served());
  await stage.pass();
  for (let turn = 0; turn < 2; turn += 1) {
    stage.want("web", refused("PoolExhausted"));
    await stage.pass();
    stage.want("web", served());
    await stage.pass();
  }
  assert.equal(stage.troubles.length, 1, stage.troubles.join("\n"));
  await stage.clock.advance(590_000);
  assert.equal(stage.troubles.length, 1);
  await stage.clock.advance(11_000);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes writes"]);
});

test("an Event that is lost is no trouble of who leads no more", async () => {
  await using stage = new PublishStage();
  stage.cluster.fail = events((request) => refusal(request, 422, "no"));
  stage.create("web", served());
  await stage.pass();
  assert.equal(stage.troubles.length, 1);
  stage.pause();
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes writes"]);
  // The next one is under way, and refused, while another one begins to speak.
  stage.create("web-2", served());
  stage.cluster.fail = events((request) => {
    stage.pause();
    return refusal(request, 422, "no");
  });
  await stage.pass();
  assert.equal(stage.dropped, 2);
  assert.equal(stage.troubles.length, 2, stage.troubles.join("\n"));
});

test("a right to count Events that is missing is told with the command that grants it", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("PoolExhausted"));
  await stage.pass();
  const words = 'User "fairlead" cannot patch resource "events" in API group "events.k8s.io"';
  stage.cluster.fail = counts((request) => refusal(request, 403, words));
  stage.want("web", served());
  await stage.pass();
  stage.want("web", refused("PoolExhausted"));
  await stage.pass(2000);
  assert.match(
    stage.troubles.join("\n"),
    /^\+ PublishFailed kubernetes patch events\.events\.k8s\.io: .* --verb=patch --resource=events\.events\.k8s\.io; .* --user=fairlead$/u,
  );
  stage.cluster.fail = () => undefined;
  await stage.clock.advance(31_000);
  assert.deepEqual(stage.troubles.slice(1), ["- kubernetes patch events.events.k8s.io"]);
  assert.equal(timesOf(told(stage)[0] ?? ""), 2, "what waited for the right is counted");
  assert.equal(stage.dropped, 0);
});

test("an answer that is lost makes no second Event", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  const { client } = stage.cluster;
  const send = client.request.bind(client);
  let isCut = true;
  client.request = async (request, signal) => {
    const answer = await send(request, signal);
    if (!isCut || !request.path.includes("/events")) return answer;
    isCut = false;
    throw socketError(request, new Error("reset"));
  };
  await stage.pass(60_000);
  assert.equal(stage.cluster.events.size, 1);
  assert.deepEqual(stage.wrote().filter((line) => line.startsWith("event")).length, 2);
});

test("while the server is away Events wait, no more than are kept, and the newest are dropped", async () => {
  await using stage = new PublishStage();
  let isAway = true;
  stage.cluster.fail = (request) => (isAway ? socketError(request, new Error("away")) : undefined);
  for (let i = 0; i < 2100; i += 1) stage.create(`web-${i}`, refused("NoPool"));
  await stage.pass(60_000);
  assert.equal(stage.dropped, 100);
  isAway = false;
  await stage.clock.advance(60_000);
  assert.equal(stage.cluster.events.size, 2000);
});

function events(fail: (request: KubeRequest) => KubeError): PublishStage["cluster"]["fail"] {
  return (request) => (request.path.includes("/events") ? fail(request) : undefined);
}

function counts(fail: (request: KubeRequest) => KubeError): PublishStage["cluster"]["fail"] {
  const failEvent = events(fail);
  return (request) => (request.method === "PATCH" ? failEvent(request) : undefined);
}

/** How often it happened, by a line of `told`. */
function timesOf(line: string): number {
  return Number(/ x(\d+)$/u.exec(line)?.[1] ?? 1);
}
