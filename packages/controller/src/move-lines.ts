// Moves of addresses as lines of the log, and their gaps in words. Pure.

import type { MoveRecord } from "./move-book.ts";
import type { Narration } from "./narrate.ts";

/** How long nobody had the address: `342 ms`, `at most 2000 ms`, `not known`, `not known yet`. */
export function gapText({ gapMs, isGapAtMost, isOpen }: MoveRecord): string {
  if (gapMs === undefined) return isOpen === true ? "not known yet" : "not known";
  return `${isGapAtMost === true ? "at most " : ""}${gapMs} ms`;
}

/** A line for each. */
export function* moveLines(moves: readonly MoveRecord[]): Generator<Narration, undefined> {
  for (const move of moves) {
    const { address, from, to, isPlanned, why } = move;
    const cause = isPlanned ? "planned" : "unplanned";
    const fields = { address, from, to, cause, gap: gapText(move) };
    yield { level: "info", fields: why === "" ? fields : { ...fields, why }, message: "moved" };
  }
}
