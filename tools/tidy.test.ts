// The habits of the house that no linter knows: how long files are and how they open, which words
// are not used, and that the documents speak of what is there. Each failure names its place.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AGENT_SETTINGS, createAgentMetrics, HOST_CHECKS } from "@fairlead/agent";
import {
  ALIASES,
  CONTROLLER_SETTINGS,
  everyControllerMetric,
  PREFIX,
  WISH_WORDS,
} from "@fairlead/controller";
import { REASONS } from "@fairlead/model";
import { LAYERS } from "./boundaries/layers.ts";
import { annotationsPage } from "./tidy/annotations-page.ts";
import { codeFaults } from "./tidy/code-rules.ts";
import { hostChecksPage } from "./tidy/host-checks-page.ts";
import { metricsPage } from "./tidy/metrics-page.ts";
import { commandFaults, linkFaults, proseFaults } from "./tidy/prose-rules.ts";
import { reasonsPage } from "./tidy/reasons-page.ts";
import { readSourceFiles } from "./tidy/source-files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Reasons with a code that nothing gives yet: the segment is not asked for foreign holders. */
const NEVER_SAID: ReadonlySet<string> = new Set(["AddressForeign"]);
const FILES = readSourceFiles(ROOT);

test("code keeps to its size, opens with what it is, and is documented where it is seen", () => {
  assert.ok(FILES.length > 200, `only ${FILES.length} files were read`);
  assertNone(FILES.flatMap(codeFaults));
});

test("nobody uses the words on the short list", () => {
  assertNone(FILES.flatMap(proseFaults));
});

test("documents link to files and name commands that exist", () => {
  const manifest = JSON.parse(read("package.json")) as { readonly scripts: object };
  const scripts = new Set(Object.keys(manifest.scripts));
  assertNone(FILES.flatMap((file) => linkFaults(file, (path) => existsSync(join(ROOT, path)))));
  assertNone(FILES.flatMap((file) => commandFaults(file, scripts)));
});

test("README opens with the two commands", () => {
  const opening = read("README.md").split("\n").slice(0, 60).join("\n");
  for (const command of ["npm run demo", "npm test"]) assert.match(opening, new RegExp(command));
});

test("every package has a layer and a line in the architecture", () => {
  const folders = readdirSync(join(ROOT, "packages")).toSorted();
  assert.deepEqual(
    LAYERS.map(({ name }) => name).toSorted(),
    folders,
    "tools/boundaries/layers.ts",
  );
  const architecture = read("docs/ARCHITECTURE.md");
  const missing = folders.filter((name) => !architecture.includes(`| \`${name}\` |`));
  assert.deepEqual(missing, [], "packages without a row in docs/ARCHITECTURE.md");
});

test("decisions are numbered without gaps and have their three parts", () => {
  const names = readdirSync(join(ROOT, "docs/adr")).toSorted();
  names.forEach((name, index) => {
    assert.match(name, new RegExp(`^${String(index + 1).padStart(4, "0")}-[a-z0-9-]+\\.md$`));
    const headings = read(`docs/adr/${name}`).match(/^## .*$/gm) ?? [];
    assert.deepEqual(headings, ["## Context", "## Decision", "## Consequence"], name);
  });
});

test("the page of reasons is made from the table", () => {
  const path = "docs/reference/reasons.md";
  const wanted = reasonsPage(REASONS);
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(join(ROOT, path), wanted);
  assert.equal(read(path), wanted, "run `npm run golden`, then read what changed");
});

test("the page of annotations is made from the controller's tables", () => {
  const path = "docs/reference/annotations.md";
  const wanted = annotationsPage(PREFIX, WISH_WORDS, ALIASES);
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(join(ROOT, path), wanted);
  assert.equal(read(path), wanted, "run `npm run golden`, then read what changed");
});

test("the page of metrics is made from the programs' registries", () => {
  const path = "docs/reference/metrics.md";
  const unasked = (): never => assert.fail("the page is made without a scrape");
  const times = { fed: { plans: 0, totalMs: 0 }, applied: { follow: () => undefined } };
  using controller = everyControllerMetric(unasked);
  using agent = createAgentMetrics({ version: "", view: unasked, isConnected: unasked, times });
  const wanted = metricsPage([
    {
      program: "fairlead-controller",
      listens: CONTROLLER_SETTINGS.listenMetrics.defaultText,
      registry: controller.registry,
    },
    {
      program: "fairlead-agent",
      listens: AGENT_SETTINGS.listenMetrics.defaultText,
      registry: agent.registry,
    },
  ]);
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(join(ROOT, path), wanted);
  assert.equal(read(path), wanted, "run `npm run golden`, then read what changed");
});

test("the page of host checks is made from the agent's table", () => {
  const path = "docs/reference/host-checks.md";
  const wanted = hostChecksPage(HOST_CHECKS);
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(join(ROOT, path), wanted);
  assert.equal(read(path), wanted, "run `npm run golden`, then read what changed");
});

test("every reason is met in a test or a scenario", () => {
  const stories = FILES.filter(({ path }) =>
    /^(packages|test)\/.*(\.test\.ts|\.scenario)$/.test(path),
  );
  const told = stories.map(({ text }) => text).join("\n");
  const unmet = Object.keys(REASONS).filter((name) => !new RegExp(`\\b${name}\\b`).test(told));
  assert.deepEqual(
    unmet.filter((name) => !NEVER_SAID.has(name)),
    [],
    "no operator meets these reasons in any story",
  );
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function assertNone(faults: readonly string[]): void {
  assert.equal(faults.length, 0, `\n${faults.join("\n")}`);
}
