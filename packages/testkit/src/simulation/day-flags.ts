// The flags of the program that runs simulations by hand, read and written in one place: the
// command that a failing day prints plays this very day again.

import { parseArgs } from "node:util";

import { isTrait, type Trait, TRAITS } from "./day-traits.ts";
import type { SimulationOptions } from "./simulation.ts";

/** What one day is made of. */
export type Day = Pick<SimulationOptions, "seed" | "deeds" | "hasOperators" | "traits">;

/** The days that the program runs: from this seed on, that many. */
export interface Days extends Day {
  readonly runs: number;
  /** Whether to show what happened. */
  readonly isLogged: boolean;
}

/** Stands for no trait at all. */
const NOTHING = "nothing";

const PROGRAM = "node packages/testkit/src/simulation-main.ts";

/** Reads the program's arguments. */
export function readDays(args: readonly string[]): Days {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: "1" },
      runs: { type: "string", default: "100" },
      deeds: { type: "string" },
      "no-operators": { type: "boolean", default: false },
      with: { type: "string" },
      log: { type: "boolean", default: false },
    },
  });
  return {
    seed: Number(values.seed),
    runs: Number(values.runs),
    ...(values.deeds === undefined ? {} : { deeds: Number(values.deeds) }),
    hasOperators: !values["no-operators"],
    ...(values.with === undefined ? {} : { traits: readTraits(values.with) }),
    isLogged: values.log,
  };
}

/** The command that plays one day again and shows it. */
export function commandOf({ seed, deeds, hasOperators = true, traits }: Day): string {
  const words = [PROGRAM, "--seed", seed, "--runs", 1];
  if (deeds !== undefined) words.push("--deeds", deeds);
  if (!hasOperators) words.push("--no-operators");
  if (traits !== undefined) words.push("--with", traits.join(",") || NOTHING);
  return [...words, "--log"].join(" ");
}

function readTraits(text: string): readonly Trait[] {
  if (text === NOTHING) return [];
  return text.split(",").map((word) => {
    if (isTrait(word)) return word;
    throw new RangeError(`${word} is no trait of a day: ${TRAITS.join(", ")}, or ${NOTHING}`);
  });
}
