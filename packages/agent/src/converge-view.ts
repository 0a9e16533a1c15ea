// What the loop shows of itself to those who answer questions: values of one moment, never changed
// in place. It stands apart from the loop, so that who answers cannot call it.

import type { AgentReport, Link, Revision } from "@fairlead/model";

import type { Applied } from "./applied.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan, LedgerEntry } from "./ports.ts";
import type { StepOutcome } from "./step-outcome.ts";

/** What the loop knows now. Never changed in place. */
export interface ConvergeView {
  readonly wanted: AcceptedPlan | undefined;
  /** Whether `wanted` is on the disk. */
  readonly isKept: boolean;
  readonly applied: Applied;
  readonly appliedPlan: Revision | undefined;
  /** Passes finished since the start. */
  readonly passes: number;
  readonly reloads: number;
  /** The host's links with its own prefixes; empty before the first look. */
  readonly links: readonly Link[];
  /** Highest epoch ever obeyed. */
  readonly epoch: number;
  readonly ledger: readonly LedgerEntry[];
  /** The last look at the host; undefined before the first. */
  readonly look: Look | undefined;
  /** The last pass that had a plan; undefined before the first. */
  readonly pass: Pass | undefined;
  /** Whether the steps of a pass run now. */
  readonly isApplying: boolean;
}

/** One look at the host, and what was reported by it. */
export interface Look {
  /** Monotonic ms. */
  readonly atMs: number;
  readonly observed: Observation;
  readonly report: AgentReport;
  /** The plan that was wanted then. */
  readonly wanted: AcceptedPlan | undefined;
}

/** How one pass went. */
export interface Pass {
  /** Monotonic ms. */
  readonly endedMs: number;
  readonly tookMs: number;
  /** The plan that it was for. */
  readonly revision: Revision;
  readonly steps: readonly StepOutcome[];
  /** Why it ended before its steps did; undefined when it did not. */
  readonly brokeOff?: string;
}
