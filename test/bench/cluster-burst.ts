// 1 000 Services made at once in a real cluster, by four creators: until all are served and all
// statuses say so, the reloads that it took, and what it cost the API server.

import { setTimeout as wait } from "node:timers/promises";

import { monotonicMs } from "@fairlead/lab";
import type { KubeClient, KubeEvent } from "@fairlead/testkit";

import { KINDS } from "../e2e/stage/cluster-objects.ts";
import { statusOf } from "../e2e/stage/cluster-views.ts";
import type { Stage } from "../e2e/stage/stage.ts";
import { visit } from "../e2e/stage/visitor.ts";
import { controllerWrites, countByKind } from "./api-requests.ts";
import { createClusterStage, fillServices, type Tell, untilReady } from "./cluster-stage.ts";
import { servicesOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";
import { inForceFigure, readInForce } from "./in-force.ts";
import { readReloads } from "./readings.ts";

const SERVICES = 1000;
const ALL_MS_MAX = 180_000;
/** Visits at a time: the machine's kernel keeps 1 024 neighbours for all hosts of all labs. */
const BATCH = 100;
/** Events are written behind everything else; after so long none is under way. */
const QUIET_MS = 10_000;

/** Measures; takes about two minutes. */
export async function benchClusterBurst(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage();
  const count = servicesOf(SERVICES);
  const { kube } = stage.api();
  const reloadsBefore = await readReloads(stage);
  const inForceBefore = await readInForce(stage);
  const statuses = followStatuses(kube, count);
  // Told where it is waited for, also when something else fails first.
  statuses.catch(() => undefined);
  const sinceMs = Date.now();
  const begunMs = monotonicMs();
  await fillServices(kube, count, tell);
  const lastMs = monotonicMs();
  tell(`  ${count} Services are made after ${seconds(lastMs - begunMs)} s`);
  const servedMs = await untilReady(stage, count, ALL_MS_MAX);
  tell(`  all are served ${seconds(servedMs - lastMs)} s later`);
  const { atMs: statusMs, addresses, waitsMs } = await statuses;
  const reloads = (await readReloads(stage)).map((now, at) => now - (reloadsBefore[at] ?? 0));
  const inForce = await readInForce(stage);
  const silent = await countSilent(stage, addresses);
  await wait(QUIET_MS);
  const writes = await controllerWrites(stage, sinceMs);
  for (const [kind, times] of countByKind(writes)) tell(`  writes: ${times} x ${kind}`);
  return [
    { what: "first create -> last create", value: (lastMs - begunMs) / 1000, unit: "s" },
    {
      what: "last create -> all serve",
      value: (servedMs - lastMs) / 1000,
      unit: "s",
      goal: 12,
    },
    {
      what: "first create -> all have their status",
      value: (statusMs - begunMs) / 1000,
      unit: "s",
      beside: "MetalLB 28.2",
    },
    { what: "create -> its status, p50", value: quantile(waitsMs, 0.5) / 1000, unit: "s" },
    { what: "create -> its status, worst", value: quantile(waitsMs, 1) / 1000, unit: "s" },
    {
      what: "reloads a second after the first, the most of an agent",
      value: ((Math.max(...reloads) - 1) * 1000) / (statusMs - begunMs),
      unit: "",
      goal: 1,
      digits: 2,
    },
    inForceFigure(inForceBefore, inForce),
    { what: "reloads, the most of an agent", value: Math.max(...reloads), unit: "", goal: 12 },
    { what: "addresses that do not answer then", value: silent, unit: "", goal: 0 },
    {
      what: "addresses given twice",
      value: addresses.length - new Set(addresses).size,
      unit: "",
      goal: 0,
    },
    {
      what: "API writes a Service",
      value: writes.length / count,
      unit: "writes",
      goal: 4,
      beside: "MetalLB 10.1 with three hosts",
    },
  ];
}

interface Statuses {
  /** When the last one came. */
  readonly atMs: number;
  readonly addresses: readonly string[];
  /** From each Service's first sight to its status, in ms. */
  readonly waitsMs: readonly number[];
}

/** Waits until so many Services have an address in their status. */
async function followStatuses(kube: KubeClient, count: number): Promise<Statuses> {
  using services = await kube.watch(KINDS.service);
  const addresses = new Map<string, string>();
  const seenMs = new Map<string, number>();
  const waitsMs: number[] = [];
  let seen = 0;
  const look = (events: readonly KubeEvent[]): Statuses | undefined => {
    for (const { object, atMs } of events.slice(seen)) {
      seen += 1;
      const { name } = object.metadata;
      const sinceMs = seenMs.get(name) ?? atMs;
      seenMs.set(name, sinceMs);
      const [address] = statusOf(object)?.addresses ?? [];
      if (address !== undefined && !addresses.has(name)) waitsMs.push(atMs - sinceMs);
      if (address !== undefined) addresses.set(name, address);
      if (addresses.size === count) return { atMs, addresses: [...addresses.values()], waitsMs };
    }
    return undefined;
  };
  return await services.until("all have their status", look, ALL_MS_MAX);
}

/** How many of the addresses no member answers at. */
async function countSilent(stage: Stage, addresses: readonly string[]): Promise<number> {
  let silent = 0;
  for (let from = 0; from < addresses.length; from += BATCH) {
    const targets = addresses.slice(from, from + BATCH).map((address) => `${address}:80`);
    const answers = await visit(stage.client, targets);
    silent += Object.values(answers).filter((answer) => answer === null).length;
    await stage.client.output("ip", ["neighbour", "flush", "dev", stage.client.link]);
  }
  return silent;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
