// From the arrival of an update at the agent to its members in the kernel's table, with few and
// with ten thousand listeners, as the agent counts it; against a bare change of one element by the
// program nft. No such change may reload nginx.

import { setTimeout as wait } from "node:timers/promises";

import type { Host } from "@fairlead/lab";

import { MEMBERS, service, type ServicePort } from "../e2e/stage/manifests.ts";
import { createStage, type Stage } from "../e2e/stage/stage.ts";
import { roundsOf, servicesOf } from "./counts.ts";
import { type Figure, quantile } from "./goal.ts";
import { AGENT_PORT, type PagePlace, readMetric } from "./readings.ts";

const FEW = 10;
const MANY = 10_000;
const PORTS_EACH = 100;
const CHANGES = 20;
const APART_MS = 200;
/** An address for each of the Services. */
const POOLS = ["lan=10.77.0.100-10.77.0.250"];
const CHANGED_MS_MAX = 120_000;
const SERVED_MS_MAX = 300_000;
const GOAL_MS = 30;
/** On a machine with more to do one pause is longer than the goal: 180 ms beside other tests. */
const NOT_JUDGED = `one of ${CHANGES}, without a goal: whatever else the machine does is in it`;

/** An element comes and goes in a table of nobody's; prints ns of each. */
const BARE = `
nft 'add table inet bench; add set inet bench s { type inet_service; }'
for port in $(seq 1 ${CHANGES}); do
  begun=$(date +%s%N)
  echo "add element inet bench s { $port }" | nft -f -
  echo $(($(date +%s%N) - begun))
done
nft delete table inet bench`;

/** Measures; takes about two minutes. */
export async function benchMemberTable(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage({ balancers: 1, pools: POOLS });
  const few = await measure(stage, FEW, tell);
  const many = await measure(stage, servicesOf(MANY), tell);
  return [...few, ...many];
}

async function measure(
  stage: Stage,
  listeners: number,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const [host] = stage.balancers;
  if (host === undefined) throw new Error("the stage has a balancer");
  await stage.write("rest.yaml", services(listeners - 1));
  await change(stage, 0);
  await stage.until(
    `${listeners} listeners are served`,
    ({ claims }) => {
      const ports = claims.reduce((sum, claim) => sum + claim.ports.length, 0);
      return ports === listeners && claims.every(({ state }) => state === "ready")
        ? true
        : undefined;
    },
    SERVED_MS_MAX,
  );
  await stage.inSync(SERVED_MS_MAX);
  tell(`  ${listeners} listeners are served`);
  const page = { host, port: AGENT_PORT };
  const reloads = await readMetric(page, "fairlead_proxy_reloads_total");
  const changes: number[] = [];
  for (let round = 1; round <= roundsOf(CHANGES); round += 1) {
    changes.push(await changeOnce(stage, page, round));
  }
  tell(`  changes took ${changes.map((ms) => ms.toFixed(0)).join(" ")} ms`);
  const reloaded = (await readMetric(page, "fairlead_proxy_reloads_total")) - reloads;
  const floor = quantile(await bareChanges(host), 0.5);
  const what = `member change with ${listeners} listeners: receipt to table`;
  return [
    { what: `${what}, p50`, value: quantile(changes, 0.5), unit: "ms", floor, goal: GOAL_MS },
    { what: `${what}, worst`, value: quantile(changes, 1), unit: "ms", floor, beside: NOT_JUDGED },
    { what: `${what}: reloads`, value: reloaded, unit: "reloads", goal: 0 },
  ];
}

function services(listeners: number): ReturnType<typeof service> {
  const found = [];
  for (let from = 0; from < listeners; from += PORTS_EACH) {
    const count = Math.min(PORTS_EACH, listeners - from);
    const ports = Array.from({ length: count }, (_, at): ServicePort => {
      return { name: `port-${at}`, port: 1000 + at, targetPort: 8080 };
    });
    found.push(...service({ name: `rest-${from}`, ports }));
  }
  return found;
}

/** One Service of one port, with one member or both. */
async function change(stage: Stage, round: number): Promise<void> {
  const members = round % 2 === 0 ? MEMBERS : MEMBERS.slice(0, 1);
  await stage.write("changed.yaml", service({ name: "changed", members }));
}

/** By the agent's own sums: ms of the one plan that came. */
async function changeOnce(stage: Stage, page: PagePlace, round: number): Promise<number> {
  await wait(APART_MS);
  const before = await fedSums(page);
  await change(stage, round);
  for (const endMs = performance.now() + CHANGED_MS_MAX; performance.now() < endMs;) {
    const after = await fedSums(page);
    const plans = after.plans - before.plans;
    if (plans > 0) return (1000 * (after.seconds - before.seconds)) / plans;
    await wait(APART_MS);
  }
  throw new Error(`no plan came within ${CHANGED_MS_MAX} ms of a change`);
}

async function fedSums(page: PagePlace): Promise<{ readonly plans: number; seconds: number }> {
  return {
    plans: await readMetric(page, "fairlead_agent_plans_fed_total"),
    seconds: await readMetric(page, "fairlead_agent_plans_fed_seconds_total"),
  };
}

async function bareChanges(host: Host): Promise<readonly number[]> {
  const output = await host.output("sh", ["-c", BARE]);
  return output
    .trim()
    .split("\n")
    .map((ns) => Number(ns) / 1e6);
}
