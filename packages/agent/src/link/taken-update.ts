// The update that was taken last on a stream, and how far it was said to have come: the next step
// is said once. Given reports. It writes nothing.

import type { AgentReport } from "@fairlead/model";
import type { Ack } from "@fairlead/wire";

import type { AcceptedPlan } from "../ports.ts";
import { isFurther, progressOf } from "./progress.ts";

/** The memory of one link. */
export interface TakenUpdate {
  /** An update was taken, and this was said of it. */
  took(plan: AcceptedPlan, said: Ack): void;
  /** The stream has ended: nothing of it is owed any more. */
  forget(): void;
  /** What there is to say after this report; undefined: nothing new. Overtaken steps are not. */
  further(report: AgentReport): Ack | undefined;
}

/** Makes it, of a link that took nothing. */
export function createTakenUpdate(): TakenUpdate {
  let taken: Taken | undefined;
  return {
    took: (plan, said) => {
      taken = { plan, said };
    },
    forget: () => {
      taken = undefined;
    },
    further: (report) => {
      if (taken === undefined || taken.judged === report.resources) return undefined;
      const progress = progressOf(taken.plan, report);
      if (progress === undefined) return undefined;
      const { said } = taken;
      taken = { ...taken, judged: report.resources };
      const hasNewNack = progress.nacks.some(
        ({ name, problem }) =>
          !said.nacks.some((one) => one.name === name && one.problem.detail === problem.detail),
      );
      if (!isFurther(progress.step, said.step) && !hasNewNack) return undefined;
      const ack: Ack = { nonce: said.nonce, step: progress.step, nacks: progress.nacks };
      taken = { ...taken, said: ack };
      return ack;
    },
  };
}

interface Taken {
  readonly plan: AcceptedPlan;
  readonly said: Ack;
  /** Resources of the last report of this plan: the same ones are no further. */
  readonly judged?: AgentReport["resources"];
}
