// What 100 Services of a real cluster cost while nothing happens: no reload, no write, no request,
// and the memory of the programs as people start them, beside that of a bare Node.

import { setTimeout as wait } from "node:timers/promises";

import { isWrite } from "@fairlead/lab";

import type { Stage } from "../e2e/stage/stage.ts";
import { controllerRequests, countByKind } from "./api-requests.ts";
import { createClusterStage, fillServices, type Tell, untilReady } from "./cluster-stage.ts";
import { servicesOf } from "./counts.ts";
import type { Figure } from "./goal.ts";
import { type ProcessMemory, readMemory, readOwnMemory } from "./process-memory.ts";
import { readReloads, readStoreWrites } from "./readings.ts";

const SERVICES = 100;
const READY_MS_MAX = 60_000;
/** The controller looks a second time at what it listed, half a minute after its start. */
const SETTLE_MS = 45_000;
const IDLE_MS = 60_000;
/** As the scripts in bin/ start Node. */
const BARE_NODE = ["--max-semi-space-size=1", "--eval", "setInterval(() => {}, 60_000)"];
const BARE_MS = 3000;

/** Measures; takes about three minutes. */
export async function benchClusterIdle(tell: Tell): Promise<readonly Figure[]> {
  await using stage = await createClusterStage();
  const count = servicesOf(SERVICES);
  await fillServices(stage.api().kube, count, tell);
  await untilReady(stage, count, READY_MS_MAX);
  // At a well-ordered end Node keeps what it made of the sources: only the very first start of a
  // host compiles them, and holds the compiler in memory.
  for (const seat of stage.seats) {
    await seat.stop();
    await seat.start();
  }
  await untilReady(stage, count, READY_MS_MAX);
  await stage.inSync(READY_MS_MAX);
  tell(`  ${count} Services are served; settling for ${SETTLE_MS / 1000} s`);
  await wait(SETTLE_MS);
  const before = await readCounts(stage);
  const sinceMs = Date.now();
  tell(`  nothing happens for ${IDLE_MS / 1000} s`);
  await wait(IDLE_MS);
  const requests = await controllerRequests(stage, sinceMs);
  const after = await readCounts(stage);
  const asked = requests.filter((entry) => entry.verb !== "watch" && !isWrite(entry));
  const watches = requests.filter(({ verb }) => verb === "watch").length;
  for (const [kind, times] of countByKind(requests)) tell(`  while idle: ${times} x ${kind}`);
  const idle = `idle ${IDLE_MS / 1000} s, ${count} Services`;
  return [
    { what: `${idle}: reloads`, value: after.reloads - before.reloads, unit: "", goal: 0 },
    { what: `${idle}: store writes`, value: after.writes - before.writes, unit: "", goal: 0 },
    { what: `${idle}: API writes`, value: requests.filter(isWrite).length, unit: "", goal: 0 },
    { what: `${idle}: lists and gets`, value: asked.length, unit: "", goal: 0 },
    { what: `${idle}: watches begun`, value: watches, unit: "" },
    ...(await memoryFigures(stage)),
  ];
}

async function readCounts(stage: Stage): Promise<{ readonly reloads: number; writes: number }> {
  const reloads = await readReloads(stage);
  return {
    reloads: reloads.reduce((sum, one) => sum + one, 0),
    writes: await readStoreWrites(stage),
  };
}

async function memoryFigures(stage: Stage): Promise<readonly Figure[]> {
  const bare = await bareNode(stage);
  const agents = stage.balancers.map(({ name }) => stage.agent(name).outsidePid());
  const controller = stage.controller.outsidePid();
  return [
    { what: "a bare Node: its own memory", value: bare.ownMb, unit: "MB" },
    { what: "a bare Node: resident", value: bare.residentMb, unit: "MB" },
    ...(await programFigures("agent", { pid: await largestOf(agents), bare, own: 55, all: 110 })),
    ...(await programFigures("controller", { pid: controller, bare, own: 60, all: 120 })),
  ];
}

async function bareNode(stage: Stage): Promise<ProcessMemory> {
  await using node = await stage.control.start(process.execPath, BARE_NODE);
  await wait(BARE_MS);
  return await readMemory(node.outsidePid);
}

async function largestOf(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(async (pid) => ({ pid, ...(await readMemory(pid)) })));
  const [largest] = all.toSorted((a, b) => b.ownMb - a.ownMb);
  if (largest === undefined) throw new Error("the stage has agents");
  return largest.pid;
}

interface MemoryGoals {
  readonly pid: number;
  readonly bare: ProcessMemory;
  readonly own: number;
  readonly all: number;
}

async function programFigures(
  name: string,
  { pid, bare, own, all }: MemoryGoals,
): Promise<readonly Figure[]> {
  const memory = await readMemory(pid);
  const parts = await readOwnMemory(pid);
  const unit = "MB";
  return [
    { what: `${name}: its own memory`, value: memory.ownMb, unit, floor: bare.ownMb, goal: own },
    { what: `${name}: of it V8's`, value: parts.anonymousMb, unit },
    { what: `${name}: of it malloc's`, value: parts.mallocMb, unit },
    { what: `${name}: of it changed pages of Node`, value: parts.programMb, unit },
    { what: `${name}: pages of files, most of them Node`, value: memory.fileMb, unit },
    {
      what: `${name}: resident`,
      value: memory.residentMb,
      unit,
      floor: bare.residentMb,
      goal: all,
    },
  ];
}
