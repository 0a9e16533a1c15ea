// Since when each claim is in its state, for ages in tables and chains. Pure.

import {
  type ClaimId,
  type Verdict,
  type VerdictState,
  changedKeys,
  patchMap,
} from "@fairlead/model";

/** Since when a claim is in its state, epoch ms. */
export interface VerdictTime {
  readonly state: VerdictState;
  readonly sinceMs: number;
}

/** By claim. */
export type VerdictTimes = ReadonlyMap<ClaimId, VerdictTime>;

/** Verdicts with since when each is so. */
export interface TimedVerdicts {
  readonly verdicts: ReadonlyMap<ClaimId, Verdict>;
  readonly times: VerdictTimes;
}

/** Nothing judged yet. */
export const NO_VERDICTS: TimedVerdicts = { verdicts: new Map(), times: new Map() };

/** The next times: a claim whose state stays keeps its time. */
export function trackVerdicts(
  before: TimedVerdicts,
  verdicts: ReadonlyMap<ClaimId, Verdict>,
  nowMs: number,
): TimedVerdicts {
  const changes = new Map<ClaimId, VerdictTime | undefined>();
  for (const id of changedKeys(before.verdicts, verdicts)) {
    const state = verdicts.get(id)?.state;
    if (state === before.times.get(id)?.state) continue;
    changes.set(id, state && { state, sinceMs: nowMs });
  }
  return { verdicts, times: patchMap(before.times, changes) };
}
