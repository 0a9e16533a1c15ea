// Every scenario through the real controller and the real agents in one process, while one call of
// a port in ten fails. FAIRLEAD_UPDATE_GOLDEN=1 rewrites the blocks that are not reached;
// FAIRLEAD_SCENARIO_SEED=N runs another day.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { runScenario } from "./scenario/run-scenario.ts";
import { parseScenario, ScenarioError } from "./scenario/scenario-text.ts";

const FOLDER = join(import.meta.dirname, "..", "scenarios");
const SEED = Number(process.env["FAIRLEAD_SCENARIO_SEED"] ?? "1");
const UPDATES = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

suite("scenarios", () => {
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!name.endsWith(".scenario")) continue;
    const path = join(FOLDER, name);
    const text = readFileSync(path, "utf8");
    test(`${parseScenario(text).title} (${name})`, async () => {
      try {
        const result = await runScenario(text, { seed: SEED, updates: UPDATES });
        if (result.text !== text) writeFileSync(path, result.text);
      } catch (error) {
        if (!(error instanceof ScenarioError)) throw error;
        throw new Error(`${name}, seed ${SEED}, ${error.message}`, { cause: error });
      }
    });
  }
});
