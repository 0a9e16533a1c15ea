// How figures of benches are judged: what cannot be measured is no success, and to count failures
// alone says nothing where too little was tried.

import assert from "node:assert/strict";
import { test } from "node:test";

import { crowdedFigures } from "./crowded-reloads.ts";
import type { WayName } from "./datapath-stage.ts";
import { datapathFigures, type Trial } from "./datapath.ts";
import { type Figure, formatFigures, isMet } from "./goal.ts";
import { type Connections, reloadFigures } from "./reloads.ts";

const WAYS: readonly WayName[] = [
  "member table",
  "upstreams",
  "haproxy",
  "haproxy, splicing",
  "routed",
];

/** One round in which every way does the same, but for those that are named. */
function roundOf(ways: readonly WayName[], slow: Partial<Record<WayName, number>> = {}): Trial[] {
  return ways.flatMap((way) =>
    (["short", "bulk"] as const).map((kind): Trial => {
      const speed = slow[way] ?? 1;
      const load = { perSecond: 1000 * speed, gigabitsPerSecond: 10 * speed, failed: 0 };
      return { ...load, kind, way, ownCpu: 0.5, allCpu: 1 };
    }),
  );
}

/** What misses its goal. */
function missed(figures: readonly Figure[]): readonly string[] {
  return figures.filter((figure) => !isMet(figure)).map(({ what }) => what);
}

function reloads(changes: {
  readonly made?: number;
  readonly quiet?: Partial<Connections>;
  readonly loaded?: Partial<Connections>;
}): readonly Figure[] {
  const seen: Connections = { perSecond: 1500, failed: 0, tookMs: [1, 2, 3] };
  return reloadFigures({
    quiet: { ...seen, ...changes.quiet },
    loaded: { ...seen, ...changes.loaded },
    changes: 100,
    made: changes.made ?? 100,
    memory: 1e6,
    burst: { seconds: 10, reloads: 10 },
  });
}

test("a crowd that was none, or that met no reload, is no success", () => {
  const measured = { load: { perSecond: 2400, failed: 0 }, changes: 100, made: 100 };
  const { load } = measured;
  assert.deepEqual(missed(crowdedFigures(measured)), []);
  assert.deepEqual(
    missed(crowdedFigures({ load: { ...load, perSecond: 900 }, changes: 100, made: 99 })),
    ["connections a second in a crowd, with reloads", "reloads in the crowd"],
  );
  assert.deepEqual(missed(crowdedFigures({ ...measured, load: { ...load, failed: 1 } })), [
    "failed connections in the crowd",
  ]);
});

test("a figure meets a goal from its own side, and one that is no number meets none", () => {
  const figure = { what: "x", unit: "ms" };
  for (const goal of [{ goal: 5 }, { least: 5 }]) {
    assert.ok(isMet({ ...figure, value: 5, ...goal }));
    assert.ok(!isMet({ ...figure, value: "least" in goal ? 4 : 6, ...goal }));
    assert.ok(!isMet({ ...figure, value: Number.NaN, ...goal }));
    assert.ok(!isMet({ ...figure, value: 5, ...goal, missing: "there is none" }));
  }
  assert.ok(isMet({ ...figure, value: Number.NaN, missing: "there is none" }));
});

test("without HAProxy both goals against it were left out without a word", () => {
  assert.deepEqual(missed(datapathFigures(roundOf(WAYS), WAYS)), []);
  const others = WAYS.filter((way) => !way.startsWith("haproxy"));
  const figures = datapathFigures(roundOf(others), others);
  const goals = ["connections: member table / haproxy", "bulk: member table / haproxy"];
  assert.deepEqual(missed(figures), goals);
  const lines = formatFigures(figures).split("\n");
  for (const goal of goals) {
    const line = lines.find((one) => one.trimStart().startsWith(`${goal} `)) ?? "";
    assert.match(line, / - x .* goal >= 0\.\d+ MISSED .*haproxy was left out: is it installed\?$/);
  }
});

test("a data path that is slower than HAProxy misses both goals", () => {
  const figures = datapathFigures(roundOf(WAYS, { haproxy: 1.3 }), WAYS);
  assert.deepEqual(missed(figures), [
    "connections: member table / haproxy",
    "bulk: member table / haproxy",
  ]);
});

test("reloads that were not made, or that hardly a client met, are no success", () => {
  assert.deepEqual(missed(reloads({})), []);
  assert.deepEqual(missed(reloads({ made: 99 })), ["reloads of the holder meanwhile"]);
  assert.deepEqual(missed(reloads({ quiet: { perSecond: 20 }, loaded: { perSecond: 20 } })), [
    "connections a second, without a reload",
    "connections a second, with reloads",
  ]);
  assert.deepEqual(missed(reloads({ loaded: { failed: 1 } })), ["failed connections with reloads"]);
});
