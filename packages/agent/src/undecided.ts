// What nginx had no time for, and when it may be tried again: each try costs the host reloads, so
// one that is too slow for them is given longer and longer, however often plans come meanwhile.
// Pure.

import type { Remark } from "@fairlead/model";

import { RETRY_MS, RETRY_MS_MAX } from "./converge-times.ts";

/** A file of one instance of nginx that was neither taken nor refused. */
export interface Undecided {
  /** Of the file. */
  readonly generation: string;
  readonly remark: Remark;
  /** How long it rests, and until when, in monotonic ms. */
  readonly restMs: number;
  readonly untilMs: number;
}

/** What a try has come to, after what the last one came to. */
export function undecided(
  before: Undecided | undefined,
  generation: string,
  remark: Remark,
  nowMs: number,
): Undecided {
  const restMs = before === undefined ? RETRY_MS : Math.min(2 * before.restMs, RETRY_MS_MAX);
  return { generation, remark, restMs, untilMs: nowMs + restMs };
}

/** Whether nginx had no time for this a moment ago. */
export function isResting(
  last: Undecided | undefined,
  generation: string,
  nowMs: number,
): last is Undecided {
  return last?.generation === generation && nowMs < last.untilMs;
}

/** After how long a pass is made again, in ms: what else failed in it waits for no nginx. */
export function retryMsOf(rests: Iterable<Undecided>, nowMs: number): number {
  return Math.min(RETRY_MS, ...Array.from(rests, ({ untilMs }) => Math.max(0, untilMs - nowMs)));
}
