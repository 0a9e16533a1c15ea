// How long a view of the kernel is good for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import { address, device } from "@fairlead/testkit";

import type { KernelView } from "../ports.ts";
import { createKeptView, type KeptView } from "./kept-view.ts";

interface Stage {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly kept: KeptView;
  readonly looks: () => number;
  whileLooking: () => void;
  silent: string;
}

function stage(addresses: KernelView["addresses"] = []): Stage {
  const clock = createFakeClock();
  let looks = 0;
  const self: Stage = {
    clock,
    looks: () => looks,
    whileLooking: () => undefined,
    silent: "",
    kept: createKeptView({
      clock,
      keptMs: 10_000,
      silentPart: () => self.silent,
      look: (): Promise<KernelView> => {
        looks += 1;
        self.whileLooking();
        return Promise.resolve({ links: [], addresses });
      },
    }),
  };
  return self;
}

test("while nothing changes it is the same view, until it is too old", async () => {
  const { clock, kept, looks } = stage();
  const first = await kept.last();
  for (let passed = 0; passed < 59; passed += 1) {
    await clock.advance(1000);
    assert.equal(await kept.last(), first);
  }
  assert.equal(looks(), 1);
  await clock.advance(1000);
  const second = await kept.last();
  assert.notEqual(second, first);
  for (let passed = 0; passed < 299; passed += 1) {
    await clock.advance(1000);
    assert.equal(await kept.last(), second);
  }
  await clock.advance(1000);
  assert.notEqual(await kept.last(), second);
  assert.equal(looks(), 3);
});

test("what changes without an event is found in time, and is looked at once", async () => {
  const one = stage();
  const first = await one.kept.last();
  one.silent = "another route";
  await one.clock.advance(9_999);
  assert.equal(await one.kept.last(), first);
  await one.clock.advance(1);
  const second = await one.kept.last();
  assert.notEqual(second, first);
  await one.clock.advance(10_000);
  assert.equal(await one.kept.last(), second);
  assert.equal(one.looks(), 2);
});

test("what is left of a short lifetime is looked at as often", async () => {
  const place = { address: address("192.0.2.7"), prefixLength: 24, link: device("eth0") };
  for (const [validMs, looks] of [
    [60_000, 2],
    [86_400_000, 1],
  ] as const) {
    const one = stage([{ ...place, validMs }]);
    await one.kept.last();
    await one.clock.advance(10_000);
    await one.kept.last();
    assert.equal(one.looks(), looks, `${validMs} ms`);
  }
});

test("after a change it is looked at anew", async () => {
  const { kept, looks } = stage();
  const first = await kept.last();
  kept.outdate();
  assert.notEqual(await kept.last(), first);
  assert.equal(looks(), 2);
});

test("a view amid which something changed is given and not kept", async () => {
  const one = stage();
  one.whileLooking = () => one.kept.outdate();
  await one.kept.last();
  one.whileLooking = () => undefined;
  await one.kept.last();
  assert.equal(one.looks(), 2);
});
