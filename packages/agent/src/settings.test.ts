// The agent's flags: what is wrong with them is said all at once, before the host is looked at.

import assert from "node:assert/strict";
import { test } from "node:test";

import { readSettings } from "@fairlead/runtime";

import { AGENT_SETTINGS, checkAgentFlags, parseControllers } from "./settings.ts";

function errorsOf(...argv: readonly string[]): readonly string[] {
  const read = readSettings({ table: AGENT_SETTINGS, argv, env: {}, check: checkAgentFlags });
  return read.kind === "usage" ? read.errors : [];
}

test("every wrong flag and the missing one are said at once", () => {
  const flags = ["--name=a b", "--link=x y;", "--run-dir=rel", "--worker-processes=0"];
  const errors = errorsOf("--controller=192.0.2.1:7702", ...flags, "--colour");
  const named = new Set(errors.map((error) => /--[a-z-]+/.exec(error)?.[0]));
  const wanted = ["--colour", "--insecure", "--link", "--name", "--run-dir", "--worker-processes"];
  assert.equal(errors.length, wanted.length);
  assert.deepEqual(named, new Set(wanted));
});

test("a host whose name is none for an agent is asked for --name", () => {
  const [complaint] = checkAgentFlags({
    settings: { name: "lb_1", insecure: true },
    named: new Set(),
    rest: {},
    configPath: undefined,
  });
  assert.equal(complaint?.what, "--name");
});

test("without a controller nothing needs --insecure", () => {
  assert.deepEqual(errorsOf("--name=lb1"), []);
});

test("controllers are named one by one or with commas, and each counts once", () => {
  const texts = ["a:7702,192.0.2.1:7702", "[2001:db8::1]:7702, a:7702"];
  const places = ["a:7702", "192.0.2.1:7702", "[2001:db8::1]:7702"];
  assert.deepEqual(parseControllers(texts), places);
  assert.deepEqual(parseControllers([":7702,7703"]), ["127.0.0.1:7702", "127.0.0.1:7703"]);
  const [error = ""] = errorsOf("--name=lb1", "--insecure", "--controller=a:7702,b:x");
  assert.match(error, /^--controller: "a:7702,b:x" cannot be used; give HOST:PORT/);
});

test("two listen flags on one port are named both", () => {
  const [error, ...more] = errorsOf("--insecure", "--listen-metrics=127.0.0.1:7712");
  assert.match(
    error ?? "",
    /^--listen-metrics and --listen-debug: both are 127\.0\.0\.1:7712; .* \[ConflictingSettings\]$/,
  );
  assert.deepEqual(more, []);
});
