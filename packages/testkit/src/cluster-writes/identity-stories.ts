// Writes are about one object in one version, and another one is never touched. Stories of the
// contract of writes; given a way to make stages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FINALIZER } from "@fairlead/controller";

import type { WriteStage } from "./write-stage.ts";
import {
  cameToEach,
  clear,
  eachOf,
  external,
  hold,
  type MakeWrite,
  oursIn,
  recordOf,
  serve,
  STORY_TIME,
  write,
} from "./written-words.ts";

const REPEATED: Readonly<Record<string, MakeWrite>> = {
  "a finalizer": hold,
  "a status": serve("192.0.2.10"),
  "a status without addresses": serve(),
  "a list of external IPs": external([], ["192.0.2.10"]),
  "an end of ours in the status": clear,
};

/** Registers them. */
export function testIdentityWrites(make: () => Promise<WriteStage>): void {
  testAnswers(make);
  testVersions(make);
  testAbsence(make);
}

function testAnswers(make: () => Promise<WriteStage>): void {
  test("the answer to a write is the Service as it stands then", async () => {
    await using stage = await make();
    await stage.create("web");
    const made = await recordOf(stage, "web");
    const held = await write(stage, "web", hold);
    assert.deepEqual(held, await recordOf(stage, "web"));
    const shown = await write(stage, "web", serve("192.0.2.10"));
    assert.deepEqual(shown, await recordOf(stage, "web"));
    assert.deepEqual(oursIn(shown), [
      "fairlead-finalizer: finalizers",
      "fairlead-status: status.loadBalancer status.conditions",
    ]);
    const { resourceVersion: _, writers: __, ...rest } = shown;
    const condition = { type: "fairlead.io/Serving", status: "True", reason: "Proved" };
    const words = { message: "lb-1 holds it.", lastTransitionTime: STORY_TIME };
    assert.deepEqual(rest, {
      namespace: stage.namespace,
      name: "web",
      uid: made.uid,
      generation: 0,
      type: "LoadBalancer",
      isDeleting: false,
      finalizers: [FINALIZER],
      ingress: [{ ip: "192.0.2.10", ipMode: "Proxy" }],
      conditions: [{ ...condition, ...words }],
    });
  });

  for (const [what, repeated] of Object.entries(REPEATED)) {
    test(`${what} that is written again changes nothing, and is no new version`, async () => {
      await using stage = await make();
      await stage.create("web");
      const once = await write(stage, "web", serve("192.0.2.99"), repeated);
      const twice = await write(stage, "web", repeated);
      assert.deepEqual(twice, once);
      assert.deepEqual(await recordOf(stage, "web"), once);
    });
  }
}

function testVersions(make: () => Promise<WriteStage>): void {
  test("what was decided by an older version is a conflict, and is not written", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await write(stage, "web", hold);
    await stage.edit("web", { externalIPs: ["203.0.113.7"] });
    const before = await stage.look("web");
    assert.deepEqual(await cameToEach(stage.client, seen), eachOf("conflict CONFLICT"));
    assert.deepEqual(await stage.look("web"), before);
  });

  test("what was decided for another uid is refused, and is not written", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    const before = await stage.look("web");
    const uid = "00000000-0000-4000-8000-000000000001";
    // To the server somebody wants to give the object another uid.
    assert.deepEqual(await cameToEach(stage.client, { ...seen, uid }), eachOf("refused INVALID"));
    assert.deepEqual(await stage.look("web"), before);
  });
}

function testAbsence(make: () => Promise<WriteStage>): void {
  test("no write makes a deleted Service again", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    await stage.remove("web");
    // A merge patch looks for the object, and an apply for its uid.
    const wanted = { ...eachOf("conflict CONFLICT"), release: "conflict NOT_FOUND" };
    assert.deepEqual(await cameToEach(stage.client, seen), wanted);
    assert.equal(await stage.look("web"), undefined);
  });

  test("a Service made again under the name gets nothing that was meant for the one before", async () => {
    await using stage = await make();
    await stage.create("web");
    const seen = await recordOf(stage, "web");
    await stage.remove("web");
    await stage.create("web");
    const before = await stage.look("web");
    assert.deepEqual(await cameToEach(stage.client, seen), eachOf("conflict CONFLICT"));
    assert.deepEqual(await stage.look("web"), before);
  });
}
