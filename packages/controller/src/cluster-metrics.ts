// Metrics of a cluster that is followed and written to. Given counts that are read at a scrape.
// Labels are kinds of objects and kinds of writes: no object's name becomes one.

import type { Metrics } from "@fairlead/runtime";

/** How following one kind of objects went so far. */
export interface FollowCounts {
  readonly lists: number;
  readonly watches: number;
  readonly failures: number;
  readonly differences: number;
  readonly isSynced: boolean;
  readonly objects: number;
}

/** Registers what is told of kinds of objects. `counts` is asked at each scrape, by kind. */
export function addFollowMetrics(
  metrics: Metrics,
  counts: () => ReadonlyMap<string, FollowCounts>,
): void {
  const totals = (of: (one: FollowCounts) => number) => () =>
    Array.from(counts(), ([kind, one]) => [{ kind }, of(one)] as const);
  metrics.gauge({
    name: "source_synced",
    help: "Whether objects of the kind were listed whole once.",
    labels: ["kind"],
    collect: (gauge) => {
      for (const [kind, { isSynced }] of counts()) gauge.set({ kind }, isSynced ? 1 : 0);
    },
  });
  metrics.gauge({
    name: "source_objects",
    help: "Objects of the kind that are known.",
    labels: ["kind"],
    collect: (gauge) => {
      for (const [kind, { objects }] of counts()) gauge.set({ kind }, objects);
    },
  });
  metrics.counter({
    name: "source_lists_total",
    help: "Whole lists of the kind that were asked for.",
    labels: ["kind"],
    totals: totals(({ lists }) => lists),
  });
  metrics.counter({
    name: "source_watches_total",
    help: "Watches of the kind that were asked for.",
    labels: ["kind"],
    totals: totals(({ watches }) => watches),
  });
  metrics.counter({
    name: "source_failures_total",
    help: "Lists and watches of the kind that failed.",
    labels: ["kind"],
    totals: totals(({ failures }) => failures),
  });
  metrics.counter({
    name: "source_audit_differences_total",
    help: "Objects that a second list showed and the watch did not. Anything but 0 is a mistake.",
    labels: ["kind"],
    totals: totals(({ differences }) => differences),
  });
}

/** What is told of writes, as the publisher takes it. */
export interface WriteMetrics {
  readonly onWrite: (kind: string, result: string) => void;
  readonly onDropped: () => void;
}

/** Registers what is told of writes to the cluster. */
export function addWriteMetrics(metrics: Metrics): WriteMetrics {
  const writes = metrics.counter({
    name: "kubernetes_writes_total",
    help: "Writes to the API server that ended, by what was written and what it came to.",
    labels: ["kind", "result"],
  });
  const dropped = metrics.counter({
    name: "kubernetes_events_dropped_total",
    help: "Events that were given up, as they could not be written or were too many.",
  });
  return {
    onWrite: (kind, result) => writes.inc({ kind, result }),
    onDropped: () => dropped.inc(),
  };
}
