// How long a view of the kernel is good for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import type { KernelView } from "../ports.ts";
import { createKeptView, type KeptView } from "./kept-view.ts";

function stage(): {
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly kept: KeptView;
  readonly looks: () => number;
  whileLooking: () => void;
} {
  const clock = createFakeClock();
  let looks = 0;
  const self = {
    clock,
    looks: () => looks,
    whileLooking: (): void => undefined,
    kept: createKeptView({
      clock,
      keptMs: 10_000,
      look: (): Promise<KernelView> => {
        looks += 1;
        self.whileLooking();
        return Promise.resolve({ links: [], addresses: [] });
      },
    }),
  };
  return self;
}

test("while nothing changes it is the same view, until it is too old", async () => {
  const { clock, kept, looks } = stage();
  const first = await kept.last();
  await clock.advance(9_999);
  assert.equal(await kept.last(), first);
  assert.equal(looks(), 1);
  await clock.advance(1);
  assert.notEqual(await kept.last(), first);
  assert.equal(looks(), 2);
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
