// Events as the recorder writes them: made once, counted, and refused where they are not what
// events.k8s.io asks for. Stories of the contract of writes; given a way to make stages.

import assert from "node:assert/strict";
import { test } from "node:test";

import { seriesRequest } from "@fairlead/controller";
import { present } from "@fairlead/model";

import { childOf, isJson, type Json } from "../kube-stub/json-tree.ts";
import type { WriteStage } from "./write-stage.ts";
import { cameTo, EVENT, seriesOf, withFields } from "./written-words.ts";

const SERIES = { count: 2, lastObservedTime: "2026-01-01T00:00:01.000000Z" };

/** Of an Event that is refused what is wrong in it; undefined takes a field away. */
const WRONG: Readonly<Record<string, Json>> = {
  "whose note has more than 1024 bytes": { note: `${"é".repeat(512)}.` },
  "of another type than Normal and Warning": { type: "Loud" },
  "without a type": { type: undefined },
  "without a reason": { reason: undefined },
  "whose reason has more than 128 letters": { reason: "R".repeat(129) },
  "without an action": { action: undefined },
  "whose action has more than 128 letters": { action: "A".repeat(129) },
  "that nobody reports": { reportingController: undefined },
  "that no instance reports": { reportingInstance: undefined },
  "whose instance has more than 128 letters": { reportingInstance: "i".repeat(129) },
  "without its time": { eventTime: undefined },
  "that repeated once": { series: { ...SERIES, count: 1 } },
};

/** Registers them. */
export function testEventWrites(make: () => Promise<WriteStage>): void {
  testTold(make);
  testRefused(make);
}

function testTold(make: () => Promise<WriteStage>): void {
  test("an Event stands as it was told, and its count is written over", async () => {
    await using stage = await make();
    const series = await seriesOf(stage);
    const asked = seriesRequest(series, "controller-0");
    await stage.client.request(asked);
    const told = isJson(asked.body) ? asked.body : {};
    const made = await eventIn(stage);
    const regarding = childOf(told, "regarding");
    assert.deepEqual(pick(made, told), { ...told, metadata: made["metadata"], regarding });
    const counted = { ...series, count: 2, saidCount: 1, lastWallMs: series.firstWallMs + 1000 };
    await stage.client.request(seriesRequest(counted, "controller-0"));
    assert.deepEqual((await eventIn(stage))["series"], SERIES);
    await stage.client.request(seriesRequest({ ...counted, count: 7 }, "controller-0"));
    assert.deepEqual((await eventIn(stage))["series"], { ...SERIES, count: 7 });
    assert.equal((await eventIn(stage))["note"], told["note"]);
  });

  test("an Event that repeated before it could be told is told with its count", async () => {
    await using stage = await make();
    const series = { ...(await seriesOf(stage)), count: 2 };
    const request = seriesRequest({ ...series, lastWallMs: series.firstWallMs + 1000 }, "c");
    await stage.client.request(request);
    assert.deepEqual((await eventIn(stage))["series"], SERIES);
  });

  test("an Event of the name of another one is a conflict, and changes nothing", async () => {
    await using stage = await make();
    const request = seriesRequest(await seriesOf(stage), "controller-0");
    await stage.client.request(request);
    const before = await eventIn(stage);
    const other = withFields(request, { note: "Something else." });
    assert.equal(await cameTo(stage.client, other), "conflict CONFLICT");
    assert.deepEqual(await eventIn(stage), before);
  });

  test("the count of an Event that is gone is a conflict, and makes none", async () => {
    await using stage = await make();
    const series = { ...(await seriesOf(stage)), count: 2, saidCount: 1 };
    const request = seriesRequest(series, "controller-0");
    assert.equal(await cameTo(stage.client, request), "conflict NOT_FOUND");
    assert.equal(await stage.lookAtEvent(EVENT), undefined);
  });
}

function testRefused(make: () => Promise<WriteStage>): void {
  for (const [what, wrong] of Object.entries(WRONG)) {
    test(`an Event ${what} is refused`, async () => {
      await using stage = await make();
      const good = seriesRequest(await seriesOf(stage), "controller-0");
      assert.equal(await cameTo(stage.client, withFields(good, wrong)), "refused INVALID");
      assert.equal(await stage.lookAtEvent(EVENT), undefined);
      assert.equal(await cameTo(stage.client, good), "written");
    });
  }

  test("what an Event tells is not changed any more, and only its count is", async () => {
    await using stage = await make();
    const series = await seriesOf(stage);
    await stage.client.request(seriesRequest(series, "controller-0"));
    const before = await eventIn(stage);
    const count = seriesRequest({ ...series, count: 2, saidCount: 1 }, "controller-0");
    for (const wrong of [{ note: "Something else." }, { reason: "Other" }, { type: "Warning" }]) {
      assert.equal(await cameTo(stage.client, withFields(count, wrong)), "refused INVALID");
    }
    const once = withFields(count, { series: { ...SERIES, count: 1 } });
    assert.equal(await cameTo(stage.client, once), "refused INVALID");
    assert.deepEqual(await eventIn(stage), before);
  });
}

async function eventIn(stage: WriteStage): Promise<Json> {
  return present(await stage.lookAtEvent(EVENT), "the Event");
}

/** Those fields of the first that the second has too. */
function pick(object: Json, like: Json): Json {
  return Object.fromEntries(Object.keys(like).map((key) => [key, object[key]]));
}
