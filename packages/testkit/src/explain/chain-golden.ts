// Chains as an operator reads them, as lines, against a golden file that is written only with
// FAIRLEAD_UPDATE_GOLDEN=1 and reviewed like code. Given situations, and how to plan.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, suite, test } from "node:test";

import { type AdminContext, explain } from "@fairlead/controller";
import { assert as assertThat } from "@fairlead/model";
import { LinkState } from "@fairlead/wire";

import type { Planning } from "../plan-answers.ts";
import { adminContextOf, type Situation } from "./situations.ts";

const UPDATE = process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1";

/** A question in a situation. */
export interface ChainCase {
  /** A sentence that an operator would recognise; the golden has its chain below it. */
  readonly name: string;
  /** What is asked about, as an operator types it. */
  readonly subject: string;
  readonly situation: Situation;
}

/** Declares a test for each case: what explain tells is what stands in the golden file. */
export function testChains(golden: URL, plan: Planning, cases: readonly ChainCase[]): void {
  suite("explain tells", () => {
    const wanted = new Map(
      (UPDATE ? "" : readFileSync(golden, "utf8"))
        .split("## ")
        .filter((part) => part !== "")
        .map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n")).trim()]),
    );
    const told: string[] = [];
    for (const { name, subject, situation } of cases) {
      test(name, () => {
        const text = tell(subject, adminContextOf(situation, plan));
        told.push(`## ${name}\n\n${text}\n`);
        if (!UPDATE) assert.equal(text, wanted.get(name));
      });
    }
    after(() => {
      if (UPDATE) writeFileSync(golden, told.join("\n"));
    });
  });
}

const SIGNS: ReadonlyMap<LinkState, string> = new Map([
  [LinkState.GOOD, "ok"],
  [LinkState.BROKEN, "NO"],
  [LinkState.UNKNOWN, "??"],
  [LinkState.DOUBT, "!!"],
]);

/** The chain as lines: sign, title, age in seconds, detail, code; then what to do. */
function tell(subject: string, context: AdminContext): string {
  const chain = explain(context, subject);
  assertThat(chain.found === true, `${subject} is found`);
  const steps = (chain.steps ?? []).map((step) => {
    const age = step.ageMs === undefined ? "" : ` ${Number(step.ageMs) / 1000}s`;
    const code = step.code === "" ? "" : ` (${step.code})`;
    const sign = SIGNS.get(step.state ?? LinkState.UNSPECIFIED) ?? "";
    return `${sign} ${step.title}${age}: ${step.detail}${code}`;
  });
  const remedy = chain.remedy === "" ? [] : [`do: ${chain.remedy}`];
  return [chain.title ?? "", ...steps, ...remedy].join("\n");
}
