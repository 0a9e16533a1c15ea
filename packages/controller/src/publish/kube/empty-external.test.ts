// What stands in spec.externalIPs when serving ends: nothing of ours, or it is told what is left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { refusal } from "../../kube/memory-refusals.ts";
import { type LeftBehind, leftText } from "./empty-external.ts";
import { PublishStage, served } from "./publish-stage.ts";

/** A stage whose publisher takes back what is ours when it ends. */
function leaving(emptiesOnExit = true): { stage: PublishStage; told: string[] } {
  const told: string[] = [];
  const onLeft = (left: readonly LeftBehind[]): void => void told.push(leftText(left));
  return { stage: new PublishStage(undefined, { emptiesOnExit, onLeft }), told };
}

async function serve(stage: PublishStage): Promise<void> {
  stage.create("web", { ...served("192.0.2.10"), external: true });
  stage.create("shop/dns", { ...served("192.0.2.11"), external: true });
  stage.create("plain", served("192.0.2.12"));
  await stage.pass();
}

/** Ends it, and lets all the time pass that it may take. */
async function end(stage: PublishStage): Promise<void> {
  const ended = stage[Symbol.asyncDispose]();
  await stage.clock.advance(4000);
  await ended;
}

test("what is ours goes at the end, and nothing is told", async () => {
  const { stage, told } = leaving();
  await serve(stage);
  assert.deepEqual(stage.cluster.record("web")?.writtenExternalIPs, ["192.0.2.10"]);
  await end(stage);
  assert.equal(stage.cluster.record("web")?.externalIPs, undefined);
  assert.deepEqual(told, []);
});

test("while the server is away what is left is told, with Services and addresses", async () => {
  const { stage, told } = leaving();
  await serve(stage);
  stage.cluster.fail = (request) => refusal(request, 503, "it is away");
  await end(stage);
  assert.deepEqual(stage.cluster.record("web")?.externalIPs, ["192.0.2.10"]);
  assert.deepEqual(told, ["default/web 192.0.2.10, shop/dns 192.0.2.11"]);
});

test("what could be taken out in time is not told", async () => {
  const { stage, told } = leaving();
  await serve(stage);
  stage.cluster.fail = (request) =>
    request.path.endsWith("/dns") ? refusal(request, 422, "no such luck") : undefined;
  await end(stage);
  assert.equal(stage.cluster.record("web")?.externalIPs, undefined);
  assert.deepEqual(told, ["shop/dns 192.0.2.11"]);
});

test("who leaves its entries for another controller tells nothing", async () => {
  const { stage, told } = leaving(false);
  await serve(stage);
  stage.cluster.fail = (request) => refusal(request, 503, "it is away");
  await end(stage);
  assert.deepEqual(told, []);
});

test("of very many Services the first are named, and the others are counted", () => {
  const left = Array.from({ length: 23 }, (_, i) => ({
    namespace: "default",
    name: `s${i}`,
    addresses: ["192.0.2.10", "192.0.2.11"],
  }));
  assert.match(
    leftText(left),
    /^default\/s0 192\.0\.2\.10 and 192\.0\.2\.11, default\/s1 .* and 3 more$/,
  );
});
