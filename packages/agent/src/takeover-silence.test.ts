// How long nobody spoke for a lane before it was taken over, by what was read after it. On the fake
// clock, with adverts as the kernel tells of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { KernelView } from "./ports.ts";
import { laneAnchor } from "@fairlead/render";
import { acceptedPlan, createFakeHost, device, fakeWorld, laneOf } from "@fairlead/testkit";

import type { HeardAdverts } from "./ports.ts";
import { createTakeoverSilences, withSilences } from "./takeover-silence.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const [holder, silent] = [LANE.order[0]?.address, 340];

/** The host of b, with or without the lane; what it hears is read a while after it is asked for. */
async function stage() {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "b", prefix: "192.0.2.12/24", segment, clock });
  const without = await host.kernel.view();
  const anchor = { ...laneAnchor(LANE), link: device("eth0") };
  const withLane: KernelView = { ...without, addresses: [...without.addresses, anchor] };
  const adverts: HeardAdverts[] = [];
  let read = { readMs: clock.nowMs(), adverts: [...adverts] };
  const asked: number[] = [];
  const silences = createTakeoverSilences({
    clock,
    vrrp: {
      adverts: (ageMsMax) => {
        asked.push(ageMsMax);
        return read;
      },
    },
  });
  const wanted = acceptedPlan("b", [LANE]);
  return {
    clock,
    asked,
    hears: (routerId = LANE.routerId): void => {
      assert.ok(holder !== undefined);
      adverts.push({ routerId, source: holder, link: LANE.link, lastMs: clock.nowMs() });
    },
    reads: (): void => void (read = { readMs: clock.nowMs(), adverts: [...adverts] }),
    look: (isHere: boolean) =>
      silences.look({ wanted, kernel: isHere ? withLane : without }).get(LANE.name),
  };
}

test("a lane is taken over: what was read after it tells since when nobody spoke for it", async () => {
  const s = await stage();
  assert.equal(s.look(false), undefined);
  assert.deepEqual(s.asked, [], "nothing is read for a lane that another one has");
  s.hears();
  s.hears(52);
  s.reads();
  await s.clock.advance(silent);
  s.hears(53);
  assert.equal(s.look(true), undefined, "what was read before it may be old");
  await s.clock.advance(20);
  assert.equal(s.look(true), undefined);
  assert.deepEqual(s.asked, [0, 20], "a reading from after it is asked for");
  s.reads();
  assert.equal(s.look(true), silent);
  await s.clock.advance(5000);
  s.hears();
  s.reads();
  assert.equal(s.look(true), silent, "it is said for as long as the lane is here");
  assert.equal(s.look(false), undefined);
});

test("an agent that starts with a lane took nothing over, and a new lane nobody had", async () => {
  const held = await stage();
  held.hears();
  held.reads();
  assert.equal(held.look(true), undefined);
  assert.deepEqual(held.asked, []);

  const fresh = await stage();
  fresh.look(false);
  fresh.look(true);
  fresh.reads();
  assert.equal(fresh.look(true), undefined);
});

test("of a lane that somebody else has by now no takeover is told", () => {
  const silences = new Map([[LANE.name, silent]]);
  const report = (state: "holder" | "successor") => [{ name: LANE.name, state }];
  assert.deepEqual(withSilences(report("holder"), silences), [
    { name: LANE.name, state: "holder", silenceMs: silent },
  ]);
  assert.deepEqual(withSilences(report("successor"), silences), report("successor"));
});
