// How scenarios are read, and what is said of one that cannot be run.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";

import { alignLines, matchLines, nameLines } from "./match.ts";
import { runScenario } from "./run-scenario.ts";
import { parseScenario, parseTime, replaceBlocks, ScenarioError } from "./scenario-text.ts";
import { STEPS } from "./steps.ts";

suite("a scenario that cannot be run names its line before anything happens", () => {
  const cases: readonly {
    readonly name: string;
    readonly text: string;
    readonly says: RegExp;
  }[] = [
    { name: "no title", text: "wait 1s\n", says: /^line 1: the first line/ },
    {
      name: "an unknown step",
      text: "# t\n\nwait 1s\nexplode lb1\n",
      says: /^line 4: there is no step "explode lb1"/,
    },
    { name: "an unknown time", text: "# t\nwait 1h\n", says: /^line 2: there is no step/ },
    { name: "a block below nothing", text: "# t\n  x\n", says: /^line 2: a block stands below/ },
    {
      name: "nothing expected",
      text: "# t\nexpect status\n",
      says: /^line 2: expect status: what/,
    },
    { name: "a block too many", text: "# t\nkill agent lb1\n  x\n", says: /^line 2: .*do not fit/ },
    { name: "a block too few", text: "# t\napply\n", says: /^line 2: .*do not fit/ },
    { name: "an unknown host", text: "# t\nunplug lb9\n", says: /^line 2: there is no host lb9/ },
    { name: "an unknown view", text: "# t\nexpect x\n  y\n", says: /^line 2: there is no view x/ },
  ];
  for (const { name, text, says } of cases) {
    test(name, async () => {
      await assert.rejects(runScenario(text, { seed: 1 }), (error) => {
        assert.ok(error instanceof ScenarioError);
        assert.match(error.message, says);
        return true;
      });
    });
  }
});

test("what was expected and not seen is told with both", async () => {
  const text = "# t\nservice web tcp/80\nexpect status within 10s\n  NAME\n";
  await assert.rejects(
    runScenario(text, { seed: 1 }),
    /was not reached\nexpected:\n {2}NAME\nseen:/,
  );
});

test("blocks are found with their lines, and replaced there", () => {
  const text = "# t\n\nexpect host lb1\n  a\n\n  b\nwait 1s\nexpect host lb2\n  c\n";
  const { lines } = parseScenario(text);
  assert.deepEqual(
    lines.map(({ line, block }) => [line, block]),
    [
      [3, ["a", "", "b"]],
      [7, []],
      [8, ["c"]],
    ],
  );
  const [first, , last] = lines;
  assert.ok(first !== undefined && last !== undefined);
  const replaced = replaceBlocks(
    text,
    new Map([
      [first, ["x"]],
      [last, ["y", "z"]],
    ]),
  );
  assert.equal(replaced, "# t\n\nexpect host lb1\n  x\nwait 1s\nexpect host lb2\n  y\n  z\n");
});

test("times", () => {
  assert.deepEqual(["400ms", "30s", "2m", "1h", "s"].map(parseTime), [
    400,
    30_000,
    120_000,
    undefined,
    undefined,
  ]);
});

suite("what is seen is compared word by word", () => {
  const none = new Map<string, string>();
  const cases: readonly {
    readonly expected: string;
    readonly seen: string;
    readonly is: Readonly<Record<string, string>> | undefined;
  }[] = [
    { expected: "web   ready", seen: "web ready", is: {} },
    { expected: "web ready", seen: "web ready -", is: undefined },
    { expected: "web {holder}", seen: "web lb1", is: { holder: "lb1" } },
    { expected: "web {holder}", seen: "web -", is: undefined },
    { expected: "{a} {a}", seen: "lb1 lb2", is: undefined },
    { expected: "{a} {b}", seen: "lb1 lb1", is: undefined },
    { expected: "* ready", seen: "lb1 ready", is: {} },
    { expected: "* ready", seen: "- ready", is: undefined },
    { expected: "web ...", seen: "web lb1 ready", is: {} },
  ];
  for (const { expected, seen, is } of cases) {
    test(`${expected} | ${seen}`, () => {
      const bound = matchLines([expected], [seen], none);
      assert.deepEqual(bound && Object.fromEntries(bound), is);
    });
  }
});

test("a rewritten table keeps its names and has its columns below one another", () => {
  const { lines } = nameLines(
    ["NAME HOLDER STATE", "web {holder} ready"],
    ["NAME   HOLDER   STATE", "web    lb1      pending"],
    new Map(),
  );
  assert.deepEqual(lines, ["NAME   HOLDER     STATE", "web    {holder}   pending"]);
  assert.deepEqual(alignLines(["NAME STATE", "default/web ready"]), [
    "NAME          STATE",
    "default/web   ready",
  ]);
});

test("the page about scenarios names every step", () => {
  const page = readFileSync(join(import.meta.dirname, "../../scenarios/README.md"), "utf8");
  assert.deepEqual(
    STEPS.map(({ form }) => form).filter((form) => !page.includes(`\`${form}\``)),
    [],
  );
});
