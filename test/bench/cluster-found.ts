// 1 000 Services that a controller finds all at once, as it starts beside a cluster that has them:
// until all are served, and the reloads that it took. What a burst of new ones costs beside the API
// server that makes them one after the other, `cluster-burst` measures.

import { setTimeout as wait } from "node:timers/promises";

import { monotonicMs } from "@fairlead/lab";
import type { KubeClient } from "@fairlead/testkit";

import { KINDS } from "../e2e/stage/cluster-objects.ts";
import { createClusterStage, fillServices, type Tell, untilReady } from "./cluster-stage.ts";
import { servicesOf } from "./counts.ts";
import type { Figure } from "./goal.ts";
import { inForceAfterFigure, readInForce } from "./in-force.ts";
import { readReloads } from "./readings.ts";

const SERVICES = 1000;
const ALL_MS_MAX = 120_000;
const SLICES_MS_MAX = 60_000;
const LOOK_EVERY_MS = 500;

/** Measures; takes about a minute. */
export async function benchClusterFound(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage();
  const count = servicesOf(SERVICES);
  const { kube } = stage.api();
  await stage.controller.stop();
  await fillServices(kube, count, tell);
  await untilSlices(kube, count);
  tell(`  ${count} Services are there; the controller starts`);
  const reloadsBefore = await readReloads(stage);
  const inForceBefore = await readInForce(stage);
  const begunMs = monotonicMs();
  await stage.controller.start();
  const servedMs = await untilReady(stage, count, ALL_MS_MAX);
  const reloads = (await readReloads(stage)).map((now, at) => now - (reloadsBefore[at] ?? 0));
  return [
    { what: "its start -> all serve", value: (servedMs - begunMs) / 1000, unit: "s", goal: 12 },
    { what: "reloads, the most of an agent", value: Math.max(...reloads), unit: "", goal: 12 },
    inForceAfterFigure(inForceBefore, await readInForce(stage)),
  ];
}

/** Waits until the controller manager has written a slice for each. */
async function untilSlices(kube: KubeClient, count: number): Promise<void> {
  const endMs = monotonicMs() + SLICES_MS_MAX;
  while ((await kube.list(KINDS.endpointSlice, { namespace: "default" })).length < count) {
    if (monotonicMs() >= endMs) throw new Error(`no ${count} slices after ${SLICES_MS_MAX} ms`);
    await wait(LOOK_EVERY_MS);
  }
}
