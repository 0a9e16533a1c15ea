// The locked dependencies, installed by the pinned pnpm, and the bundle that is made of some. Does
// nothing while lock file and build script are those of the last time; the stamp of that stands
// below node_modules, so that removing node_modules removes it too. It never changes the lock file.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { SetupRefusal } from "./refusal.mjs";
import { runProgram, tailOf } from "./program.mjs";
import { timed } from "./say.mjs";

const STAMP = join("node_modules", ".fairlead", "installed");
/** The folder of the script that makes the bundle, of what goes into it, and the bundle itself. */
const BUNDLE_SOURCES = join("packages", "kubeconfig", "build");
const BUNDLE = join("packages", "kubeconfig", "dist", "client-node.js");

/**
 * Makes sure that node_modules is what the lock file says, and that the bundle is made of it.
 *
 * @param {string} root the repository
 * @throws {SetupRefusal} with the end of the output of pnpm or of the build when it fails
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
  await timed("bundle what is used of @kubernetes/client-node", async () => {
    const script = join(root, BUNDLE_SOURCES, "bundle.mjs");
    const run = await runProgram(process.execPath, [script], { cwd: root });
    if (run.code !== 0) {
      throw new SetupRefusal(`the bundle could not be made:\n${tailOf(run.output)}`);
    }
  });
  const stamp = join(root, STAMP);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, `${wanted}\n`);
}

/**
 * Whether node_modules is what the lock file says, and the bundle is there.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function isWorkspaceReady(root) {
  return existsSync(join(root, BUNDLE)) && installedHash(root) === workspaceHash(root);
}

/**
 * What the installed dependencies and the bundle follow from: the lock file, pnpm's settings, the
 * build script with what goes into the bundle, and pnpm itself.
 *
 * @param {string} root
 * @returns {string} hexadecimal SHA-256
 */
export function workspaceHash(root) {
  const hash = createHash("sha256");
  const sources = readdirSync(join(root, BUNDLE_SOURCES)).toSorted();
  const built = sources.map((name) => join(BUNDLE_SOURCES, name));
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...built]) {
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
