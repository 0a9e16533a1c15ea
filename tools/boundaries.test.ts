// Every import of the tree obeys the layers, and the judge is awake: a planted wrong import is
// found, and the number of modules read is not suddenly small.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cruiseImports } from "./boundaries/cruise-imports.ts";
import { LAYERS } from "./boundaries/layers.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** Well below what there is, well above what a broken reader would find. */
const MODULES_MIN = 200;

test("every import obeys the layers", async () => {
  const { modules, violations } = await cruiseImports(ROOT);
  assert.deepEqual(violations, []);
  assert.ok(modules >= MODULES_MIN, `only ${modules} modules were read`);
});

const PLANTED: readonly {
  readonly name: string;
  readonly file: string;
  readonly code: string;
  readonly target?: string;
  readonly rule: string;
}[] = [
  {
    name: "the model reads the disk",
    file: "packages/model/src/bad.ts",
    code: 'import { readFileSync } from "node:fs";\nexport const text = readFileSync("/x");\n',
    rule: "model-imports-nothing",
  },
  {
    name: "the planner imports a type of the controller",
    file: "packages/planner/src/bad.ts",
    code: 'import type { A } from "../../controller/src/index.ts";\nexport type B = A;\n',
    target: "packages/controller/src/index.ts",
    rule: "planner-imports-downward",
  },
  {
    name: "the controller enters the planner by the window",
    file: "packages/controller/src/bad.ts",
    code: 'import type { A } from "../../planner/src/inner.ts";\nexport type B = A;\n',
    target: "packages/planner/src/inner.ts",
    rule: "one-door",
  },
  {
    name: "one adapter of the agent uses another",
    file: "packages/agent/src/nginx/bad.ts",
    code: 'import type { A } from "../netlink/kernel.ts";\nexport type B = A;\n',
    target: "packages/agent/src/netlink/kernel.ts",
    rule: "agent-adapters-are-strangers",
  },
  {
    name: "a store of the controller uses a source",
    file: "packages/controller/src/store/sqlite/bad.ts",
    code: 'import type { A } from "../../sources/folder/scan.ts";\nexport type B = A;\n',
    target: "packages/controller/src/sources/folder/scan.ts",
    rule: "controller-adapters-are-strangers",
  },
  {
    name: "an adapter calls the loop",
    file: "packages/agent/src/link/bad.ts",
    code: 'import type { A } from "../converge.ts";\nexport type B = A;\n',
    target: "packages/agent/src/converge.ts",
    rule: "agent-adapters-do-not-call-up",
  },
  {
    name: "somebody else talks to the database",
    file: "packages/controller/src/bad.ts",
    code: 'import { DatabaseSync } from "node:sqlite";\nexport const D = DatabaseSync;\n',
    rule: "only-packages-controller-src-store-sqlite-sqlite",
  },
  {
    name: "a program loads Node's HTTP with a client that it does not use",
    file: "packages/agent/src/bad.ts",
    code: 'import { type Server, request } from "node:http";\nexport const r: Server = request;\n',
    rule: "lean-modules",
  },
  {
    name: "somebody imports the whole Kubernetes client",
    file: "packages/controller/src/bad.ts",
    code: 'import { KubeConfig } from "@kubernetes/client-node";\nexport const K = KubeConfig;\n',
    rule: "only-packages-kubeconfig-build-client-node",
  },
];

for (const planted of PLANTED) {
  test(`found when planted: ${planted.name}`, async () => {
    const root = mkdtempSync(join(tmpdir(), "fairlead-boundaries-"));
    try {
      const write = (file: string, text: string): void => {
        mkdirSync(dirname(join(root, file)), { recursive: true });
        writeFileSync(join(root, file), text);
      };
      for (const { name } of LAYERS) write(`packages/${name}/package.json`, '{"type":"module"}');
      write(planted.file, planted.code);
      if (planted.target !== undefined) write(planted.target, "export type A = string;\n");
      const { violations } = await cruiseImports(root);
      const found = violations.filter((text) => text.includes(`(${planted.rule})`));
      assert.equal(found.length, 1, `found instead: ${violations.join("; ")}`);
      assert.match(found[0] ?? "", /: [a-z].{20}/, "the reason is given");
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
}
