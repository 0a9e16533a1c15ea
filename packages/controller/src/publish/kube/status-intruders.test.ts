// Another controller that writes over the status of a Service of ours: it is put right, and told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { socketError } from "../../kube/kube-errors.ts";
import { told } from "./publish-lines.ts";
import { type Fate, leased, PublishStage, refused, served } from "./publish-stage.ts";

/** A Service of this fate that the publisher has said all of. */
async function stageOf(fate: Fate): Promise<PublishStage> {
  const stage = new PublishStage();
  stage.create("web", fate);
  await stage.pass();
  return stage;
}

async function overwrite(stage: PublishStage, manager: string, ip = "203.0.113.1"): Promise<void> {
  stage.cluster.edit("web", (service) => void (service.ingress = [{ ip }]), manager);
  await stage.clock.advance(1000);
}

/** Events of it, without what is said of every one of them. */
function intruders(stage: PublishStage): readonly string[] {
  return told(stage)
    .filter((line) => line.includes("OtherControllerActive"))
    .map((line) => line.replace(/^(.*?): .*?: (.*?)\. .*\]/u, "$1: $2"));
}

const METALLB =
  'Warning OtherControllerActive Restore: "metallb-controller" wrote status.loadBalancer, ' +
  "which is put right";

test("a controller that writes over a status of ours was put right without a word", async () => {
  await using stage = await stageOf(served());
  await overwrite(stage, "metallb-controller");
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.deepEqual(intruders(stage), [METALLB]);
  const [event = ""] = told(stage).filter((line) => line.includes("OtherControllerActive"));
  assert.match(event, /Keep that one off this Service, .*; where it is refused .*\[FL0211\]$/u);
});

test("two controllers that overwrite each other for ever are one Event with a count", async () => {
  await using stage = await stageOf(served());
  for (let i = 0; i < 40; i += 1) await overwrite(stage, "metallb-controller", `203.0.113.${i}`);
  await stage.clock.advance(31_000);
  // Such a Service is put right at longer and longer intervals: each time counts once.
  const [event = "", ...more] = intruders(stage);
  assert.match(event.replace(METALLB, ""), /^ x\d+$/u);
  assert.deepEqual(more, []);
  await overwrite(stage, "kube-vip");
  assert.equal(intruders(stage).length, 2, "another one is another story");
});

test("what an intruder wrote is told once, however long it cannot be put right", async () => {
  await using stage = await stageOf(served());
  stage.cluster.fail = (request) =>
    request.path.endsWith("/status") ? socketError(request, new Error("refused")) : undefined;
  await overwrite(stage, "metallb-controller");
  for (let i = 0; i < 10; i += 1) {
    stage.want("web", { ...served(), memberless: i % 2 === 0 });
    await stage.pass(2000);
  }
  await stage.clock.advance(60_000);
  assert.deepEqual(stage.shows("web"), ["203.0.113.1"]);
  assert.deepEqual(intruders(stage), [METALLB]);
});

test("an intruder is told also where the Service waits, and where a controller takes over", async () => {
  await using stage = await stageOf(leased());
  await overwrite(stage, "metallb-controller");
  assert.deepEqual(stage.shows("web"), []);
  assert.deepEqual(intruders(stage), [METALLB]);
  stage.pause();
  await overwrite(stage, "kube-vip");
  await stage.pass();
  assert.equal(intruders(stage).length, 2);
  await stage.restart();
  await stage.pass(60_000);
  assert.equal(intruders(stage).length, 2, "what was put right is told no more");
});

const SILENT: readonly { readonly name: string; readonly fate: Fate; readonly manager: string }[] =
  [
    { name: "a hand in the status", fate: served(), manager: "kubectl-edit" },
    { name: "a Service that we refuse", fate: refused("NoPool"), manager: "metallb-controller" },
  ];

for (const { name, fate, manager } of SILENT) {
  test(`${name} is no intruder`, async () => {
    await using stage = await stageOf(served());
    stage.want("web", fate);
    await stage.pass();
    await overwrite(stage, manager);
    await stage.pass(60_000);
    assert.deepEqual(intruders(stage), []);
  });
}

for (const ip of ["192.0.2.10", "203.0.113.1"]) {
  test(`${ip} that stood there before we came is no intruder's`, async () => {
    await using stage = new PublishStage();
    stage.create("web", served());
    stage.cluster.edit("web", (service) => void (service.ingress = [{ ip }]), "metallb-controller");
    await stage.pass(60_000);
    assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
    assert.deepEqual(intruders(stage), []);
  });
}

test("a controller whose addresses went with the type of the Service was named for them", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("UnknownClass"));
  await overwrite(stage, "other-controller");
  for (const type of ["ClusterIP", "LoadBalancer"]) {
    stage.cluster.edit("web", (service) => void (service.type = type));
  }
  stage.want("web", leased());
  await stage.pass(60_000);
  stage.want("web", served());
  await stage.pass(60_000);
  assert.deepEqual(stage.shows("web"), ["192.0.2.10"]);
  assert.deepEqual(intruders(stage), []);
});
