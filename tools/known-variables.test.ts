// The list of known variables is what the programs' tables and the command line's options read: one
// that is missing there would be warned of where it counts.

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { AGENT_SETTINGS, STOP_SETTINGS } from "@fairlead/agent";
import { RUN_SETTINGS } from "@fairlead/cli";
import { CONTROLLER_SETTINGS, COPY_SETTINGS } from "@fairlead/controller";
import { KNOWN_VARIABLES, variableOf } from "@fairlead/runtime";

const COMMANDS = join(fileURLToPath(new URL("..", import.meta.url)), "packages/cli/src/commands");

test("every variable that a program reads is known to all, and no other", () => {
  const tables = [AGENT_SETTINGS, STOP_SETTINGS, RUN_SETTINGS, CONTROLLER_SETTINGS, COPY_SETTINGS];
  const ofTables = tables.flatMap((table) => Object.keys(table).map(variableOf));
  const ofOptions = globSync("*.ts", { cwd: COMMANDS }).flatMap((name) => {
    const text = readFileSync(join(COMMANDS, name), "utf8");
    return [...text.matchAll(/"(FAIRLEAD_[A-Z_]+)"/g)].map(([, variable = ""]) => variable);
  });
  const read = new Set([...ofTables, ...ofOptions, variableOf("config")]);
  assert.deepEqual([...KNOWN_VARIABLES].toSorted(), [...read].toSorted());
});
