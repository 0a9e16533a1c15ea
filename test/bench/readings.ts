// What programs of ours show of themselves, read as numbers: their pages of metrics. Given a host
// of the lab and a port, or the text of a page.

import type { Host } from "@fairlead/lab";

import { parseMetricsPage } from "../e2e/stage/metrics-page.ts";
import type { Stage } from "../e2e/stage/stage.ts";

/** Where a program on a host shows its page. */
export interface PagePlace {
  readonly host: Host;
  readonly port: number;
}

/** Where agents show theirs. */
export const AGENT_PORT = 7714;

/** The controller's page. */
export function controllerPage(stage: Stage): PagePlace {
  return { host: stage.control, port: 7704 };
}

/** The sum of all samples of this name that have these labels. Rejects when the page has none. */
export async function readMetric(
  { host, port }: PagePlace,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const page = await host.output("curl", ["-s", `http://127.0.0.1:${port}/metrics`]);
  return metricOf(page, name, labels);
}

/** The same of a page that is there. */
export function metricOf(
  page: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = parseMetricsPage(page).get(name.replace(/_(?:sum|count|bucket)$/u, ""));
  if (family === undefined) throw new Error(`the page shows no ${name}`);
  const wanted = Object.entries(labels);
  const samples = family.samples.filter(
    (one) => one.name === name && wanted.every(([key, is]) => one.labels[key] === is),
  );
  // A family without any is of things that did not happen yet; a label without any is a mistake.
  if (samples.length === 0 && wanted.length > 0) {
    throw new Error(`the page shows no ${name} of ${JSON.stringify(labels)}`);
  }
  return samples.reduce((sum, { value }) => sum + value, 0);
}

/** Reloads of nginx since their start, agent by agent. */
export function readReloads(stage: Stage): Promise<readonly number[]> {
  return Promise.all(
    stage.balancers.map((host) =>
      readMetric({ host, port: AGENT_PORT }, "fairlead_proxy_reloads_total"),
    ),
  );
}

/** Transactions that the controller wrote to its store. */
export function readStoreWrites(stage: Stage): Promise<number> {
  return readMetric(controllerPage(stage), "fairlead_store_writes_total");
}
