// What becomes of our writes in a namespace that is deleted, as stories: a cluster in memory and a
// real API server play them. Given a way to make stages.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isRightMissing, seriesRequest } from "@fairlead/controller";

import type { WriteStage } from "./write-stage.ts";
import {
  cameTo,
  cameToEach,
  eachOf,
  EVENT,
  hold,
  recordOf,
  release,
  seriesOf,
  serve,
  write,
} from "./written-words.ts";

/** A stage whose namespace can end before it. */
export interface NamespaceStage extends WriteStage {
  /** Deletes the namespace; resolves when all that is in it is being deleted. */
  end(): Promise<void>;
  /** Resolves when the namespace is gone: nothing keeps it any more. */
  ended(): Promise<void>;
}

/** Registers the stories for one kind of stage. */
export function testNamespaceContract(kind: string, make: () => Promise<NamespaceStage>): void {
  const what = `what ${kind} does with our writes to a namespace that ends`;
  // A real namespace takes its time to end, in which nothing happens.
  void suite(what, { concurrency: true }, () => {
    test("a Service that we hold keeps its namespace, and is let go as any other", async () => {
      await using stage = await make();
      await stage.create("web");
      await write(stage, "web", hold, serve("192.0.2.10"));
      await stage.end();
      const kept = await recordOf(stage, "web");
      assert.equal(kept.isDeleting, true);
      const last = await write(stage, "web", serve(), release);
      assert.deepEqual(last.finalizers, []);
      await stage.ended();
      const gone = { ...eachOf("conflict CONFLICT"), release: "conflict NOT_FOUND" };
      assert.deepEqual(await cameToEach(stage.client, kept), gone);
    });

    test("an Event is refused while the namespace ends and when it is gone, for no lack of a right", async () => {
      await using stage = await make();
      const series = await seriesOf(stage);
      const event = seriesRequest(series, "controller-0");
      await write(stage, "web", hold);
      await stage.end();
      assert.equal(await cameTo(stage.client, event), "forbidden FORBIDDEN");
      await assert.rejects(stage.client.request(event), (error) => {
        assert.ok(error instanceof Error && !isRightMissing(error), String(error));
        const why = `in namespace ${stage.namespace} because it is being terminated`;
        assert.ok(error.message.endsWith(`: unable to create new content ${why}`), error.message);
        return true;
      });
      await write(stage, "web", release);
      await stage.ended();
      assert.equal(await cameTo(stage.client, event), "conflict NOT_FOUND");
      await assert.rejects(stage.client.request(event), {
        message: new RegExp(`: namespaces "${stage.namespace}" not found$`, "u"),
      });
      assert.equal(await stage.lookAtEvent(EVENT), undefined);
      const count = seriesRequest({ ...series, count: 2, saidCount: 1 }, "controller-0");
      assert.equal(await cameTo(stage.client, count), "conflict NOT_FOUND");
    });
  });
}
