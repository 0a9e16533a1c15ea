// Patched maps against plain ones: whatever is patched in whatever order, both have the same
// content and agree on what differs. A failure prints the seed that repeats it.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { changedKeys, patchMap } from "./index.ts";

interface Value {
  readonly text: string;
}

/** Sizes around the one from which maps are patched, and well above it. */
const arbSize = fc.constantFrom(0, 3, 511, 512, 600, 2000);
/** Few keys, so that they meet; some are in no base. */
const arbPatch = fc.array(
  fc.tuple(fc.constantFrom("0", "1", "2", "500", "599", "x", "y", "z"), fc.boolean()),
  { maxLength: 4 },
);

test("patched maps have the content of edited copies, and say what differs", () => {
  fc.assert(
    fc.property(arbSize, fc.array(arbPatch, { maxLength: 40 }), (size, patches) => {
      const first = new Map<string, Value>();
      for (let i = 0; i < size; i++) first.set(`${i}`, { text: `${i}` });
      let plain = first;
      let patched: ReadonlyMap<string, Value> = first;
      for (const patch of patches) {
        const changes = new Map(
          patch.map(([key, stays]) => [key, stays ? { text: key } : undefined]),
        );
        const edited = new Map(plain);
        for (const [key, value] of changes) {
          if (value === undefined) edited.delete(key);
          else edited.set(key, value);
        }
        const next = patchMap(patched, changes);
        const differing = [...new Set([...plain.keys(), ...edited.keys()])]
          .filter((key) => plain.get(key) !== edited.get(key))
          .sort();
        assert.deepEqual([...changedKeys(patched, next)].sort(), differing);
        assert.deepEqual([...changedKeys(next, patched)].sort(), differing);
        assert.deepEqual(
          [...changedKeys(first, next)].sort(),
          [...changedKeys(next, first)].sort(),
        );
        assert.deepEqual([...changedKeys(next, edited)], []);
        if (differing.length === 0) assert.equal(next, patched);
        assert.deepEqual(new Map(next), edited);
        [plain, patched] = [edited, next];
      }
      assert.equal(patched.size, plain.size);
      assert.deepEqual(new Set(patched.keys()), new Set(plain.keys()));
      assert.deepEqual(new Set(patched.values()), new Set(plain.values()));
      for (const key of [...plain.keys(), "x", "no"]) {
        assert.equal(patched.get(key), plain.get(key));
        assert.equal(patched.has(key), plain.has(key));
      }
      const seen = new Map<string, Value>();
      patched.forEach((value, key) => seen.set(key, value));
      assert.deepEqual(seen, plain);
    }),
  );
});

test("a map that is patched stays as it was", () => {
  const map: ReadonlyMap<string, number> = new Map(
    Array.from({ length: 1000 }, (_, i) => [`${i}`, i]),
  );
  const once = patchMap(map, new Map([["1", -1]]));
  const changes = new Map([
    ["1", undefined],
    ["2", -2],
  ]);
  const twice = patchMap(once, changes);
  assert.deepEqual([map.get("1"), once.get("1"), twice.get("1")], [1, -1, undefined]);
  assert.deepEqual([map.size, once.size, twice.size], [1000, 1000, 999]);
  assert.equal(patchMap(twice, new Map([["2", -2]])), twice);
});
