// Where a built test program is. The folder's name is a key made of everything that the program
// follows from, so that a folder that is there is right. Nothing is built here.

import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { goVersion } from "./go-version.mjs";

/** The folder with one Go module for each test program. */
export const MODULES = fileURLToPath(new URL("../../test/tools", import.meta.url));

/**
 * The folder in which built programs are kept: FAIRLEAD_TEST_ASSETS, or one in the user's cache.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function programsFolder(env) {
  const named = env["FAIRLEAD_TEST_ASSETS"];
  if (named !== undefined && named !== "") return named;
  return join(env["HOME"] ?? homedir(), ".cache", "fairlead", "tools");
}

/**
 * The key of a module: its name, and a hash of go.mod, go.sum and Go's version.
 *
 * @param {{ name: string; goMod: string; goSum: string; goVersion: string }} module
 * @returns {string} as in grpcurl-0123456789abcdef
 */
export function programKey(module) {
  const hash = createHash("sha256");
  for (const part of [module.goMod, module.goSum, module.goVersion]) {
    hash.update(`${part.length}:`).update(part);
  }
  return `${module.name}-${hash.digest("hex").slice(0, 16)}`;
}

/**
 * The path that the program of a module has once it is built.
 *
 * @param {string} name the module's folder below test/tools, as in "grpcurl"
 * @param {string} [program] the program's own name where it differs from the module's
 * @returns {string}
 */
export function programPath(name, program = name) {
  return join(moduleFolder(name, process.env), program);
}

/**
 * The folder into which a module is built.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @returns {string}
 */
export function moduleFolder(name, env) {
  const read = (/** @type {string} */ file) => readFileSync(join(MODULES, name, file), "utf8");
  const key = programKey({
    name,
    goMod: read("go.mod"),
    goSum: read("go.sum"),
    goVersion: goVersion(env),
  });
  return join(programsFolder(env), key);
}
