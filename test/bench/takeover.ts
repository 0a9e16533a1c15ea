// How soon a standby with warm caches has made its first plan after the leader was told to end, and
// after one was killed, at a thousand Services of a real cluster; and what a change of leaders
// costs the API server and the load-balancer hosts, which is nothing.

import { setTimeout as wait } from "node:timers/promises";

import { isWrite, monotonicMs } from "@fairlead/lab";

import type { Seat } from "../e2e/stage/seat.ts";
import { controllerRequests } from "./api-requests.ts";
import { createClusterStage, fillServices, type Tell, untilReady } from "./cluster-stage.ts";
import { servicesOf } from "./counts.ts";
import type { Figure } from "./goal.ts";
import { metricOf, readReloads } from "./readings.ts";

const SERVICES = 1000;
const READY_MS_MAX = 180_000;
const SETTLE_MS = 10_000;
/**
 * The lease time by default: so long nobody can know that a leader which says nothing is dead, and
 * no longer may it take.
 */
const LEASE_MS = 15_000;
const ASKING_MS_MAX = 60_000;
/** Only the Lease and the epoch may be written by a change of leaders. */
const OF_THE_LEAD: ReadonlySet<string> = new Set(["leases", "storejournals"]);

/** Measures; takes about three minutes. */
export async function benchTakeover(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage({
    hasStandby: true,
    controllerFlags: ["--store=kubernetes"],
  });
  const { standby, controller } = stage;
  if (standby === undefined) throw new Error("the stage has no standby");
  const count = servicesOf(SERVICES);
  await fillServices(stage.api().kube, count, tell);
  await untilReady(stage, count, READY_MS_MAX);
  await stage.inSync(READY_MS_MAX);
  tell(`  ${count} Services are served; settling for ${SETTLE_MS / 1000} s`);
  await wait(SETTLE_MS);
  const reloads = sum(await readReloads(stage));
  const sinceMs = Date.now();
  const begunMs = monotonicMs();
  const asking = untilPlanned(standby);
  await controller.stop();
  const endedMs = monotonicMs();
  const page = await asking;
  const plannedMs = monotonicMs();
  const planMs = 1000 * metricOf(page, "fairlead_plan_duration_seconds_sum");
  await wait(SETTLE_MS);
  const requests = await controllerRequests(stage, sinceMs);
  const others = requests.filter((entry) => isWrite(entry) && !OF_THE_LEAD.has(entry.resource));
  const what = `change of leaders, ${count} Services`;
  const changed = sum(await readReloads(stage));
  // The first one comes back to stand by, and the one that leads now is killed.
  await controller.start();
  await wait(SETTLE_MS);
  const killedMs = monotonicMs();
  const askingAgain = untilPlanned(controller);
  await standby.kill();
  await askingAgain;
  const crashMs = monotonicMs() - killedMs;
  return [
    { what: `${what}: first plan`, value: plannedMs - begunMs, unit: "ms", goal: 1000 },
    { what: `${what}: of it the end of the first`, value: endedMs - begunMs, unit: "ms" },
    { what: `${what}: of it planning`, value: planMs, unit: "ms" },
    { what: `${what}: API writes`, value: others.length, unit: "", goal: 0 },
    { what: `${what}: reloads`, value: changed - reloads, unit: "", goal: 0 },
    {
      what: `${what}: updates sent`,
      value: metricOf(page, "fairlead_sync_updates_total"),
      unit: "",
      goal: 0,
    },
    { what: `${what}: first plan after a crash`, value: crashMs, unit: "ms", goal: LEASE_MS },
  ];
}

/** The page of metrics of a controller as soon as it has planned. */
async function untilPlanned({ host }: Seat): Promise<string> {
  // In the host itself, as a process that is started each time would take longer.
  const argv = ["--input-type=module", "-e", ASK];
  return await host.output(process.execPath, argv, { timeoutMs: ASKING_MS_MAX });
}

/** Prints the page of metrics as soon as it shows a plan. */
const ASK = `
for (;;) {
  const page = await (await fetch("http://127.0.0.1:7704/metrics")).text();
  if (/^fairlead_plans_total [1-9]/m.test(page)) {
    process.stdout.write(page);
    break;
  }
  await new Promise((resolve) => setTimeout(resolve, 10));
}`;

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
