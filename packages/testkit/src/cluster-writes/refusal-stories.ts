// Writes that are refused for who asks, or for how much. Stories of the contract of writes; given a
// way to make stages.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  FINALIZER,
  isRightMissing,
  type KubeRequest,
  seriesRequest,
  writeRequest,
} from "@fairlead/controller";

import { childOf, isJson, omit } from "../kube-stub/json-tree.ts";
import type { WriteStage } from "./write-stage.ts";
import {
  cameTo,
  cameToEach,
  EVENT,
  eachOf,
  hold,
  recordOf,
  release,
  seriesOf,
  serve,
  withFields,
} from "./written-words.ts";

/** An API server reads no more of a request. */
const BYTES_MAX = 3 * 1024 * 1024;

/** Registers them. */
export function testRefusedWrites(make: () => Promise<WriteStage>): void {
  testRights(make);
  testManners(make);
}

function testRights(make: () => Promise<WriteStage>): void {
  test("without the right nothing is written, and the answer names the right", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    const forbidden = eachOf("forbidden FORBIDDEN");
    assert.deepEqual(await cameToEach(stage.stranger, seen), forbidden);
    assert.deepEqual(await recordOf(stage, "web"), seen);
    await lacks(stage, writeRequest(hold(seen)), 'patch resource "services" in API group ""');
    const status = 'patch resource "services/status" in API group ""';
    await lacks(stage, writeRequest(serve()(seen)), status);
  });

  test("without the right no Event is made or counted, and the answer names the right", async () => {
    await using stage = await make();
    const series = await seriesOf(stage);
    const events = 'resource "events" in API group "events.k8s.io"';
    await lacks(stage, seriesRequest(series, "controller-0"), `create ${events}`);
    assert.equal(await stage.lookAtEvent(EVENT), undefined);
    const count = { ...series, count: 2, saidCount: 1 };
    await lacks(stage, seriesRequest(count, "controller-0"), `patch ${events}`);
  });

  test("who lacks the right is told no more of a Service that is gone", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    await stage.remove("web");
    assert.equal(await cameTo(stage.stranger, writeRequest(hold(seen))), "forbidden FORBIDDEN");
  });

  test("a write larger than a server reads is refused, and not tried again", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    const large = withFields(writeRequest(hold(seen)), { padding: "x".repeat(BYTES_MAX) });
    assert.equal(await cameTo(stage.client, large), "refused INVALID");
    assert.deepEqual(await recordOf(stage, "web"), seen);
  });
}

/** How writes of ours are sent, and what the server says to one that is not sent so. */
function testManners(make: () => Promise<WriteStage>): void {
  test("what names neither uid nor version is written over whatever stands there", async () => {
    await using stage = await make();
    await stage.create("web");
    const request = writeRequest(hold(await recordOf(stage, "web")));
    await stage.edit("web", { externalIPs: ["203.0.113.7"] });
    const { body } = request;
    const named = isJson(body) ? childOf(body, "metadata") : {};
    const metadata = omit(named, "uid", "resourceVersion");
    const blind = withFields(request, { metadata });
    assert.equal(await cameTo(stage.client, blind), "written");
    assert.deepEqual((await recordOf(stage, "web")).finalizers, [FINALIZER]);
    await stage.edit("web", { finalizers: [] });
    await stage.remove("web");
    // It would make a Service: only that it says nothing of ports keeps it from that.
    assert.equal(await cameTo(stage.client, blind), "refused INVALID");
  });

  test("what is not forced takes nothing from others", async () => {
    await using stage = await make();
    await stage.create("web", { ingress: ["203.0.113.7"] });
    const seen = await recordOf(stage, "web");
    const request = writeRequest(serve("192.0.2.10")(seen));
    const unforced = { ...request, query: { ...request.query, force: "false" } };
    assert.equal(await cameTo(stage.client, unforced), "conflict CONFLICT");
    assert.deepEqual(await recordOf(stage, "web"), seen);
    const free = writeRequest(hold(seen));
    const query = { ...free.query, force: "false" };
    assert.equal(await cameTo(stage.client, { ...free, query }), "written");
  });

  test("a patch of no known sort, or one that is applied for nobody, is refused", async () => {
    await using stage = await make();
    const series = { ...(await seriesOf(stage)), count: 2, saidCount: 1 };
    const seen = await recordOf(stage, "web");
    const requests = [hold, release, serve()].map((of) => writeRequest(of(seen)));
    for (const request of [...requests, seriesRequest(series, "controller-0")]) {
      const plain = { ...request, contentType: "application/json" };
      assert.equal(await cameTo(stage.client, plain), "refused INVALID");
    }
    const nobodys = { ...writeRequest(hold(seen)), query: { force: "true" } };
    assert.equal(await cameTo(stage.client, nobodys), "refused INVALID");
    assert.deepEqual(await recordOf(stage, "web"), seen);
  });
}

/** Asks as one without rights, who is told that `right` is missing. */
async function lacks(stage: WriteStage, request: KubeRequest, right: string): Promise<void> {
  assert.equal(await cameTo(stage.stranger, request), "forbidden FORBIDDEN");
  await assert.rejects(stage.stranger.request(request), (error) => {
    assert.ok(error instanceof Error && isRightMissing(error), String(error));
    assert.ok(error.message.endsWith(` cannot ${right} in the namespace "${stage.namespace}"`));
    return true;
  });
}
