// The plan on disk, as the loop keeps it: loaded once, and written before a newer one acts, so that
// a restart in the middle of a pass goes on with it. Given the file. Never rejects: a disk that
// cannot be written is said, and the plan acts all the same.

import type { Remark } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import { withoutPreempt } from "./plan-file.ts";
import type { AcceptedPlan, PlanFile } from "./ports.ts";

/** The plan on disk, and what is wrong with the disk. */
export interface KeptPlan {
  /** The last good plan; undefined when there is none that reads. */
  load(): Promise<AcceptedPlan | undefined>;
  /** Writes the plan unless it is the one on disk; resolves with whether it is there now. */
  keep(plan: AcceptedPlan): Promise<boolean>;
  isKept(plan: AcceptedPlan | undefined): boolean;
  /** The one on disk, by which the next start begins; undefined when there is none that reads. */
  readonly plan: AcceptedPlan | undefined;
  /** Why the disk was read or written badly; gone with the next plan that it takes. */
  readonly remarks: readonly Remark[];
  /** Says what else is wrong with the disk. */
  say(remark: Remark): void;
}

/** Makes it; nothing is read before `load`. */
export function createKeptPlan(file: PlanFile): KeptPlan {
  return new Kept(file);
}

class Kept implements KeptPlan {
  readonly #file: PlanFile;
  #kept: AcceptedPlan | undefined;
  remarks: readonly Remark[] = [];

  constructor(file: PlanFile) {
    this.#file = file;
  }

  async load(): Promise<AcceptedPlan | undefined> {
    const { plan, remark } = await this.#file.load();
    this.remarks = remark === undefined ? [] : [remark];
    this.#kept = plan === undefined ? undefined : withoutPreempt(plan);
    return this.#kept;
  }

  async keep(plan: AcceptedPlan): Promise<boolean> {
    if (this.isKept(plan)) return true;
    try {
      await this.#file.save(plan);
      this.#kept = plan;
      this.remarks = [];
      return true;
    } catch (error) {
      this.remarks = [{ reason: "DiskUnwritable", detail: describeError(error) }];
      return false;
    }
  }

  get plan(): AcceptedPlan | undefined {
    return this.#kept;
  }

  isKept(plan: AcceptedPlan | undefined): boolean {
    const kept = this.#kept;
    return plan !== undefined && plan.revision === kept?.revision && plan.epoch === kept.epoch;
  }

  say(remark: Remark): void {
    this.remarks = [...this.remarks, remark];
  }
}
