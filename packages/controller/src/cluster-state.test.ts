// What facts add up to, above all when something that a list lacks counts as gone.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Finding } from "@fairlead/model";
import { makeClaim } from "@fairlead/testkit";

import { createClusterState, foldFacts } from "./cluster-state.ts";
import { gone, listed, seen, type Story, tell } from "./fact-story.ts";
import type { Fact } from "./facts.ts";

const WEB = makeClaim("web");
const OTHER = makeClaim("other");

suite("a claim that a source shows", () => {
  const cases: readonly {
    readonly name: string;
    readonly story: Story;
    readonly stays: boolean;
    readonly changedAt: readonly number[];
  }[] = [
    {
      name: "is there",
      story: [[0, seen(WEB), listed([WEB])]],
      stays: true,
      changedAt: [0],
    },
    {
      name: "goes at once when its deletion was seen",
      story: [
        [0, seen(WEB), listed([WEB])],
        [1, gone(WEB, "seen-deleted")],
      ],
      stays: false,
      changedAt: [0, 1],
    },
    {
      name: "stays when one list lacks it",
      story: [
        [0, seen(WEB), listed([WEB])],
        [10, listed([])],
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "stays when many lists within half a minute lack it",
      story: [
        [0, seen(WEB), listed([WEB])],
        ...[10, 20, 30, 39].map((second) => [second, listed([])] as const),
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "goes when a second list half a minute later lacks it too",
      story: [
        [0, seen(WEB), listed([WEB])],
        [10, listed([])],
        [40, listed([])],
      ],
      stays: false,
      changedAt: [0, 40],
    },
    {
      name: "stays when it was back in a list between the two",
      story: [
        [0, seen(WEB), listed([WEB])],
        [10, listed([])],
        [20, listed([WEB])],
        [40, listed([])],
        [69, listed([])],
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "stays when it was shown again between the two",
      story: [
        [0, seen(WEB), listed([WEB])],
        [10, listed([])],
        [20, seen(WEB)],
        [45, listed([])],
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "is not the business of another source's lists",
      story: [
        [0, seen(WEB), listed([WEB])],
        [10, listed([], "cluster")],
        [90, listed([], "cluster")],
      ],
      stays: true,
      changedAt: [0, 10],
    },
    {
      name: "does not go by another source's word",
      story: [
        [0, seen(WEB), listed([WEB])],
        [1, gone(WEB, "seen-deleted", "cluster")],
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "does not go by one source's word that it is absent",
      story: [
        [0, seen(WEB), listed([WEB])],
        [1, gone(WEB, "absent")],
      ],
      stays: true,
      changedAt: [0],
    },
    {
      name: "costs no planning when it is shown again as it was",
      story: [
        [0, seen(WEB)],
        [1, seen(makeClaim("web"))],
      ],
      stays: true,
      changedAt: [0],
    },
  ];
  for (const { name, story, stays, changedAt } of cases) {
    test(name, () => {
      const told = tell(story);
      assert.equal(told.state.claims.has(WEB.id), stays);
      assert.deepEqual(told.changedAt, changedAt);
    });
  }
});

suite("an object deleted and made again", () => {
  const again = makeClaim("web", { uid: "uid-again" });

  test("is another one, seen since then", () => {
    const { state } = tell([
      [0, seen(WEB)],
      [60, seen(again)],
    ]);
    const entry = state.claims.get(WEB.id);
    assert.equal(entry?.value.uid, "uid-again");
    assert.equal(entry?.seenAtMs, 1_060_000);
  });

  test("does not go by the late news that the first one is deleted", () => {
    const { state } = tell([
      [0, seen(WEB)],
      [1, seen(again)],
      [2, gone(WEB, "seen-deleted")],
    ]);
    assert.ok(state.claims.has(WEB.id));
  });

  test("changed in place it keeps its age", () => {
    const { state, changedAt } = tell([
      [0, seen(WEB)],
      [60, seen({ ...WEB, generation: 2 })],
    ]);
    assert.equal(state.claims.get(WEB.id)?.seenAtMs, 1_000_000);
    assert.deepEqual(changedAt, [0, 60]);
  });

  test("shown again as it was, it stays the object that planning knows", () => {
    const { state } = tell([
      [0, seen(WEB)],
      [1, seen(makeClaim("web"))],
    ]);
    assert.equal(state.claims.get(WEB.id)?.value, WEB);
  });
});

suite("findings", () => {
  const finding: Finding = {
    subject: "file",
    name: "web.yaml",
    reason: "ManifestUnreadable",
    detail: "line 3",
  };
  const found: Fact = { kind: "finding", source: "folder", finding };

  test("are news once", () => {
    const { changedAt } = tell([
      [0, found],
      [1, { ...found, finding: { ...finding } }],
      [2, { ...found, finding: { ...finding, detail: "line 4" } }],
    ]);
    assert.deepEqual(changedAt, [0, 2]);
  });

  test("of two sources about one name do not touch each other", () => {
    const { state } = tell([
      [0, found, { ...found, source: "cluster" }],
      [1, { kind: "finding-cleared", source: "cluster", subject: "file", name: "web.yaml" }],
    ]);
    assert.equal(state.findings.size, 1);
  });
});

test("the wall clock may jump without hurrying the second list", () => {
  const sources = ["folder"];
  let state = createClusterState([OTHER.id]);
  const fold = (fact: Fact, nowMs: number, steadyMs: number): void => {
    ({ state } = foldFacts(state, [fact], { sources, nowMs, steadyMs }));
  };
  fold(seen(WEB), 0, 0);
  fold(listed([]), 0, 1000);
  fold(listed([]), 1_700_000_000_000, 2000);
  assert.ok(state.claims.has(WEB.id));
  assert.ok(state.orphans.has(OTHER.id));
  fold(listed([]), 1_700_000_000_000, 31_000);
  assert.ok(!state.claims.has(WEB.id));
  assert.ok(!state.orphans.has(OTHER.id));
});

test("a state is never changed in place", () => {
  const before = createClusterState([]);
  foldFacts(before, [seen(WEB), listed([WEB])], { sources: ["folder"], nowMs: 0, steadyMs: 0 });
  assert.equal(before.claims.size, 0);
  assert.equal(before.listedSteadyMs.size, 0);
});
