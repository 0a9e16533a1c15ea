// Reads every import of a tree and judges it by the rules. Given the tree's folder; answers with
// how many modules of ours were read and with the violations, each with the rule's reason. The
// count matters: without its own TypeScript dependency-cruiser reads nothing and finds no fault.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import { LAYERS } from "./layers.ts";
import { forbiddenImports } from "./rules.ts";

/** What was read, and what is wrong with it. */
export interface ImportsJudged {
  /** Modules below packages/ and test/ that were read. */
  readonly modules: number;
  /** One text a violation: who imports what, the rule, and its reason. Sorted. */
  readonly violations: readonly string[];
}

/** Judges all imports below `root`. */
export async function cruiseImports(root: string): Promise<ImportsJudged> {
  const dependencies = new Map(LAYERS.map(({ name }) => [name, dependenciesOf(root, name)]));
  const forbidden = forbiddenImports({ dependencies });
  const reasons = new Map(forbidden.map(({ name, comment }) => [name, comment]));
  const { output } = await cruise(
    readdirSync(root).filter((name) => ["packages", "test"].includes(name)),
    {
      baseDir: root,
      validate: true,
      ruleSet: { forbidden: [...forbidden] },
      tsPreCompilationDeps: true,
      doNotFollow: { path: "node_modules" },
      exclude: { path: "^packages/(proto/src/gen|kubeconfig/dist)/" },
    },
    { exportsFields: ["exports"], conditionNames: ["import", "node", "types", "default"] },
  );
  const { modules, summary } = output as ICruiseResult;
  const read = modules.filter(({ source }) => /^(packages|test)\//.test(source));
  const violations = summary.violations.map(
    ({ from, to, rule }) => `${from} imports ${to} (${rule.name}): ${reasons.get(rule.name)}`,
  );
  return { modules: read.length, violations: violations.toSorted() };
}

function dependenciesOf(root: string, name: string): readonly string[] {
  const path = join(root, "packages", name, "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  return Object.keys(manifest.dependencies ?? {});
}
