// A controller beside a cluster on loopback, with no agents: what reading and keeping a large
// cluster costs it. Given the cluster. It is started by bin/ and ends with the cluster.

import { setTimeout as wait } from "node:timers/promises";

import { type Cluster, monotonicMs, type RunningProgram } from "@fairlead/lab";

import { program } from "../e2e/stage/stage.ts";
import { type CoreTime, coreTimeOf } from "./cpu-time.ts";
import { metricOf } from "./readings.ts";

/** The controller. */
export interface LoneController extends AsyncDisposable {
  readonly pid: number;
  /** Its page of metrics. Reading it starts the measuring of the event loop's delays anew. */
  page(): Promise<string>;
}

/** How long the event loop was not free at most, in ms: see `followDelays`. */
export interface Delays {
  /** While no plan was made. */
  readonly listMs: number;
  /**
   * The longest of these without its share of what the loop waited for a core meanwhile: an API
   * server that lists and its etcd keep two cores busy.
   */
  readonly listOwnMs: number;
  /** While one was made, stored or told of. */
  readonly planMs: number;
}

const START_MS_MAX = 60_000;
const PAGE_MS_MAX = 30_000;
const LOOK_EVERY_MS = 100;
/** The addresses of 10 000 Services and more. */
const POOL = "wide=172.20.0.0/16";
const FOLDER = "/run/cluster";

/** Starts it and waits until it serves; it may not have listed anything by then. */
export async function startLoneController(cluster: Cluster): Promise<LoneController> {
  const { place } = cluster;
  const [address] = place.addresses;
  const { rest, ...ports } = await place.ports({
    metrics: 7704,
    agents: 7702,
    admin: 7705,
    rest: 7701,
  });
  await place.writeFile(`${FOLDER}/admin.kubeconfig`, cluster.adminKubeconfig());
  const running: RunningProgram = await place.start(program("fairlead-controller"), [
    "--insecure",
    `--kubeconfig=${FOLDER}/admin.kubeconfig`,
    "--members=endpoints",
    `--pool=${POOL}`,
    `--state-dir=${FOLDER}/state`,
    `--listen-rest=127.0.0.1:${rest}`,
    ...Object.entries(ports).map(([name, port]) => `--listen-${name}=${address}:${port}`),
  ]);
  const url = `http://${address}:${ports.metrics}/metrics`;
  const page = async (): Promise<string> => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PAGE_MS_MAX) });
    return await answer.text();
  };
  const endMs = monotonicMs() + START_MS_MAX;
  while (!(await page().then(Boolean, () => false))) {
    if (running.hasExited() || monotonicMs() >= endMs) {
      throw new Error(`the controller does not serve; it said:\n${running.output()}`);
    }
    await wait(LOOK_EVERY_MS);
  }
  return {
    pid: running.outsidePid,
    page,
    [Symbol.asyncDispose]: async () => {
      await running.stop();
      await place.removeFile(`${FOLDER}/state`);
    },
  };
}

/**
 * Looks at the page until `isDone` says so twice, and gives the longest delays meanwhile. The time
 * from one look to the next counts as that of a plan when one ended in it or just before.
 */
export async function followDelays(
  controller: LoneController,
  isDone: (page: string) => boolean,
  { what, ms }: { readonly what: string; readonly ms: number },
): Promise<Delays> {
  const endMs = monotonicMs() + ms;
  let delays: Delays = { listMs: 0, listOwnMs: 0, planMs: 0 };
  let before = await coreTimeOf(controller.pid);
  let plansBefore: readonly number[] = [];
  let wasDone = false;
  for (;;) {
    const page = await controller.page();
    const delayMs = 1000 * metricOf(page, "fairlead_event_loop_delay_seconds", LONGEST);
    const plans = metricOf(page, "fairlead_plan_duration_seconds_count");
    const ofPlan = plansBefore.some((made) => made !== plans);
    plansBefore = [...plansBefore.slice(-1), plans];
    const now = await coreTimeOf(controller.pid);
    delays = ofPlan
      ? { ...delays, planMs: Math.max(delays.planMs, delayMs) }
      : {
          ...delays,
          listMs: Math.max(delays.listMs, delayMs),
          listOwnMs: Math.max(delays.listOwnMs, delayMs * ranShare(before, now)),
        };
    before = now;
    // What is done by this page may be planned and told of after it.
    if (isDone(page) && wasDone) return delays;
    wasDone = isDone(page);
    if (monotonicMs() >= endMs) throw new Error(`waited ${ms} ms in vain until ${what}`);
    await wait(LOOK_EVERY_MS);
  }
}

/** Of the time in which the loop could run, how much it ran. */
function ranShare(before: CoreTime, now: CoreTime): number {
  const ranMs = now.ranMs - before.ranMs;
  return ranMs / (ranMs + now.waitedMs - before.waitedMs);
}

const LONGEST = { percentile: "100" };

/** Waits until nothing was written to the cluster for a while and all that is listed is claimed. */
export async function untilQuiet(
  controller: LoneController,
  { quietMs, ms }: { readonly quietMs: number; readonly ms: number },
): Promise<void> {
  const endMs = monotonicMs() + ms;
  let writesBefore = -1;
  let sinceMs = monotonicMs();
  while (monotonicMs() - sinceMs < quietMs) {
    const writes = metricOf(await controller.page(), "fairlead_kubernetes_writes_total");
    if (writes !== writesBefore) sinceMs = monotonicMs();
    writesBefore = writes;
    if (monotonicMs() >= endMs) throw new Error(`it still writes after ${ms} ms`);
    await wait(LOOK_EVERY_MS);
  }
}
