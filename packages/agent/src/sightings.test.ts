// Asking the segment for what others hold: how often, how many at once, soon after a takeover, and
// nothing said before two answers agree. On the fake clock, looked at once a second as the loop
// does.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Address } from "@fairlead/model";
import { acceptedPlan, address, createFakeHost, fakeWorld, laneOf, vipOf } from "@fairlead/testkit";

import type { AcceptedPlan, KernelView, SegmentSight, Sighted } from "./ports.ts";
import {
  BATCH_MAX,
  createSightings,
  INTERVAL_MS,
  RATE_PER_S,
  type Sightings,
} from "./sightings.ts";

const ORDER = ["a=192.0.2.11", "b=192.0.2.12", "c=192.0.2.13"];
const MAC = "02:00:00:00:00:0b";
const OTHER = "02:00:00:00:00:0c";

interface Stage {
  readonly sightings: Sightings;
  /** What answers, by address; MAC by default. */
  readonly answers: Map<Address, string>;
  readonly asked: { readonly atMs: number; readonly addresses: readonly Address[] }[];
  /** Looks once a second for so long, and gives what was said last. */
  run(ms: number, wanted: AcceptedPlan): Promise<ReadonlyMap<Address, Sighted>>;
}

async function stageOf({ failing = false, random = 0.5 } = {}): Promise<Stage> {
  const { clock, segment } = fakeWorld();
  const host = createFakeHost({ name: "b", prefix: "192.0.2.12/24", segment, clock });
  const kernel: KernelView = await host.kernel.view();
  const answers = new Map<Address, string>();
  const asked: Stage["asked"] = [];
  const sight: SegmentSight = {
    see: async (_link, addresses) => {
      asked.push({ atMs: clock.nowMs(), addresses });
      if (failing) throw new Error("it cannot ask");
      return new Map(addresses.map((one) => [one, { mac: answers.get(one) ?? MAC }]));
    },
  };
  const sightings = createSightings({ clock, random: () => random, sight });
  return {
    sightings,
    answers,
    asked,
    run: async (ms, wanted) => {
      let seen: ReadonlyMap<Address, Sighted> = new Map();
      for (let passedMs = 0; passedMs <= ms; passedMs += 1000) {
        seen = sightings.look({ wanted, kernel });
        await clock.advance(1000);
      }
      return seen;
    },
  };
}

/** The plan of b with so many VIPs in a lane that `holder` holds. */
function planOf(count: number, holder = "a"): AcceptedPlan {
  const lane = { ...laneOf({ routerId: 51, order: ORDER }), ...holderOf(holder) };
  const vips = Array.from({ length: count }, (_, n) =>
    vipOf(`198.51.${100 + (n >> 8)}.${n & 255}`, lane),
  );
  return acceptedPlan("b", [lane, ...vips]);
}

function holderOf(holder: string): object {
  return holder === "" ? {} : { holder };
}

const FIRST = address("198.51.100.0");
const SECOND = address("198.51.100.1");

test("two answers that agree are told, and then each address is asked for seldom", async () => {
  const stage = await stageOf();
  const seen = await stage.run(2000, planOf(1));
  assert.deepEqual(seen.get(FIRST), { mac: MAC });
  assert.equal(stage.asked.length, 2);
  await stage.run(10 * INTERVAL_MS, planOf(1));
  assert.ok(stage.asked.length <= 12, `${stage.asked.length} questions in ten intervals`);
  assert.ok(stage.asked.length >= 10, `${stage.asked.length} questions in ten intervals`);
});

test("one answer that differs is not told, two are, also that nobody answers", async () => {
  const stage = await stageOf();
  await stage.run(2000, planOf(1));
  for (const mac of [OTHER, ""]) {
    const before = stage.asked.length;
    stage.answers.set(FIRST, mac);
    while (stage.asked.length === before) {
      const seen = await stage.run(0, planOf(1));
      assert.notEqual(seen.get(FIRST)?.mac, mac);
    }
    assert.equal((await stage.run(2000, planOf(1))).get(FIRST)?.mac, mac);
  }
});

test("a takeover forgets what was seen, and one of its lane is asked for at once", async () => {
  const stage = await stageOf();
  await stage.run(60_000, planOf(100));
  const before = stage.asked.length;
  const seen = await stage.run(0, planOf(100, "c"));
  assert.deepEqual([...seen], []);
  assert.equal(stage.asked.length, before + 1);
  const last = stage.asked.at(-1)?.addresses ?? [];
  assert.ok(last.includes(FIRST));
  assert.equal((await stage.run(2000, planOf(100, "c"))).get(FIRST)?.mac, MAC);
});

test("a thousand are asked for in bounded goes and at a bounded rate, and all are seen", async () => {
  const stage = await stageOf();
  const plan = planOf(1000);
  const seen = await stage.run(200_000, plan);
  assert.equal(seen.size, 1000);
  assert.ok(stage.asked.every(({ addresses }) => addresses.length <= BATCH_MAX));
  const count = stage.asked.reduce((sum, { addresses }) => sum + addresses.length, 0);
  assert.ok(count <= 200 * RATE_PER_S + BATCH_MAX, `${count} questions in 200 s`);
});

/** When a host asks, in s, by its own chance: for one address alone, and first for a second one. */
const chances = [
  { random: 0, aloneS: [0, 1, 10], secondS: 0 },
  { random: 0.5, aloneS: [0, 1, 11], secondS: 5 },
  { random: 0.999, aloneS: [0, 1, 12], secondS: 10 },
];
for (const { random, aloneS, secondS } of chances) {
  test(`hosts do not ask in step: with chance ${random} again after ${aloneS.at(-1)} s`, async () => {
    const alone = await stageOf({ random });
    await alone.run(15_000, planOf(1));
    assert.deepEqual(
      alone.asked.map(({ atMs }) => atMs / 1000),
      aloneS,
    );
    const two = await stageOf({ random });
    await two.run(15_000, planOf(2));
    const first = two.asked.find(({ addresses }) => addresses.includes(SECOND));
    assert.equal(first?.atMs, secondS * 1000);
  });
}

const nothing: readonly {
  readonly name: string;
  readonly wanted: AcceptedPlan;
}[] = [
  { name: "what nobody is known to hold", wanted: planOf(3, "") },
  { name: "what this host is to hold", wanted: planOf(3, "b") },
  { name: "a lane that it only listens to has no VIPs", wanted: planOf(0) },
];
for (const { name, wanted } of nothing) {
  test(`is not asked for: ${name}`, async () => {
    const stage = await stageOf();
    assert.equal((await stage.run(30_000, wanted)).size, 0);
    assert.deepEqual(stage.asked, []);
  });
}

test("who cannot ask says nothing, and forgets what it saw", async () => {
  const stage = await stageOf({ failing: true });
  assert.equal((await stage.run(60_000, planOf(3))).size, 0);
  assert.ok(stage.asked.length > 0);
});
