// When a process counts as one that does nothing any more, look by look.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Looks, NO_LOOKS, isFrozen, looked } from "./frozen.ts";

/** States in the order of looks, with the pauses that a busy one has made by then. */
function after(looks: readonly (readonly [state: string, pauses: number])[]): Looks {
  return looks.reduce((before, [state, pauses]) => looked(before, state, () => pauses), NO_LOOKS);
}

const times = (count: number, state: string, pauses: (look: number) => number) =>
  Array.from({ length: count }, (_, look) => [state, pauses(look)] as const);

const cases = [
  { name: "one that sleeps", looks: times(100, "S", () => 1), frozen: false },
  { name: "one that a tracer stops for a moment", looks: times(1, "t", () => 1), frozen: false },
  { name: "one that is stopped at two looks", looks: times(2, "T", () => 1), frozen: true },
  {
    name: "one that went on between two stops",
    looks: [["T", 1] as const, ["S", 1] as const, ["T", 1] as const],
    frozen: false,
  },
  { name: "one that is busy and pauses", looks: times(100, "R", (look) => look), frozen: false },
  {
    name: "one that is busy for a little less than 3 s",
    looks: times(59, "R", () => 1),
    frozen: false,
  },
  {
    name: "one that is busy for 3 s without a pause",
    looks: times(60, "R", () => 1),
    frozen: true,
  },
  { name: "one that waits for a disk for ever", looks: times(60, "D", () => 1), frozen: true },
];
for (const { name, looks, frozen } of cases) {
  test(`${name} is ${frozen ? "frozen" : "alive"}`, () => {
    assert.equal(isFrozen(after(looks)), frozen);
  });
}
