// Claims that only the store knows: they are kept until every source has listed twice without them,
// or one saw them end.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { makeClaim } from "@fairlead/testkit";

import { gone, listed, seen, type Story, tell } from "./fact-story.ts";

const WEB = makeClaim("web");
const OTHER = makeClaim("other");

test("a claim that only the store knows is gone when a source saw it end", () => {
  const { state, changedAt } = tell([[1, gone(WEB, "seen-deleted", "kubernetes")]], {
    stored: [WEB.id, OTHER.id],
  });
  assert.deepEqual([...state.orphans.keys()], [OTHER.id]);
  assert.deepEqual(changedAt, [1]);
  assert.equal(tell([[1, gone(WEB, "absent")]], { stored: [WEB.id] }).state.orphans.size, 1);
});

suite("a claim that only the store knows", () => {
  const stored = [WEB.id];
  const two = ["folder", "cluster"];
  const cases: readonly {
    readonly name: string;
    readonly sources?: readonly string[];
    readonly story: Story;
    readonly stays: boolean;
  }[] = [
    { name: "stays before any list", story: [], stays: true },
    { name: "stays after one list without it", story: [[0, listed([])]], stays: true },
    {
      name: "stays after a second list too soon",
      story: [
        [0, listed([])],
        [29, listed([])],
      ],
      stays: true,
    },
    {
      name: "goes after a second list half a minute later",
      story: [
        [0, listed([])],
        [30, listed([])],
      ],
      stays: false,
    },
    {
      name: "is none any more when a source shows it, whatever its uid",
      story: [[0, seen(makeClaim("web", { uid: "uid-again" })), listed([WEB])]],
      stays: false,
    },
    {
      name: "stays while one of two sources has not listed at all",
      sources: two,
      story: [
        [0, listed([])],
        [60, listed([])],
      ],
      stays: true,
    },
    {
      name: "stays while one of two sources has not listed twice",
      sources: two,
      story: [
        [0, listed([])],
        [10, listed([], "cluster")],
        [50, listed([])],
      ],
      stays: true,
    },
    {
      name: "goes when both of two sources listed it not, twice, apart",
      sources: two,
      story: [
        [0, listed([])],
        [10, listed([], "cluster")],
        [40, listed([])],
        [41, listed([], "cluster")],
      ],
      stays: false,
    },
  ];
  for (const { name, story, stays, sources } of cases) {
    test(name, () => {
      const { state } = tell(story, { stored, ...(sources === undefined ? {} : { sources }) });
      assert.equal(state.orphans.has(WEB.id), stays);
    });
  }

  test("goes as news for planning, a mere mark is none", () => {
    const story: Story = [
      [0, listed([])],
      [10, listed([])],
      [30, listed([])],
      [60, listed([])],
    ];
    assert.deepEqual(tell(story, { stored }).changedAt, [0, 30]);
  });
});
