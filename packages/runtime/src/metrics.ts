// One registry of metrics for a program, with the product's prefix on every name. Given the
// program's name and version. It never touches prom-client's global registry, so that two programs
// can live in one process (and in one test).

import assert from "node:assert";
import { Counter, Gauge, Histogram, type LabelValues, Registry } from "prom-client";

import { type LoopDelay, watchLoopDelay } from "./loop-delay.ts";

/** What a metric is called. */
export interface MetricOptions<Label extends string> {
  /** Snake case with the unit last, without the prefix; counters end in `_total`. */
  readonly name: string;
  /** One sentence: what is counted, in which unit. */
  readonly help: string;
  /** Label names; values must be of a bounded set. Default none. */
  readonly labels?: readonly Label[];
}

/** What a gauge may do in addition. */
export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Called before each scrape to set the value. */
  readonly collect?: (gauge: Gauge<Label>) => void | Promise<void>;
  /** Called before each scrape: things that are counted by these labels, one set for each thing. */
  readonly counts?: () => Iterable<LabelValues<Label>>;
  /** Of `counts`, what is shown with 0 where there is none; asked at each scrape. */
  readonly zeros?: () => Iterable<LabelValues<Label>>;
}

/** What a counter may do in addition. */
export interface CounterOptions<Label extends string> extends MetricOptions<Label> {
  /** Called before each scrape: a total that is counted elsewhere, which never falls. */
  readonly total?: () => number;
  /** As `total`, one for each set of labels. */
  readonly totals?: () => Iterable<readonly [labels: LabelValues<Label>, total: number]>;
}

/** What a histogram needs in addition. */
export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds of the buckets, rising, in the metric's unit. */
  readonly buckets: readonly number[];
}

/** The metrics of one program. Disposing stops the measuring of the event loop. */
export interface Metrics extends Disposable {
  /** What a health server shows under /metrics. */
  readonly registry: Registry;
  /** Registers a counter. */
  counter<Label extends string = never>(options: CounterOptions<Label>): Counter<Label>;
  /** Registers a gauge. */
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  /** Registers a histogram. */
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
}

/** Whose metrics these are. */
export interface MetricsOptions {
  /** The command's name, such as "fairlead-agent". */
  readonly program: string;
  readonly version: string;
  /** What tells how late the event loop is. Default: a timer of its own, every 5 ms. */
  readonly loopDelay?: LoopDelay | undefined;
}

/** A block shows as shorter by at most this. The looks cost half a percent of one core. */
const LOOP_LOOK_MS = 5;

/** Every metric of ours starts with this. */
export const METRIC_PREFIX = "fairlead_";

/** Makes the metrics of a program, with build_info, event loop delay and resident memory set up. */
export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const base = <Label extends string>(metric: MetricOptions<Label>) => ({
    name: prefixed(metric.name),
    help: metric.help,
    labelNames: [...(metric.labels ?? [])],
    registers: [registry],
  });
  function counter<Label extends string = never>(metric: CounterOptions<Label>): Counter<Label> {
    assert(metric.name.endsWith("_total"), `counter ${metric.name} must end in _total`);
    const { total, totals } = metric;
    if (total === undefined && totals === undefined) return new Counter(base(metric));
    const collect = (): void => {
      made.reset();
      if (total !== undefined) made.inc(total());
      for (const [labels, value] of totals?.() ?? []) made.inc(labels, value);
    };
    const made: Counter<Label> = new Counter({ ...base(metric), collect });
    return made;
  }
  function gauge<Label extends string = never>(metric: GaugeOptions<Label>): Gauge<Label> {
    const { counts, zeros } = metric;
    const collect = counts === undefined ? metric.collect : showCounts(counts, zeros);
    if (collect === undefined) return new Gauge(base(metric));
    const made: Gauge<Label> = new Gauge({ ...base(metric), collect: () => collect(made) });
    return made;
  }
  const histogram: Metrics["histogram"] = (metric) =>
    new Histogram({ ...base(metric), buckets: [...metric.buckets] });

  gauge({
    name: "build_info",
    help: "Always 1; the labels say what is running.",
    labels: ["program", "version", "node"],
  }).set({ program: options.program, version: options.version, node: process.version }, 1);
  gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the program in bytes.",
    collect: (metric) => metric.set(process.memoryUsage.rss()),
  });
  const delay = options.loopDelay ?? watchLoopDelay(LOOP_LOOK_MS);
  addEventLoopDelay(gauge, delay);
  return { registry, counter, gauge, histogram, [Symbol.dispose]: () => delay[Symbol.dispose]() };
}

/** Ten thousand things are of a few sets: to tell prom-client of each would take 2 us for each. */
function showCounts<Label extends string>(
  counts: () => Iterable<LabelValues<Label>>,
  zeros: () => Iterable<LabelValues<Label>> = () => [],
): (gauge: Gauge<Label>) => void {
  return (gauge) => {
    const sets = new Map<string, { readonly labels: LabelValues<Label>; count: number }>();
    for (const labels of zeros()) sets.set(keyOf(labels), { labels, count: 0 });
    for (const labels of counts()) {
      const key = keyOf(labels);
      const known = sets.get(key);
      if (known === undefined) sets.set(key, { labels, count: 1 });
      else known.count += 1;
    }
    gauge.reset();
    for (const { labels, count } of sets.values()) gauge.set(labels, count);
  };
}

/** Label sets of one metric name the same labels in the same order. */
function keyOf<Label extends string>(labels: LabelValues<Label>): string {
  return Object.values(labels).join("\0");
}

/** Adds the prefix and checks that the name is one that Prometheus takes. */
function prefixed(name: string): string {
  assert(/^[a-z][a-z0-9_]*$/u.test(name), `metric name ${name} must be snake case`);
  assert(!name.startsWith(METRIC_PREFIX), `metric name ${name} gets its prefix by itself`);
  return METRIC_PREFIX + name;
}

/** Measured by timers: samples of turns count the time in which an idle loop waits as well. */
function addEventLoopDelay(gauge: Metrics["gauge"], delay: LoopDelay): void {
  gauge({
    name: "event_loop_delay_seconds",
    help: "How late the event loop ran its timers since the last scrape, in seconds.",
    // Not "quantile": Prometheus keeps that word for summaries.
    labels: ["percentile"],
    collect: (metric) => {
      const { p50, p99, max } = delay.take();
      metric.set({ percentile: "50" }, p50);
      metric.set({ percentile: "99" }, p99);
      metric.set({ percentile: "100" }, max);
    },
  });
}
