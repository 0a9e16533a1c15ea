// How long until the next look when nothing calls for one: most of what an idle agent costs is
// waking up and looking (measured with 1 000 VIPs: 0.57 % of a core at one look a second, 0.45 % at
// one each two). Given reports and times; it has no clock and wakes nobody. Whatever the kernel
// tells is looked at at once, and daemons are watched more closely elsewhere.

import type { AgentReport } from "@fairlead/model";

import { CALM_AFTER_MS, CALM_TICK_MS, TICK_MS } from "./converge-times.ts";

/** When looks are due. All times are monotonic ms. */
export interface LookWait {
  /** The next look is taken as its time has come; any other one is, as something happened. */
  due(): void;
  /** A look was taken, and has become this report. */
  looked(report: AgentReport, nowMs: number): void;
  /** How long until the next one is due, in ms. */
  waitMs(nowMs: number): number;
}

/** Makes it, of a loop that has taken no look. */
export function createLookWait(): LookWait {
  let last: AgentReport | undefined;
  let stirredMs: number | undefined;
  let isDue = false;
  return {
    due: () => {
      isDue = true;
    },
    looked: (report, nowMs) => {
      const isCalm = isDue && last !== undefined && isSettled(report) && isAlike(last, report);
      if (!isCalm || stirredMs === undefined) stirredMs = nowMs;
      last = report;
      isDue = false;
    },
    waitMs: (nowMs) =>
      stirredMs !== undefined && nowMs - stirredMs >= CALM_AFTER_MS ? CALM_TICK_MS : TICK_MS,
  };
}

/** Whether nothing is the matter that may pass by itself. */
function isSettled({ remarks, hearing = [], dataPlane }: AgentReport): boolean {
  const isHeard = hearing.every(({ state }) => state !== "unheard");
  return remarks.length === 0 && isHeard && dataPlane.generationsAlive <= 1;
}

/** Parts that say what they said are the same objects. */
function isAlike(one: AgentReport, other: AgentReport): boolean {
  return (
    one.resources === other.resources &&
    one.links === other.links &&
    one.planRevision === other.planRevision &&
    one.hearing?.length === other.hearing?.length
  );
}
