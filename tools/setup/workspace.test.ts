// When set-up installs and bundles again: what it looks at, and what it does not.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { isWorkspaceReady, workspaceHash } from "./workspace.mjs";

const FILES = {
  "package.json": '{"packageManager":"pnpm@1.2.3"}',
  "pnpm-lock.yaml": "lock",
  "pnpm-workspace.yaml": "settings",
  "packages/kubeconfig/build/bundle.mjs": "script",
  "packages/kubeconfig/build/entry.mjs": "entry",
};
const BUNDLE = "packages/kubeconfig/dist/client-node.js";
const STAMP = "node_modules/.fairlead/installed";

function checkout(): Disposable & {
  readonly root: string;
  write(file: string, text: string): void;
} {
  const root = mkdtempSync(join(tmpdir(), "fairlead-workspace-"));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  for (const [file, text] of Object.entries(FILES)) write(file, text);
  return { root, write, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

test("a checkout that was set up is ready", () => {
  using tried = checkout();
  assert.equal(isWorkspaceReady(tried.root), false, "nothing was done yet");
  tried.write(STAMP, `${workspaceHash(tried.root)}\n`);
  assert.equal(isWorkspaceReady(tried.root), false, "the bundle is missing");
  tried.write(BUNDLE, "made");
  assert.equal(isWorkspaceReady(tried.root), true);
});

const changes = [
  { name: "the lock file", file: "pnpm-lock.yaml", text: "other" },
  { name: "pnpm's settings", file: "pnpm-workspace.yaml", text: "other" },
  { name: "pnpm", file: "package.json", text: '{"packageManager":"pnpm@1.2.4"}' },
  { name: "the build script", file: "packages/kubeconfig/build/bundle.mjs", text: "other" },
  { name: "a new stand-in", file: "packages/kubeconfig/build/new.mjs", text: "" },
];
for (const c of changes) {
  test(`not ready when it changed: ${c.name}`, () => {
    using tried = checkout();
    tried.write(BUNDLE, "made");
    tried.write(STAMP, workspaceHash(tried.root));
    assert.equal(isWorkspaceReady(tried.root), true);
    tried.write(c.file, c.text);
    assert.equal(isWorkspaceReady(tried.root), false);
  });
}
