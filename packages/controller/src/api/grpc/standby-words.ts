// What a controller that does not lead says in the place of an answer. Pure.

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
