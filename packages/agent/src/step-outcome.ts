// What became of each step of a pass, in words for people. Pure. Nothing is decided by it.

import { assertNever } from "@fairlead/model";

import type { Step } from "./steps.ts";

/** One step that ran, or was to run. */
export interface StepOutcome {
  readonly kind: Step["kind"];
  /** What it was about: "3 listeners". */
  readonly subject: string;
  readonly outcome: OutcomeKind;
  /** Why it is not done, in the words of whoever said so; empty when it is. */
  readonly detail: string;
  readonly tookMs: number;
}

/**
 * `partly`: some resources were left out; `refused`: the daemon did not take it; `failed`: it could
 * not be done; `skipped`: a step before it went wrong.
 */
export type OutcomeKind = "done" | "partly" | "refused" | "failed" | "skipped";

/** What a step is about. */
export function subjectOf(step: Step): string {
  switch (step.kind) {
    case "serve":
      return counted(step.listeners.length, step.protocol === "udp" ? "UDP listener" : "listener");
    case "guard":
      return `${counted(step.vips.length, "VIP")}, ${counted(step.without.length, "listener")} closed`;
    case "ask":
      return counted(step.questions.length, "address", "addresses");
    case "record":
    case "forget":
      return counted(step.entries.length, "address in the ledger", "addresses in the ledger");
    case "hold":
      return `${counted(step.lanes.length, "lane")}, ${counted(step.vips.length, "VIP")}`;
    case "attach": {
      const due = step.attachments.filter(({ put }) => put !== undefined).length;
      return `${counted(step.attachments.length, "address", "addresses")}, ${due} due`;
    }
    case "sweep":
      return step.addresses.map(({ address, link }) => `${address} on ${link}`).join(", ");
    default:
      return assertNever(step, "step kind");
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
