// The locked dependencies, installed by the pinned pnpm. Does nothing while the lock file is the
// one that was installed last; the stamp of that stands below node_modules, so that removing
// node_modules removes it too. It never changes the lock file.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SetupRefusal } from "./refusal.mjs";
import { runProgram, tailOf } from "./program.mjs";
import { timed } from "./say.mjs";

const STAMP = join("node_modules", ".fairlead", "installed");

/**
 * Makes sure that node_modules is what the lock file says.
 *
 * @param {string} root the repository
 * @throws {SetupRefusal} with the end of pnpm's output when it fails
 */
export async function ensureWorkspace(root) {
  const wanted = workspaceHash(root);
  if (isWorkspaceReady(root)) return;
  const pnpm = pinnedPnpm(root);
  await timed(`install the locked dependencies with ${pnpm}`, async () => {
    const run = await runProgram("npx", ["-y", pnpm, "install", "--frozen-lockfile"], {
      cwd: root,
      // Without CI, pnpm asks before it replaces a node_modules that it did not write.
      env: { ...process.env, CI: "true" },
    });
    if (run.code !== 0) {
      throw new SetupRefusal(`pnpm could not install the dependencies:\n${tailOf(run.output)}`);
    }
  });
  const stamp = join(root, STAMP);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${wanted}\n`);
}

/**
 * Whether node_modules is what the lock file says.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function isWorkspaceReady(root) {
  return installedHash(root) === workspaceHash(root);
}

/**
 * What the installed dependencies follow from: the lock file, pnpm's settings and pnpm itself.
 *
 * @param {string} root
 * @returns {string} hexadecimal SHA-256
 */
export function workspaceHash(root) {
  const hash = createHash("sha256");
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update("\0");
  }
  return hash.update(pinnedPnpm(root)).digest("hex");
}

/**
 * @param {string} root
 * @returns {string} as in pnpm@10.34.9
 */
function pinnedPnpm(root) {
  const text = readFileSync(join(root, "package.json"), "utf8");
  return /** @type {{ packageManager: string }} */ (JSON.parse(text)).packageManager;
}

/**
 * @param {string} root
 * @returns {string | undefined}
 */
function installedHash(root) {
  const stamp = join(root, STAMP);
  return existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : undefined;
}
