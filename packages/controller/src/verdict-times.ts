// Since when each claim is in its state, for ages in tables and chains. Pure.

import type { ClaimId, Verdict, VerdictState } from "@fairlead/model";

/** Since when a claim is in its state, epoch ms. */
export interface VerdictTime {
  readonly state: VerdictState;
  readonly sinceMs: number;
}

/** By claim. */
export type VerdictTimes = ReadonlyMap<ClaimId, VerdictTime>;

/** The next times: a claim whose state stays keeps its time. */
export function trackVerdicts(
  before: VerdictTimes,
  verdicts: ReadonlyMap<ClaimId, Verdict>,
  nowMs: number,
): VerdictTimes {
  return new Map(
    Array.from(verdicts, ([id, verdict]) => {
      const known = before.get(id);
      const isSame = known?.state === verdict.state;
      return [id, isSame ? known : { state: verdict.state, sinceMs: nowMs }];
    }),
  );
}
