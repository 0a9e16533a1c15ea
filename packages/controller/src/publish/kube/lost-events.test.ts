// Events that cannot be written: how often they are tried, what is told of them, and how many wait
// while the server is away.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { KubeRequest } from "../../kube/kube-client.ts";
import { type KubeError, socketError } from "../../kube/kube-errors.ts";
import { refusal } from "../../kube/memory-cluster.ts";
import { PublishStage, refused, served } from "./publish-stage.ts";

test("an Event that cannot be written is tried a few times and dropped", async () => {
  await using stage = new PublishStage();
  stage.create("web", served());
  stage.cluster.fail = events((request) => refusal(request, 500, "no"));
  await stage.pass(600_000);
  assert.equal(stage.results.filter((result) => result === "event failed").length, 5);
  assert.equal(stage.dropped, 1);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
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
