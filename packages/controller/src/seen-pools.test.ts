// Pools of the sources that show them: when they go, and which one counts of two with one name.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { makePool } from "@fairlead/testkit";

import { poolsNamed } from "./cluster-state.ts";
import { listed, type Story, tell, type Told } from "./fact-story.ts";
import type { Fact } from "./facts.ts";

const POOL = makePool("lan", "192.0.2.10-192.0.2.20");

suite("pools", () => {
  const hasPool = ({ state }: Told): boolean => poolsNamed(state, POOL.name).length > 0;
  const shown: Fact = { kind: "pool-seen", source: "pools", pool: POOL };

  test("stay when one list lacks them and go with the second", () => {
    const story: Story = [
      [0, shown, listed([], "pools", [POOL.name])],
      [10, listed([], "pools")],
    ];
    assert.ok(hasPool(tell(story)));
    const later: Story = [...story, [40, listed([], "pools")]];
    assert.ok(!hasPool(tell(later)));
  });

  test("of two sources and one name both are there, and the older counts", () => {
    const other = { ...POOL, createdAtMs: 1 };
    const again: Fact = { kind: "pool-seen", source: "kubernetes", pool: other };
    const both = tell([[0, shown, again]]).state;
    assert.deepEqual(
      poolsNamed(both, "lan").map(({ source }) => source),
      ["kubernetes", "pools"],
    );
    const how = "seen-deleted";
    const ended: Fact = { kind: "pool-gone", source: "kubernetes", name: POOL.name, how };
    const left = tell([[0, shown, again, ended]]).state;
    assert.deepEqual(
      poolsNamed(left, "lan").map(({ source }) => source),
      ["pools"],
    );
  });

  test("go at once when their deletion was seen, by their own source alone", () => {
    const byWord = (source: string): Fact => ({
      kind: "pool-gone",
      source,
      name: POOL.name,
      how: "seen-deleted",
    });
    assert.ok(hasPool(tell([[0, shown, byWord("folder")]])));
    assert.ok(!hasPool(tell([[0, shown, byWord("pools")]])));
  });
});
