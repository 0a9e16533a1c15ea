// Writes into the log what each moment changed. Given the log. A plan of ten thousand claims has as
// many lines, which are written a few at a time with the event loop's turn between them; none is
// left out, and their order stays.

import type { Logger } from "@fairlead/runtime";

import { moveLines } from "./move-lines.ts";
import type { MoveRecord } from "./move-book.ts";
import { findingKey, narrate, type Narration, NOTHING_SAID, type Said } from "./narrate.ts";

/** Lines that are written before others may have the loop: a few ms. */
const LINES_AT_ONCE = 200;
/** Moments that may wait to be told; with one more the oldest is told whole at once. */
const MOMENTS_MAX = 16;

/** Tells one moment after the other. */
export interface Narrator extends Disposable {
  /** Says what changed since it was told last; returns at once. */
  tell(now: Said): void;
  /** Says of each that it was; mostly of none. */
  tellMoves(moves: readonly MoveRecord[]): void;
  /** As `tell`, by one that leads no more: what it no longer knows is not over for that. */
  tellStandby(now: Said): void;
  /** Writes what still waits. */
  [Symbol.dispose](): void;
}

/** Makes one that has said nothing. */
export function createNarrator(log: Logger): Narrator {
  const waiting: Iterator<Narration, undefined>[] = [];
  let said = NOTHING_SAID;
  let turn: NodeJS.Immediate | undefined;

  /** Writes at most so many lines. */
  function write(count: number): void {
    for (let left = count; left > 0; left--) {
      const next = waiting[0]?.next();
      if (next === undefined) return;
      if (next.done === true) waiting.shift();
      else log[next.value.level](next.value.fields, next.value.message);
    }
  }

  function goOn(): void {
    turn = undefined;
    write(LINES_AT_ONCE);
    if (waiting.length > 0) turn = setImmediate(goOn);
  }

  function add(lines: Iterator<Narration, undefined>): void {
    waiting.push(lines);
    while (waiting.length > MOMENTS_MAX) write(1);
    if (turn === undefined) goOn();
  }

  function tell(now: Said): void {
    add(narrate(said, now));
    said = now;
  }

  return {
    tell,
    tellMoves: (moves) => {
      if (moves.length > 0) add(moveLines(moves));
    },
    tellStandby: (now) => {
      const present = new Set(now.findings.map(findingKey));
      const findings = said.findings.filter((one) => present.has(findingKey(one)));
      said = { verdicts: NOTHING_SAID.verdicts, findings };
      tell(now);
    },
    [Symbol.dispose]: () => {
      if (turn !== undefined) clearImmediate(turn);
      write(Number.POSITIVE_INFINITY);
    },
  };
}
