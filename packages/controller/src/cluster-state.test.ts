// What facts add up to, above all when something that a list lacks counts as gone.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Claim, ClaimId, Finding, PoolName } from "@fairlead/model";
import { makeClaim, makePool } from "@fairlead/testkit";

import { type ClusterState, createClusterState, foldFacts, poolsNamed } from "./cluster-state.ts";
import type { Fact } from "./facts.ts";

const WEB = makeClaim("web");
const OTHER = makeClaim("other");
const POOL = makePool("lan", "192.0.2.10-192.0.2.20");

const seen = (claim: Claim, source = "folder"): Fact => ({ kind: "claim-seen", source, claim });
const gone = (claim: Claim, how: "seen-deleted" | "absent", source = "folder"): Fact => ({
  kind: "claim-gone",
  source,
  id: claim.id,
  uid: claim.uid,
  how,
});
const listed = (claims: readonly Claim[], source = "folder", pools: readonly PoolName[] = []) =>
  ({
    kind: "source-listed",
    source,
    atMs: 0,
    claims: new Set(claims.map(({ id }) => id)),
    pools: new Set(pools),
  }) as const satisfies Fact;

/** Facts by the second at which they arrive. */
type Story = readonly (readonly [second: number, ...facts: readonly Fact[]])[];

interface Told {
  readonly state: ClusterState;
  /** Seconds at which planning could come out differently. */
  readonly changedAt: readonly number[];
}

function tell(
  story: Story,
  options: { readonly stored?: readonly ClaimId[]; readonly sources?: readonly string[] } = {},
): Told {
  const { stored = [], sources = ["folder"] } = options;
  let state = createClusterState(stored);
  const changedAt: number[] = [];
  for (const [second, ...facts] of story) {
    const times = { nowMs: 1_000_000 + second * 1000, steadyMs: second * 1000 };
    const folded = foldFacts(state, facts, { sources, ...times });
    state = folded.state;
    if (folded.changed) changedAt.push(second);
  }
  return { state, changedAt };
}

test("a claim that only the store knows is gone when a source saw it end", () => {
  const { state, changedAt } = tell([[1, gone(WEB, "seen-deleted", "kubernetes")]], {
    stored: [WEB.id, OTHER.id],
  });
  assert.deepEqual([...state.orphans.keys()], [OTHER.id]);
  assert.deepEqual(changedAt, [1]);
  assert.equal(tell([[1, gone(WEB, "absent")]], { stored: [WEB.id] }).state.orphans.size, 1);
});

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
