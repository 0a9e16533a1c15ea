// The flags of `fairlead run` together: it listens for both of its halves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { readSettings } from "@fairlead/runtime";
import { agentHalf, checkRunFlags, RUN_SETTINGS } from "./run-settings.ts";

const cases = [
  { argv: [], says: [] },
  {
    argv: ["--listen-metrics=127.0.0.1:7705"],
    says: ["--listen-metrics and --listen-admin: both are 127.0.0.1:7705"],
  },
  {
    argv: ["--listen-agents=127.0.0.1:7712", "--listen-metrics=7701"],
    says: [
      "--listen-metrics and --listen-rest: :7701 and 127.0.0.1:7701 are one port",
      "--listen-agents and --listen-debug: both are 127.0.0.1:7712",
    ],
  },
];

for (const { argv, says } of cases) {
  test(`listen flags of fairlead run: ${argv.join(" ") || "the defaults"}`, () => {
    const read = readSettings({
      table: RUN_SETTINGS,
      argv: ["--source=/tmp", "--name=lb1", ...argv],
      env: {},
      check: (given) => checkRunFlags(given, {}),
    });
    const errors = read.kind === "usage" ? read.errors : [];
    assert.deepEqual(
      errors,
      says.map((said) => `${said}; give one of them another port [ConflictingSettings]`),
    );
  });
}

for (const { host, place } of [
  { host: "127.0.0.1", place: "127.0.0.1:7702" },
  { host: "::1", place: "[::1]:7702" },
  { host: "192.0.2.10", place: "192.0.2.10:7702" },
  { host: "::", place: "127.0.0.1:7702" },
  { host: "0.0.0.0", place: "127.0.0.1:7702" },
]) {
  test(`of a controller that listens on ${host} its own agent finds ${place}`, () => {
    const read = readSettings({ table: RUN_SETTINGS, argv: ["--name=lb1"], env: {} });
    assert.ok(read.kind === "ok");
    assert.deepEqual(agentHalf(read.settings, { host, port: 7702 }).controller, [place]);
  });
}
