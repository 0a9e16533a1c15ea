// The reference page of settings is what the programs' own tables say. It is written only with
// FAIRLEAD_UPDATE_GOLDEN=1 and reviewed like code.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { AGENT_SETTINGS, STOP_SETTINGS } from "@fairlead/agent";
import { RUN_SETTINGS } from "@fairlead/cli";
import { CONTROLLER_SETTINGS, COPY_SETTINGS } from "@fairlead/controller";
import { choiceSetting, listSetting, variableOf } from "@fairlead/runtime";

import { settingsPage } from "./settings-doc.ts";

const PAGE = join(fileURLToPath(new URL("..", import.meta.url)), "docs/reference/settings.md");

const programs = [
  {
    name: "fairlead-controller",
    purpose: "Gives addresses, decides which agent holds what, and says what agents prove.",
    table: CONTROLLER_SETTINGS,
    machineDefaults: [],
  },
  {
    name: "fairlead-agent",
    purpose: "Holds addresses and serves listeners on one load-balancer host.",
    table: AGENT_SETTINGS,
    machineDefaults: ["name"],
  },
  {
    name: "fairlead run",
    purpose: "Controller and agent on one host, in one process, with an embedded store.",
    table: RUN_SETTINGS,
    machineDefaults: ["name"],
  },
  {
    name: "fairlead-agent stop",
    purpose: "Ends the agent of a run directory, and with `--withdraw` its data plane too.",
    table: STOP_SETTINGS,
    machineDefaults: [],
  },
  {
    name: "fairlead store copy",
    purpose: "Copies all that one store holds into an empty one.",
    table: COPY_SETTINGS,
    machineDefaults: [],
  },
];

test("the page of settings is made from the programs' tables", () => {
  const wanted = settingsPage(programs);
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(PAGE, wanted);
  assert.equal(readFileSync(PAGE, "utf8"), wanted, "run `npm run golden`, then read what changed");
});

test("the page has every variable that a program's own table reads", () => {
  const tables = [AGENT_SETTINGS, STOP_SETTINGS, RUN_SETTINGS, CONTROLLER_SETTINGS, COPY_SETTINGS];
  const page = settingsPage(programs);
  const read = tables.flatMap((table) => Object.keys(table).map(variableOf));
  assert.deepEqual(
    read.filter((variable) => !page.includes(`| \`${variable}\` |`)),
    [],
  );
});

test("no cell of the table is ended by a bar, and the host's own name is not printed", () => {
  const table = {
    name: choiceSetting({ default: "here", choices: ["here", "there"], help: "One | two." }),
    pool: listSetting({ default: [], help: "A pool." }),
  };
  const program = { name: "program", purpose: "It does.", table, machineDefaults: ["name"] };
  const rows = settingsPage([program]).split("\n").slice(-4, -2);
  assert.deepEqual(rows, [
    "| `--name here\\|there` | `FAIRLEAD_NAME` |  | One \\| two. |",
    "| `--pool TEXT` | `FAIRLEAD_POOL` |  | A pool. May be given many times. |",
  ]);
});
