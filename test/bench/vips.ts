// A thousand VIPs on three hosts, one of which holds them all: what the agents cost while nothing
// happens, how long a client that pings every VIP misses the last of them when the holder's link is
// cut, and how long one that connects to a VIP misses it when its lane is moved.

import { setTimeout as wait } from "node:timers/promises";

import { startProbe, summarizeTries } from "@fairlead/lab";

import { failedNew } from "../e2e/stage/failed-new.ts";
import { service } from "../e2e/stage/manifests.ts";
import { createStage, type Stage } from "../e2e/stage/stage.ts";
import { servicesOf } from "./counts.ts";
import { cpuOfProcess } from "./cpu-time.ts";
import type { Figure } from "./goal.ts";
import { pingAll, PING_EVERY_MS } from "./ping-all.ts";
import { readMemory } from "./process-memory.ts";

const VIPS = 1000;
const READY_MS_MAX = 300_000;
/** What a start leaves behind is looked at and collected for two minutes after it. */
const SETTLE_MS = 120_000;
/** Its garbage is collected each 200 s: in less than a minute or two that is all or nothing. */
const IDLE_MS = 120_000;
const HOLDER = "lb1";
/** Of the successors the one that a lane is moved to, if it does not hold it. */
const NEXT = "lb2";
const LAST = "lb3";
const AFTER_MS = 3000;
/** A client misses a lane that is moved from before its first address comes until its last goes. */
const AROUND_MS = 1000;

/** Measures; takes about seven minutes. */
export async function benchVips(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createStage({ prefixLength: 16, pools: ["lan=10.77.4.0-10.77.9.255"] });
  const count = servicesOf(VIPS);
  const services = Array.from({ length: count }, (_, index) => service({ name: `web-${index}` }));
  await stage.write("all.yaml", services.flat());
  const vips = await untilServed(stage, count);
  await stage.backed(READY_MS_MAX);
  tell(`  ${count} VIPs are served, and have their successors`);
  for (const other of [NEXT, LAST]) await command(stage, "drain", other);
  for (const other of [NEXT, LAST]) await command(stage, "uncordon", other);
  // Only the very first start of a host compiles the sources, and holds the compiler in memory.
  for (const { name } of stage.balancers) {
    await stage.agent(name).stop();
    await stage.agent(name).start();
  }
  await stage.inSync(READY_MS_MAX);
  await holds(stage, HOLDER, vips);
  const idle = await idleFigures(stage, count, tell);
  return [
    ...idle,
    ...(await takeover(stage, vips, tell)),
    ...(await plannedMove(stage, vips, tell)),
  ];
}

async function untilServed(stage: Stage, count: number): Promise<readonly string[]> {
  return await stage.until(
    `${count} Services are ready`,
    ({ claims }) =>
      claims.length === count && claims.every(({ state }) => state === "ready")
        ? claims.flatMap(({ addresses }) => addresses.map(({ address }) => address))
        : undefined,
    READY_MS_MAX,
  );
}

async function command(stage: Stage, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await stage.fairlead(...args);
  if (code !== 0) throw new Error(`fairlead ${args.join(" ")}: ${stdout}${stderr}`);
}

function holds(stage: Stage, host: string, vips: readonly string[]): Promise<void> {
  const isThere = (): boolean => vips.every((vip) => stage.recorder.holders(vip).join() === host);
  return stage.recorder.waitUntil(isThere, READY_MS_MAX, `${host} alone holds all VIPs`);
}

async function idleFigures(
  stage: Stage,
  count: number,
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  tell(`  ${HOLDER} holds all of them; settling for ${SETTLE_MS / 1000} s`);
  await wait(SETTLE_MS);
  tell(`  nothing happens for ${IDLE_MS / 1000} s`);
  const agents = stage.balancers.map(({ name }) => {
    const role = name === HOLDER ? "holder" : `successor ${name}`;
    return { role, pid: stage.agent(name).outsidePid() };
  });
  const cpu = (): Promise<readonly number[]> =>
    Promise.all(agents.map(({ pid }) => cpuOfProcess(pid)));
  const before = await cpu();
  await wait(IDLE_MS);
  const after = await cpu();
  const figures = agents.map(async ({ role, pid }, at): Promise<readonly Figure[]> => {
    const share = (100_000 * ((after[at] ?? 0) - (before[at] ?? 0))) / IDLE_MS;
    const { ownMb } = await readMemory(pid);
    const what = `idle with ${count} VIPs, agent of the ${role}`;
    return [
      { what: `${what}: of a core`, value: share, unit: "%", digits: 2, goal: 0.5 },
      { what: `${what}: anonymous memory`, value: ownMb, unit: "MB", goal: 75 },
    ];
  });
  return (await Promise.all(figures)).flat();
}

async function takeover(
  stage: Stage,
  vips: readonly string[],
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  const holder = stage.lab.host(HOLDER);
  await using pings = await pingAll(stage.client, vips);
  await holder.cutLink();
  const isGone = (): boolean =>
    vips.every((vip) => stage.recorder.holders(vip).some((name) => name !== HOLDER));
  await stage.recorder.waitUntil(isGone, READY_MS_MAX, "others hold all VIPs");
  await wait(AFTER_MS);
  const silences = await pings.stop();
  await holder.healLink();
  const sorted = [...silences.values()].toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  tell(`  the first VIP came back after ${at(0.001).toFixed(0)} ms`);
  const unit = "ms";
  const what = `takeover of ${vips.length} VIPs, pinged every ${PING_EVERY_MS} ms`;
  return [
    { what: `${what}: silence, p50`, value: at(0.5), unit },
    { what: `${what}: silence of the last`, value: at(1), unit, goal: 600 },
  ];
}

async function plannedMove(
  stage: Stage,
  [vip = ""]: readonly string[],
  tell: (line: string) => void,
): Promise<readonly Figure[]> {
  await stage.inSync(READY_MS_MAX);
  const holder = await stage.recorder.waitForHolder(vip, READY_MS_MAX);
  const to = holder === NEXT ? LAST : NEXT;
  await using probe = await startProbe(stage.client, { address: vip, port: 80, timeoutMs: 3000 });
  await probe.waitForAnswer(READY_MS_MAX);
  await command(stage, "move", vip, "--to", to);
  await stage.recorder.waitForHolder(vip, READY_MS_MAX, holder);
  await wait(AFTER_MS);
  const { longestPauseMs, allTries } = await probe.stop();
  const history = stage.recorder.history().filter((event) => event.address === vip);
  const movedMs = history.findLast(({ host, event }) => host === to && event === "added")?.atMs;
  const failed = allTries.filter(({ member }) => member === undefined);
  const fresh = failedNew(failed).length;
  const around = allTries.filter(({ atMs }) => Math.abs(atMs - (movedMs ?? 0)) <= AROUND_MS);
  const silence = summarizeTries(around).longestSilence?.lengthMs ?? Number.POSITIVE_INFINITY;
  tell(`  moved from ${holder} to ${to}`);
  const what = "planned move of a lane";
  return [
    { what: `${what}: failed new connections`, value: fresh, unit: "", goal: 0 },
    { what: `${what}: connections that it ended`, value: failed.length - fresh, unit: "" },
    {
      what: `${what}: longest silence within ${AROUND_MS} ms of it`,
      value: silence,
      unit: "ms",
      goal: 50,
    },
    // Of the whole run, most of it the command's own start: what a machine that is busy adds.
    {
      what: `${what}: longest time in which the client itself did not run`,
      value: longestPauseMs,
      unit: "ms",
    },
  ];
}
