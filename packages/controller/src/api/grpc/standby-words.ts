// What a controller that does not lead, or has not planned yet, says in the place of an answer.
// Pure.

import { NotReadyError } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { ElectionView } from "../../ports.ts";

/** Why it does not know, and what to do: who leads is asked, or what hides that is mended. */
export function standbyWords({ holder, trouble }: ElectionView): {
  readonly detail: string;
  readonly remedy: string;
} {
  if (holder !== undefined) {
    const detail = `this controller stands by; ${holder} leads`;
    return { detail, remedy: `ask ${holder}, by --server` };
  }
  if (trouble !== undefined) {
    const detail = `it is not known who leads: ${trouble}`;
    return { detail, remedy: "mend that, or ask another, by --server" };
  }
  const detail = "this controller stands by, and nobody leads";
  return { detail, remedy: "look at the other controllers" };
}

/** Why `what` cannot be told before the first plan of this controller: lower case, plural. */
export function notKnownHere(what: string, { lead, notReady }: CycleView): NotReadyError {
  const why = lead.leads ? "nothing was planned yet" : standbyWords(lead).detail;
  return new NotReadyError(`the ${what} are not known here: ${notReady ?? why}`);
}
