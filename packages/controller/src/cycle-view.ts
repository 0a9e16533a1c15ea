// What the loop shows of itself to those who answer questions: values of one moment, never changed
// in place. It stands apart from the loop, so that who answers cannot call it.

import type { Finding, Plan, World } from "@fairlead/model";

import type { ClusterState } from "./cluster-state.ts";
import type { MoveBook } from "./move-book.ts";
import type { ElectionView } from "./ports.ts";
import type { VerdictTimes } from "./verdict-times.ts";

/** What the loop knows now, for those who answer questions. Never changed in place. */
export interface CycleView {
  /** Who leads. One that does not has no plan and knows no agents. */
  readonly lead: ElectionView;
  /** 0 before the store is open, and while another controller leads. */
  readonly epoch: number;
  readonly cycles: number;
  readonly state: ClusterState;
  /** Absent before the first cycle. */
  readonly plan?: Plan;
  /** The claims that the plan was made for; `state` may know newer ones. Empty before it. */
  readonly judged: World["claims"];
  readonly times: VerdictTimes;
  /** The last moves of each address, the latest first; since this controller leads. */
  readonly moves: MoveBook["moves"];
  /** Of sources, planning and the store; sorted by subject and name. */
  readonly findings: readonly Finding[];
  /** Undefined when all is well; else what is waited for. */
  readonly notReady?: string;
}
