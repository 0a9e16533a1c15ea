// Slots for any members: as many as asked for, each an active member's, shares as weights say; one
// that comes or goes changes no more than its share, whatever came before.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "@fairlead/model";
import { member } from "@fairlead/testkit";
import fc from "fast-check";
import {
  SLOT_COUNTS,
  type SlotCount,
  type Slots,
  type SlotsBefore,
  fillSlots,
  slotCountFor,
} from "./slots.ts";

const FILLINGS = ["in-turn", "by-hash"] as const;

/** Members by the last byte of their address, of any weight. */
const members = fc
  .uniqueArray(fc.record({ byte: fc.integer({ min: 1, max: 40 }), weight: weights() }), {
    selector: ({ byte }) => byte,
    minLength: 1,
    maxLength: 12,
  })
  .map((list) => list.map(({ byte, weight }) => memberOf(byte, weight)));

function weights(): fc.Arbitrary<number> {
  return fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 256 }));
}

function memberOf(byte: number, weight = 1): Member {
  return { ...member(`10.0.0.${byte}:80`), weight };
}

function changed(a: Slots, b: Slots): number {
  return a.filter((one, slot) => one.address !== b[slot]?.address).length;
}

function share(slots: Slots, { address }: Member): number {
  return slots.filter((slot) => slot.address === address).length;
}

for (const filling of FILLINGS) {
  test(`${filling}: every slot names a member, and no draining one`, () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 0, max: 11 }), (all, drained) => {
        const some = all.map((one, at) =>
          at === drained ? { ...one, state: "draining" as const } : one,
        );
        const count = slotCountFor(some, filling);
        const slots = fillSlots(some, count, filling);
        const active = some.filter(({ state }) => state === "active");
        assert.equal(slots.length, active.length === 0 ? 0 : count);
        assert.ok(slots.every((slot) => active.includes(slot)));
      }),
    );
  });

  test(`${filling}: who comes or goes changes no more slots than its share`, () => {
    const steps = fc.array(
      fc.record({ byte: fc.integer({ min: 1, max: 40 }), weight: weights() }),
      {
        minLength: 1,
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(members, steps, (start, toggles) => {
        const count = SLOT_COUNTS[1];
        let current = start;
        let slots = fillSlots(current, count, filling);
        for (const { byte, weight } of toggles) {
          const one = memberOf(byte, weight);
          const here = current.find(({ address }) => address === one.address);
          const next = here === undefined ? [...current, one] : current.filter((m) => m !== here);
          if (next.length === 0) continue;
          const after = fillSlots(next, count, filling, slots);
          const owned = here === undefined ? share(after, one) : share(slots, here);
          assert.equal(changed(slots, after), owned);
          [current, slots] = [next, after];
        }
      }),
    );
  });
}

test("in-turn: shares are as weights say, within one slot where weights are equal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), (count) => {
      const equal = Array.from({ length: count }, (_, at) => memberOf(at + 1));
      const slots = fillSlots(equal, slotCountFor(equal, "in-turn"), "in-turn");
      const shares = equal.map((one) => share(slots, one));
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, String(shares));
    }),
  );
  const weighted = [memberOf(1, 3), memberOf(2, 1)];
  assert.equal(share(fillSlots(weighted, 24, "in-turn"), memberOf(1)), 18);
});

test("in-turn: of members that got more slots each keeps what it had, but for the newcomer's share", () => {
  for (const before of [6, 8, 12, 24]) {
    const few = Array.from({ length: before }, (_, at) => memberOf(at + 1));
    const slots = fillSlots(few, 24, "in-turn");
    const more = [...few, memberOf(before + 1)];
    const grown = fillSlots(more, 120, "in-turn", slots).slice(0, 24);
    const most = Math.ceil(24 / more.length) + 2;
    assert.ok(changed(slots, grown) <= most, `${changed(slots, grown)} of ${most}, ${before}`);
  }
});

test("in-turn: three slots in a row name three of three members", () => {
  const slots = fillSlots([memberOf(1), memberOf(2), memberOf(3)], 24, "in-turn");
  for (const at of slots.keys()) {
    const three = [0, 1, 2].map((next) => slots[(at + next) % 24]?.address);
    assert.equal(new Set(three).size, 3);
  }
});

test("by-hash: shares are near what weights say, and the same in any order", () => {
  const all = [memberOf(1), memberOf(2), memberOf(3, 2)];
  const slots = fillSlots(all, SLOT_COUNTS[2], "by-hash");
  assert.deepEqual(fillSlots(all.toReversed(), SLOT_COUNTS[2], "by-hash"), slots);
  for (const [one, wanted] of [
    [memberOf(1), 255],
    [memberOf(2), 255],
    [memberOf(3), 510],
  ] as const) {
    assert.ok(Math.abs(share(slots, one) - wanted) < 60, String(share(slots, one)));
  }
});

test("slots are as many as the members need, and never fewer than there were", () => {
  const many = (count: number): Member[] => Array.from({ length: count }, (_, at) => memberOf(at));
  assert.equal(slotCountFor([], "in-turn"), 24);
  assert.equal(slotCountFor(many(6), "in-turn"), 24);
  assert.equal(slotCountFor(many(7), "in-turn"), 120);
  assert.equal(slotCountFor(many(31), "in-turn"), 1020);
  assert.equal(slotCountFor(many(3), "by-hash"), 120);
  assert.equal(slotCountFor([memberOf(1, 256), memberOf(2, 1)], "in-turn"), 1020);
  const at = (count: SlotCount, reloads: boolean): SlotsBefore => ({ count, reloads });
  assert.equal(slotCountFor(many(2), "in-turn", at(120, true)), 120);
  for (const [size, filling, before, count] of [
    [7, "in-turn", at(24, true), 120],
    [7, "in-turn", at(24, false), 24],
    [24, "in-turn", at(24, false), 24],
    [25, "in-turn", at(24, false), 120],
    [60, "by-hash", at(120, false), 120],
    [61, "by-hash", at(120, false), 1020],
  ] as const) {
    assert.equal(slotCountFor(many(size), filling, before), count, `${size} ${filling}`);
  }
  assert.equal(slotCountFor(many(255), "in-turn"), 1020);
});
