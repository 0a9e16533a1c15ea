// How lives of a controller end in the middle of something: by SIGKILL or in order, each at a
// moment of chance, and another life begins at once. Given the chance, so that a seed replays it.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

import type { Seat } from "./seat.ts";
import type { Seeded } from "./seeded.ts";

/** The moment of an end is random within this after its phase has begun. */
export const MOMENT_MS_MAX = 150;

/** SIGKILL, or SIGTERM, which has to end it well. */
export type Ending = "kill" | "stop";

const ENDINGS: readonly Ending[] = ["kill", "stop"];

/** In which phase of something a life ends, and how. */
export interface Round<T> {
  readonly phase: T;
  readonly ending: Ending;
}

/** Each phase with each ending, in an order of chance. */
export function roundsOf<T>(phases: readonly T[], chance: Seeded): readonly Round<T>[] {
  const rounds = phases.flatMap((phase) => ENDINGS.map((ending) => ({ phase, ending })));
  const keyed = rounds.map((round) => ({ round, key: chance.below(2 ** 30) }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ round }) => round);
}

/** Ends the controller at a random moment, and starts it again. */
export async function endSoon(controller: Seat, ending: Ending, chance: Seeded): Promise<void> {
  // Not a wait for something: the moment of the end is what is random here.
  await wait(chance.below(MOMENT_MS_MAX));
  await controller[ending]();
  await controller.start();
}

/** No life of the controller took a Service for one that asks for nothing any more. */
export function letNothingGo(controller: Seat): void {
  const lines = controller.lines().filter((line) => line.includes("no longer asked for"));
  assert.deepEqual(lines, []);
}
