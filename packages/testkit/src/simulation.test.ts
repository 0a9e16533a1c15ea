// Twenty bad days of a whole ring, each made of its seed: whatever happened, it comes to rest as
// it should be. One of them is shown by `simulation-main.ts --seed N --runs 1 --log`.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { simulate } from "./simulation/simulation.ts";

const FIRST = Number(process.env["FAIRLEAD_SIMULATION_SEED"] ?? "1");
const DAYS = 20;

suite("simulation", () => {
  for (let seed = FIRST; seed < FIRST + DAYS; seed += 1) {
    test(`after the bad day of seed ${seed} every host equals its plan`, async () => {
      const { faults } = await simulate({ seed });
      assert.deepEqual(faults, [], `seed ${seed}`);
    });
  }
});
