// Three hundred bad days of a whole ring, each made of its seed: whatever happened, it rests in the
// end as it should be. FAIRLEAD_SIMULATION_DAYS=N runs more or fewer of them, and
// FAIRLEAD_SIMULATION_SEED=N begins elsewhere. Days on which a fault was found stay by their names.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { commandOf, type Day } from "./simulation/day-flags.ts";
import type { Trait } from "./simulation/day-traits.ts";
import { simulate } from "./simulation/simulation.ts";

const FIRST = Number(process.env["FAIRLEAD_SIMULATION_SEED"] ?? "1");
const DAYS = Number(process.env["FAIRLEAD_SIMULATION_DAYS"] ?? "300");

/** A day on which something went wrong once. */
interface Found {
  readonly seed: number;
  readonly what: string;
  /** Whether operators were about. Default: they were. */
  readonly hasOperators?: boolean;
  /** What the day had beside the usual. Default: nothing. */
  readonly traits?: readonly Trait[];
}

const FOUND: readonly Found[] = [
  {
    seed: 22,
    what: "a controller that was taken over had nothing to write, and kept an agent",
    hasOperators: false,
  },
  {
    seed: 41,
    what: "an agent stayed with a controller that led no more",
    hasOperators: false,
  },
  { seed: 237, what: "hosts that booted together, each by a plan of its own, held the same" },
  { seed: 352, what: "a freed lane's number was given away while who ran it had not come yet" },
  { seed: 20313, what: "after a power cut plans of unlike age were taken up" },
  { seed: 60031, what: "another was let in beside the first host of a lane as it started" },
  { seed: 60381, what: "a plan from before the boot was taken up under a new leader" },
  { seed: 61050, what: "the silence of a host that had started anew was believed" },
  { seed: 80010, what: "a host joined a new lane as it heard who begins it in another one" },
  { seed: 9014, what: "a holder with an old file said that it speaks to who joined its lane" },
  {
    seed: 20006,
    what: "a host joined a lane whose holder no controller saw, and held it beside it",
  },
  { seed: 20057, what: "nginx for UDP went on after a start that seemed to have failed" },
  {
    seed: 62404,
    what: "a host that was back on its cable waited to dial, and held a lane beside another",
  },
  {
    seed: 28,
    what: "a host's own address was given to a Service without the host",
    traits: ["strangers", "host"],
  },
  {
    seed: 2007,
    what: "an agent whose stream broke as it was welcomed was thought to be there",
    traits: ["host", "link"],
  },
  {
    seed: 115,
    what: "a lane got the number of one that a host still ran, and two had its address",
    traits: ["families", "pools", "words"],
  },
  {
    seed: 3001,
    what: "an address of a store put back got a lane beside that of a host that had gone again",
    traits: ["stores"],
  },
  {
    seed: 3011,
    what: "an address of a store put back got a new lane when all hosts had gone again",
    traits: ["stores"],
  },
  {
    seed: 3297,
    what: "an address was led back into the lane that it had in an older copy of the store",
    traits: ["stores"],
  },
  {
    seed: 3312,
    what: "what was found silent and did not come was held later, when another host had it",
    traits: ["stores"],
  },
  {
    seed: 580,
    what: "a host joined a new lane while one that ran it could not be told, and both held it",
    traits: ["families", "words"],
  },
  {
    seed: 700,
    what: "one whose keepalived was down came back by a plan without who had joined its lane",
    traits: ["words", "host"],
  },
];

async function judge(day: Day): Promise<void> {
  const { faults } = await simulate(day);
  assert.deepEqual(faults, [], `seed ${day.seed}; to see it again: ${commandOf(day)}`);
}

suite("simulation", () => {
  for (const { seed, what, hasOperators = true, traits = [] } of FOUND) {
    test(`on the day of seed ${seed} it once happened that ${what}`, async () => {
      await judge({ seed, hasOperators, traits });
    });
  }
  for (let seed = FIRST; seed < FIRST + DAYS; seed += 1) {
    test(`after the bad day of seed ${seed} every host equals its plan`, async () => {
      await judge({ seed });
    });
  }
});
