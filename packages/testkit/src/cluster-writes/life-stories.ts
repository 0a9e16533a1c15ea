// What a Service goes through between our writes: it is deleted, is kept by finalizers, becomes
// another type. Stories of the contract of writes; given a way to make stages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { FINALIZER, writeRequest } from "@fairlead/controller";

import type { WriteStage } from "./write-stage.ts";
import { cameTo, clear, hold, oursIn, recordOf, release, serve, write } from "./written-words.ts";

const OURS = "192.0.2.10";

/** Registers them. */
export function testLifeWrites(make: () => Promise<WriteStage>): void {
  testEnds(make);
  testTypes(make);
}

function testEnds(make: () => Promise<WriteStage>): void {
  test("a deleted Service that we hold stays, is still written to, and goes when let go", async () => {
    await using stage = await make();
    await stage.create("web");
    await write(stage, "web", hold, serve(OURS));
    await stage.remove("web");
    const kept = await recordOf(stage, "web");
    assert.deepEqual([kept.isDeleting, kept.finalizers], [true, [FINALIZER]]);
    assert.deepEqual(kept.ingress, [{ ip: OURS, ipMode: "Proxy" }]);
    const cleared = await write(stage, "web", clear);
    assert.deepEqual([cleared.isDeleting, cleared.ingress], [true, []]);
    const last = await write(stage, "web", release);
    assert.deepEqual(last.finalizers, []);
    // Nothing was written of it: the answer has the version from before.
    assert.equal(last.resourceVersion, cleared.resourceVersion);
    assert.equal(await stage.look("web"), undefined);
  });

  test("what is deleted or edited again to what it is stays as it is", async () => {
    await using stage = await make();
    await stage.create("web", { externalIPs: ["203.0.113.7"] });
    await write(stage, "web", hold);
    await stage.remove("web");
    const kept = await stage.look("web");
    await stage.remove("web");
    await stage.edit("web", { externalIPs: ["203.0.113.7"] });
    assert.deepEqual(await stage.look("web"), kept);
  });

  test("one that others hold too stays theirs when we let go", async () => {
    await using stage = await make();
    await stage.create("web", { finalizers: ["example.com/other"] });
    await write(stage, "web", hold);
    await stage.remove("web");
    const released = await write(stage, "web", release);
    assert.deepEqual([released.isDeleting, released.finalizers], [true, ["example.com/other"]]);
    await stage.edit("web", { finalizers: [] });
    assert.equal(await stage.look("web"), undefined);
  });

  test("nobody can hold what is being deleted already", async () => {
    await using stage = await make();
    await stage.create("web", { finalizers: ["example.com/other"] });
    await stage.remove("web");
    const seen = await recordOf(stage, "web");
    assert.equal(await cameTo(stage.client, writeRequest(hold(seen))), "refused INVALID");
    assert.deepEqual(await recordOf(stage, "web"), seen);
  });

  test("a finalizer that came with a copy of the Service is let go all the same", async () => {
    await using stage = await make();
    await stage.create("web", { finalizers: ["example.com/other", FINALIZER] });
    const released = await write(stage, "web", release);
    assert.deepEqual(released.finalizers, ["example.com/other"]);
    const held = await write(stage, "web", hold);
    assert.deepEqual(held.finalizers, ["example.com/other", FINALIZER]);
  });

  test("a finalizer that a hand took off comes again, and others stay", async () => {
    await using stage = await make();
    await stage.create("web");
    await write(stage, "web", hold);
    await stage.edit("web", { finalizers: ["example.com/other"] });
    assert.deepEqual(oursIn(await recordOf(stage, "web")), []);
    const held = await write(stage, "web", hold);
    assert.deepEqual(held.finalizers, ["example.com/other", FINALIZER]);
    assert.deepEqual(oursIn(held), ["fairlead-finalizer: finalizers"]);
  });
}

function testTypes(make: () => Promise<WriteStage>): void {
  test("a Service that becomes another type loses its addresses at once, and nothing else", async () => {
    await using stage = await make();
    await stage.create("web");
    await write(stage, "web", hold, serve(OURS));
    await stage.edit("web", { type: "ClusterIP" });
    const inner = await recordOf(stage, "web");
    assert.deepEqual([inner.type, inner.ingress], ["ClusterIP", []]);
    assert.equal(inner.conditions.length, 1);
    assert.deepEqual(inner.finalizers, [FINALIZER]);
    // The server's account of fields forgets the addresses with our next write.
    assert.deepEqual(oursIn(inner), [
      "fairlead-finalizer: finalizers",
      "fairlead-status: status.loadBalancer status.conditions",
    ]);
    const refused = await cameTo(stage.client, writeRequest(serve(OURS)(inner)));
    assert.equal(refused, "refused INVALID");
    const cleared = await write(stage, "web", clear);
    assert.deepEqual(cleared.conditions, []);
    assert.deepEqual(oursIn(cleared), ["fairlead-finalizer: finalizers"]);
    await stage.edit("web", { type: "LoadBalancer" });
    assert.deepEqual((await recordOf(stage, "web")).ingress, []);
    const again = await write(stage, "web", serve(OURS));
    assert.deepEqual(again.ingress, [{ ip: OURS, ipMode: "Proxy" }]);
  });

  test("a Service of another type takes conditions, and no addresses", async () => {
    await using stage = await make();
    await stage.create("web", { type: "ClusterIP" });
    const seen = await recordOf(stage, "web");
    const refused = await cameTo(stage.client, writeRequest(serve(OURS)(seen)));
    assert.equal(refused, "refused INVALID");
    assert.deepEqual(await recordOf(stage, "web"), seen);
    const said = await write(stage, "web", serve());
    assert.equal(said.conditions.length, 1);
  });
}
