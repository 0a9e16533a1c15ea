// Every scenario through the real controller and the real agents in one process, while one call of
// a port in ten fails. FAIRLEAD_UPDATE_GOLDEN=1 rewrites the blocks that are not reached;
// FAIRLEAD_SCENARIO_SEED=N runs another day, and FAIRLEAD_SCENARIO=WORD those whose path has it.
// Days on which a fault was found stay by their names.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { isReason, type Reason, REASONS } from "@fairlead/model";

import { runScenario } from "./scenario/run-scenario.ts";
import { parseScenario, ScenarioError } from "./scenario/scenario-text.ts";

const FOLDER = join(import.meta.dirname, "..", "scenarios");
const PACKAGES = join(import.meta.dirname, "..", "..");
const SEED = Number(process.env["FAIRLEAD_SCENARIO_SEED"] ?? "1");
const WORD = process.env["FAIRLEAD_SCENARIO"] ?? "";
const UPDATES = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

interface Story {
  readonly name: string;
  readonly text: string;
  readonly title: string;
  /** Everything that stands in a block of what is expected. */
  readonly expected: string;
}

const STORIES: readonly Story[] = readdirSync(FOLDER, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".scenario"))
  .toSorted()
  .map((name) => {
    const text = readFileSync(join(FOLDER, name), "utf8");
    const { title, lines } = parseScenario(text);
    const blocks = lines.flatMap(({ words, block }) => (words[0] === "expect" ? block : []));
    return { name, text, title, expected: blocks.join("\n") };
  });

/** Days on which a promise was broken once, and what happened then. */
const FOUND: readonly { readonly story: string; readonly seed: number; readonly what: string }[] = [
  {
    story: "promises/older-store-moves-nobody.scenario",
    seed: 2,
    what: "an address left its lane while the holder was away, and two hosts held it",
  },
  {
    story: "promises/lost-store-renumbers-nobody.scenario",
    seed: 3,
    what: "agents dropped addresses for one failed write, and two hosts held one of them later",
  },
  {
    story: "promises/lost-store-renumbers-nobody.scenario",
    seed: 6,
    what: "a host that came late was forgotten by the others of its lane, and held it beside them",
  },
];

async function play({ name, text }: Story, seed: number): Promise<void> {
  try {
    const result = await runScenario(text, { seed, updates: UPDATES });
    if (result.text !== text) writeFileSync(join(FOLDER, name), result.text);
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error;
    throw new Error(`${name}, seed ${seed}, ${error.message}`, { cause: error });
  }
}

suite("scenarios", () => {
  const stories = STORIES.filter(({ name }) => name.includes(WORD));
  for (const story of stories) {
    test(`${story.title} (${story.name})`, () => play(story, SEED));
    const found = FOUND.filter((one) => one.story === story.name && !UPDATES);
    for (const { seed, what } of found) {
      test(`on the day of seed ${seed} it once happened that ${what}`, () => play(story, seed));
    }
  }
});

/** Reasons that no ring can show today: why, and the test that shows them instead. */
const UNSEEN: Readonly<
  Partial<Record<Reason, { readonly why: string; readonly shownBy: string }>>
> = {
  ListenerFull: {
    why: "a fake host has no sessions of clients",
    shownBy: "agent/src/full-listeners.test.ts",
  },
  KindUnknown: {
    why: "a ring reads a folder, where no kind has to be installed",
    shownBy: "controller/src/sources/kube/pool-kind.test.ts",
  },
  ExternalIPsRefused: {
    why: "a ring publishes to a folder, which has no Service to write to",
    shownBy: "controller/src/publish/kube/kube-publisher-trouble.test.ts",
  },
  ModeUnavailable: {
    why: "every agent of a ring is new enough for every mode",
    shownBy: "planner/src/mode-link.test.ts",
  },
  AgentNameTaken: {
    why: "a ring has one host of a name",
    shownBy: "controller/src/sync/name-clashes.test.ts",
  },
  PublishFailed: {
    why: "a ring publishes to a folder, which takes no rights away",
    shownBy: "controller/src/publish/kube/kube-publisher-trouble.test.ts",
  },
};

suite("reasons", () => {
  for (const reason of Object.keys(REASONS).filter(isReason)) {
    test(`${reason} is met by an operator in a scenario, or another test shows it`, () => {
      const named = new RegExp(`\\b${reason}\\b`);
      const seen = STORIES.some(({ expected }) => named.test(expected));
      const unseen = UNSEEN[reason];
      assert.equal(seen, unseen === undefined, unseen?.why ?? "no scenario expects it");
      if (unseen === undefined) return;
      const path = join(PACKAGES, unseen.shownBy);
      assert.match(readFileSync(path, "utf8"), named, unseen.shownBy);
    });
  }
});
