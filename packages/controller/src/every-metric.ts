// Every metric that a controller may show, whatever its source, store and settings: the page of
// metrics is made of this. Nothing is asked before a scrape, and there is none.

import type { Metrics } from "@fairlead/runtime";

import { addFollowMetrics, addWriteMetrics } from "./cluster-metrics.ts";
import { addIpamMetrics, addRefusalMetric } from "./ipam-metrics.ts";
import { createControllerMetrics } from "./metrics.ts";
import { addRegistrarMetrics } from "./registrar-metrics.ts";
import { createSyncMetrics } from "./sync/sync-metrics.ts";

/** Registers them all. `unasked` is what they would be read from at a scrape. */
export function everyControllerMetric(unasked: () => never): Metrics {
  const options = { version: "", view: unasked, syncState: unasked };
  const { metrics } = createControllerMetrics(options);
  addFollowMetrics(metrics, unasked);
  addWriteMetrics(metrics);
  addRegistrarMetrics(metrics);
  createSyncMetrics(metrics);
  addIpamMetrics(metrics, unasked);
  addRefusalMetric(metrics);
  return metrics;
}
