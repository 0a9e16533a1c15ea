// How many of the changes that agents were told of were in force soon enough, by their histogram of
// that. Given the stage, and what was read of it before.

import type { Stage } from "../e2e/stage/stage.ts";
import type { Figure } from "./goal.ts";
import { AGENT_PORT, readMetric } from "./readings.ts";

/** Of plans that came to one agent since its start. */
export interface InForce {
  readonly all: number;
  /** Those that were in force soon enough. */
  readonly soon: number;
  /** The times of all together, in seconds. */
  readonly totalS: number;
}

/** One of the bounds of the histogram. */
const SOON_S = 1.5;
const METRIC = "fairlead_agent_plan_applied_seconds";

/** Reads it, agent by agent. */
export function readInForce({ balancers }: Stage): Promise<readonly InForce[]> {
  return Promise.all(
    balancers.map(async (host) => {
      const place = { host, port: AGENT_PORT };
      const soon = await readMetric(place, `${METRIC}_bucket`, { le: String(SOON_S) });
      const totalS = await readMetric(place, `${METRIC}_sum`);
      return { soon, totalS, all: await readMetric(place, `${METRIC}_count`) };
    }),
  );
}

/** The share of those that came between two readings, of the agent with the least. */
export function inForceFigure(before: readonly InForce[], now: readonly InForce[]): Figure {
  const shares = between(before, now).map(({ soon, all }) => soon / all);
  return {
    what: `plans in force within ${SOON_S} s of their arrival, the least of an agent`,
    value: 100 * Math.min(...shares),
    unit: "%",
    least: 100,
  };
}

/** How long those that came between two readings took, of the slowest agent. */
export function inForceAfterFigure(before: readonly InForce[], now: readonly InForce[]): Figure {
  const means = between(before, now).map(({ totalS, all }) => totalS / all);
  const what = "from a plan's arrival until it is in force, mean of the slowest agent";
  return { what, value: Math.max(...means), unit: "s" };
}

function between(before: readonly InForce[], now: readonly InForce[]): readonly InForce[] {
  return now.map(({ all, soon, totalS }, at) => {
    const earlier = before[at] ?? { all: 0, soon: 0, totalS: 0 };
    return {
      all: all - earlier.all,
      soon: soon - earlier.soon,
      totalS: totalS - earlier.totalS,
    };
  });
}
