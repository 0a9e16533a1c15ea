// What a controller needs for 1 000 and 10 000 Services of a real cluster, with three endpoints
// each: memory at rest and while it lists everything again, and how long its event loop is not
// free.

import { type Cluster, monotonicMs, startCluster } from "@fairlead/lab";
import { createKubeClient } from "@fairlead/testkit";

import { clusterPrograms } from "../e2e/stage/api-host.ts";
import { createAll, type Tell } from "./cluster-stage.ts";
import { servicesOf } from "./counts.ts";
import { crowdMember } from "./crowd.ts";
import type { Figure } from "./goal.ts";
import {
  type Delays,
  followDelays,
  type LoneController,
  startLoneController,
  untilQuiet,
} from "./lone-controller.ts";
import { forgetPeak, type ProcessMemory, readMemory } from "./process-memory.ts";
import { metricOf } from "./readings.ts";

const FEW = 1000;
const MANY = 10_000;
const CREATORS = 8;
const LIST_MS_MAX = 120_000;
/** Each Service gets a status and an Event, some 100 a second. */
const WRITTEN_MS_MAX = 600_000;
const QUIET_MS = 8000;

/** Measures; takes about ten minutes, most of them for the making of 20 000 objects. */
export async function benchClusterMemory(tell: Tell): Promise<readonly Figure[]> {
  await using cluster = await startCluster({ programs: clusterPrograms() });
  const few = servicesOf(FEW);
  await fill(cluster, { from: 0, to: few, tell });
  const atFew = await keep(cluster, few, tell);
  const many = servicesOf(MANY);
  await fill(cluster, { from: few, to: many, tell });
  const atMany = await keep(cluster, many, tell);
  return [
    ...figures(few, atFew, { residentMb: 170, beside: "MetalLB's controller 78.2" }),
    ...figures(many, atMany, { residentMb: 350 }),
  ];
}

async function fill(
  cluster: Cluster,
  { from, to, tell }: { readonly from: number; readonly to: number; readonly tell: Tell },
): Promise<void> {
  const begunMs = monotonicMs();
  using connection = cluster.connect();
  const objects = Array.from({ length: to - from }, (_, at) => crowdMember(from + at)).flat();
  await createAll(createKubeClient(connection), objects, { creators: CREATORS, tell });
  const tookS = (monotonicMs() - begunMs) / 1000;
  tell(`  ${objects.length} objects were made in ${tookS.toFixed(0)} s`);
}

/** What one controller showed. */
interface Kept {
  /** Until the first list of everything was taken in. */
  readonly listing: Delays;
  readonly planMs: number;
  /** After everything was written. */
  readonly rest: ProcessMemory;
  readonly relisting: Delays;
  readonly relistPeakMb: number;
}

/** Starts a controller over what is there, and lets it list everything twice. */
async function keep(cluster: Cluster, count: number, tell: Tell): Promise<Kept> {
  await using controller = await startLoneController(cluster);
  const listing = await followDelays(controller, (page) => claimsOf(page) === count, {
    what: `${count} Services are judged`,
    ms: LIST_MS_MAX,
  });
  const page = await controller.page();
  const plans = metricOf(page, "fairlead_plan_duration_seconds_count");
  const planMs = (1000 * metricOf(page, "fairlead_plan_duration_seconds_sum")) / plans;
  tell(`  ${count} Services are judged; now their statuses and Events are written`);
  await untilQuiet(controller, { quietMs: QUIET_MS, ms: WRITTEN_MS_MAX });
  const rest = await readMemory(controller.pid);
  tell(`  at rest with ${rest.residentMb.toFixed(0)} MB, peak ${rest.peakMb.toFixed(0)} MB`);
  await forgetPeak(controller.pid);
  const relisting = await relist(cluster, controller);
  const { peakMb } = await readMemory(controller.pid);
  tell(`  listed again, peak ${peakMb.toFixed(0)} MB`);
  return { listing, planMs, rest, relisting, relistPeakMb: peakMb };
}

/** A server that was away is not believed to be the same: everything is listed again. */
async function relist(cluster: Cluster, controller: LoneController): Promise<Delays> {
  const before = workOf(await controller.page());
  await cluster.apiserver.kill();
  await cluster.apiserver.start();
  // A watch is begun when the list before it was taken in.
  return await followDelays(controller, (page) => isRenewed(before, workOf(page)), {
    what: "everything is listed again",
    ms: LIST_MS_MAX,
  });
}

interface Work {
  readonly kind: string;
  readonly lists: number;
  readonly watches: number;
}

function workOf(page: string): readonly Work[] {
  return ["services", "endpointslices"].map((kind) => ({
    kind,
    lists: metricOf(page, "fairlead_source_lists_total", { kind }),
    watches: metricOf(page, "fairlead_source_watches_total", { kind }),
  }));
}

function isRenewed(before: readonly Work[], now: readonly Work[]): boolean {
  return now.every(({ lists, watches }, at) => {
    const then = before[at];
    return then !== undefined && lists > then.lists && watches > then.watches;
  });
}

function claimsOf(page: string): number {
  return metricOf(page, "fairlead_services");
}

function figures(
  count: number,
  kept: Kept,
  goals: { readonly residentMb: number; readonly beside?: string },
): readonly Figure[] {
  const { listing, planMs, rest, relisting, relistPeakMb } = kept;
  const name = `${count} Services`;
  const beside = goals.beside === undefined ? {} : { beside: goals.beside };
  return [
    {
      what: `${name}: resident at rest`,
      value: rest.residentMb,
      unit: "MB",
      goal: goals.residentMb,
      ...beside,
    },
    { what: `${name}: of it its own`, value: rest.ownMb, unit: "MB" },
    { what: `${name}: peak since the start`, value: rest.peakMb, unit: "MB" },
    {
      what: `${name}: peak of a list, by what is at rest`,
      value: relistPeakMb / rest.residentMb,
      unit: "",
      goal: 1.4,
    },
    ...blockFigures(`${name}: longest block of the first list`, listing),
    { what: `${name}: longest block of the first plans`, value: listing.planMs, unit: "ms" },
    { what: `${name}: one of these plans`, value: planMs, unit: "ms" },
    ...blockFigures(`${name}: longest block of a second list`, relisting),
    { what: `${name}: longest block of a plan meanwhile`, value: relisting.planMs, unit: "ms" },
  ];
}

function blockFigures(what: string, { listMs, listOwnMs }: Delays): readonly Figure[] {
  return [
    { what, value: listOwnMs, unit: "ms", goal: 50 },
    { what: "    with what it waited for a core", value: listMs, unit: "ms" },
  ];
}
