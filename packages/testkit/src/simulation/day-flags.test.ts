// What a failing day prints is read again as the same day, whatever it was made of.

import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf, type Day, readDays } from "./day-flags.ts";

const DAYS: readonly Day[] = [
  { seed: 7, hasOperators: true },
  { seed: 22, hasOperators: false },
  { seed: 9, deeds: 12, hasOperators: false },
  { seed: 3, hasOperators: true, traits: ["families", "stores"] },
  { seed: 4, hasOperators: true, traits: [] },
];

for (const day of DAYS) {
  test(`the command printed for ${JSON.stringify(day)} plays this day and no other`, () => {
    const [node, program, ...args] = commandOf(day).split(" ");
    assert.deepEqual([node, program], ["node", "packages/testkit/src/simulation-main.ts"]);
    assert.deepEqual(readDays(args), { ...day, runs: 1, isLogged: true });
  });
}
