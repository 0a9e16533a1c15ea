// The generated reference pages are what the code says. They are written only with
// FAIRLEAD_UPDATE_GOLDEN=1 and reviewed like code.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { AGENT_SETTINGS } from "@fairlead/agent";
import { CONTROLLER_SETTINGS } from "@fairlead/controller";
import { REASONS } from "@fairlead/model";

import { reasonsPage } from "./reasons-doc.ts";
import { settingsPage } from "./settings-doc.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const UPDATE = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

const pages = [
  { file: "docs/reference/reasons.md", text: () => reasonsPage(REASONS) },
  {
    file: "docs/reference/settings.md",
    text: () =>
      settingsPage([
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
      ]),
  },
] as const;

for (const { file, text } of pages) {
  test(`${file} is what the code says`, () => {
    const path = join(ROOT, file);
    const page = text();
    if (UPDATE) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, page);
    }
    assert.equal(page, readFileSync(path, "utf8"), `${file} is old; npm run golden writes it anew`);
  });
}

test("a reason's code is its own for ever", () => {
  const codes = Object.values(REASONS).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test("a code outside the chapters is noticed", () => {
  const entry = { code: "FL9901", title: "It is new.", remedy: "Add a chapter." };
  assert.throws(() => reasonsPage({ Strange: entry }), /no chapter for code FL9901/);
});
