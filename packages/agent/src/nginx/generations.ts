// The generations of nginx that have living workers: the serving one, and each older one that
// still has connections; and which of them are too many. Given what /proc shows of the master's
// children. Pure.

import type { LivingGeneration } from "../ports.ts";

/** One worker process. */
export interface Worker {
  readonly pid: number;
  /** Clock ticks since boot, 100 a second. */
  readonly startTicks: number;
  /** Whether it serves no new connections any more. */
  readonly ending: boolean;
  /** Anonymous memory, in bytes: what its generation and its connections cost. */
  readonly memoryBytes: number;
}

/**
 * Workers of one generation are started one after the other within milliseconds; before it starts
 * those of the next one, nginx waits for 100 ms. Between the two is the gap that tells them apart.
 */
const GAP_TICKS = 8;

/**
 * The workers by generation: the serving one first, then those that end, from the youngest to the
 * oldest.
 */
export function groupGenerations(workers: readonly Worker[]): readonly (readonly Worker[])[] {
  const serving = workers.filter((worker) => !worker.ending);
  const ending = workers
    .filter((worker) => worker.ending)
    .toSorted((a, b) => b.startTicks - a.startTicks);
  const groups: Worker[][] = serving.length === 0 ? [] : [serving];
  let youngest: Worker | undefined;
  for (const worker of ending) {
    const isSame = youngest !== undefined && youngest.startTicks - worker.startTicks <= GAP_TICKS;
    if (isSame) groups.at(-1)?.push(worker);
    else groups.push([worker]);
    youngest = worker;
  }
  return groups;
}

/** What is said of each generation, in the order of `groupGenerations`. */
export function livingGenerations(
  workers: readonly Worker[],
  nowTicks: number,
): readonly LivingGeneration[] {
  return groupGenerations(workers).map((group) => ({
    isServing: group.some((worker) => !worker.ending),
    workers: group.length,
    memoryBytes: group.reduce((sum, worker) => sum + worker.memoryBytes, 0),
    ageMs: 10 * (nowTicks - startTicksOf(group)),
  }));
}

/** How many generations may live. */
export interface GenerationBound {
  /** The serving one included. */
  readonly max: number;
  /** For so long after it was replaced, in ms, one lives that is too many. */
  readonly keptMs: number;
}

/** A reload a second for the default drain time of 30 s leaves no more than this times 8. */
const BURST_TIMES = 4;

/**
 * The workers to be ended so that no more than `max` generations live: those of the oldest ones but
 * for those that were replaced a moment ago, as a burst of reloads ends no connection that it met.
 * Of four times as many none is kept. The serving generation is never among them.
 */
export function beyondBound(
  workers: readonly Worker[],
  { max, keptMs }: GenerationBound,
  nowTicks: number,
): readonly Worker[] {
  const groups = groupGenerations(workers);
  const replacedTicks = groups.map((_, at) => startTicksOf(groups[at - 1] ?? []));
  return groups
    .filter((_, at) => {
      const keptTicks = nowTicks - (replacedTicks[at] ?? nowTicks);
      return at >= BURST_TIMES * max || (at >= max && 10 * keptTicks >= keptMs);
    })
    .flat()
    .filter((worker) => worker.ending);
}

function startTicksOf(group: readonly Worker[]): number {
  return Math.min(...group.map((worker) => worker.startTicks));
}
