// A program's metrics page.

import assert from "node:assert";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createMetrics, type Metrics } from "./metrics.ts";

test("the page says what runs and how late the event loop is", async () => {
  using metrics = createMetrics({ program: "fairlead-agent", version: "1.2.3" });
  const text = await metrics.registry.metrics();
  assert.match(
    text,
    /^fairlead_build_info\{program="fairlead-agent",version="1.2.3",node="v\d+[^"]*"\} 1$/mu,
  );
  assert.match(text, /^fairlead_event_loop_delay_seconds\{percentile="99"\} [\d.e-]+$/mu);
  assert.match(text, /^fairlead_process_resident_memory_bytes \d+$/mu);
});

async function lateness(metrics: Metrics, percentile: string): Promise<number> {
  const line = `^fairlead_event_loop_delay_seconds\\{percentile="${percentile}"\\} (\\S+)$`;
  return Number(new RegExp(line, "mu").exec(await metrics.registry.metrics())?.[1]);
}

test("how late the event loop was is told, and forgotten at the scrape", async () => {
  using metrics = createMetrics({ program: "a", version: "1" });
  const endMs = performance.now() + 300;
  while (performance.now() < endMs);
  const longest = await lateness(metrics, "100");
  assert.ok(longest >= 0.25 && longest < 5, `${longest} s`);
  // One that was not forgotten would stay the longest for ever.
  while ((await lateness(metrics, "100")) >= longest) await wait(1);
});

test("a loop that waits for something is not late", async () => {
  using metrics = createMetrics({ program: "a", version: "1" });
  for (let waits = 0; waits < 3; waits += 1) await wait(200);
  const usual = await lateness(metrics, "50");
  assert.ok(usual < 0.1, `${usual} s`);
});

test("every name gets the prefix, and two programs in one process do not clash", async () => {
  using one = createMetrics({ program: "a", version: "1" });
  using two = createMetrics({ program: "b", version: "1" });
  for (const metrics of [one, two]) {
    metrics
      .counter({ name: "reloads_total", help: "Reloads.", labels: ["result"] })
      .inc({ result: "ok" });
    metrics.histogram({ name: "plan_seconds", help: "Planning.", buckets: [0.1, 1] }).observe(0.5);
    metrics.gauge({ name: "leases", help: "Leases.", collect: (gauge) => gauge.set(7) });
  }
  const text = await one.registry.metrics();
  assert.match(text, /^fairlead_reloads_total\{result="ok"\} 1$/mu);
  assert.match(text, /^fairlead_plan_seconds_bucket\{le="1"\} 1$/mu);
  assert.match(text, /^fairlead_leases 7$/mu);
});

test("totals that are counted elsewhere are read at each scrape, one for each set of labels", async () => {
  using metrics = createMetrics({ program: "a", version: "1" });
  const counted = new Map([["services", 3]]);
  metrics.counter({
    name: "lists_total",
    help: "Lists.",
    labels: ["kind"],
    totals: () => Array.from(counted, ([kind, count]) => [{ kind }, count] as const),
  });
  assert.match(await metrics.registry.metrics(), /^fairlead_lists_total\{kind="services"\} 3$/mu);
  counted.set("services", 4).set("nodes", 1);
  const text = await metrics.registry.metrics();
  assert.match(text, /^fairlead_lists_total\{kind="services"\} 4$/mu);
  assert.match(text, /^fairlead_lists_total\{kind="nodes"\} 1$/mu);
});

test("a gauge counts things by their labels, and shows what there is none of", async () => {
  using metrics = createMetrics({ program: "a", version: "1" });
  let states = ["held", "draining", "held"];
  metrics.gauge({
    name: "leases",
    help: "Leases.",
    labels: ["pool", "state"],
    zeros: () => ["held", "quarantined"].map((state) => ({ pool: "lan", state })),
    counts: () => states.map((state) => ({ pool: "lan", state })),
  });
  const shown = async (): Promise<readonly string[]> => {
    const lines = (await metrics.registry.metrics()).split("\n");
    return lines.filter((line) => line.startsWith("fairlead_leases{")).toSorted();
  };
  assert.deepEqual(await shown(), [
    'fairlead_leases{pool="lan",state="draining"} 1',
    'fairlead_leases{pool="lan",state="held"} 2',
    'fairlead_leases{pool="lan",state="quarantined"} 0',
  ]);
  states = [];
  assert.deepEqual(await shown(), [
    'fairlead_leases{pool="lan",state="held"} 0',
    'fairlead_leases{pool="lan",state="quarantined"} 0',
  ]);
});

test("names that Prometheus or its habits do not take are bugs", () => {
  using metrics = createMetrics({ program: "a", version: "1" });
  assert.throws(() => metrics.counter({ name: "reloads", help: "Reloads." }), /_total/u);
  assert.throws(() => metrics.gauge({ name: "Bad-name", help: "x" }), /snake case/u);
  assert.throws(() => metrics.gauge({ name: "fairlead_x", help: "x" }), /prefix/u);
});
