// Builds the real programs that tests need, each once into the cache, one build at a time over all
// processes of the user. A program appears in the cache whole or not at all. Given nothing but the
// modules below test/tools; fetches nothing but Go modules.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { chmodSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../setup/lock.mjs";
import { SetupRefusal } from "../setup/refusal.mjs";
import { runProgram, tailOf } from "../setup/program.mjs";
import { say, timed } from "../setup/say.mjs";
import { goEnvironment, goProblem, goVersion, hasGo } from "./go-version.mjs";
import { MODULES, moduleFolder, programsFolder } from "./program-path.mjs";

const WAIT_MS_MAX = 30 * 60_000;
const UNFINISHED = ".building-";

/**
 * Makes sure that the programs of all modules are built. Does nothing for those that are.
 *
 * @param {NodeJS.ProcessEnv} env
 * @throws {SetupRefusal} when Go is missing or too old, or a build fails
 */
export async function ensurePrograms(env) {
  const missing = moduleNames().filter((name) => !existsSync(moduleFolder(name, env)));
  if (missing.length === 0) return;
  const folder = programsFolder(env);
  mkdirSync(folder, { recursive: true });
  const lock = {
    file: join(folder, "lock"),
    waitMsMax: WAIT_MS_MAX,
    /** @param {number | undefined} pid */
    onWait: (pid) => say(`process ${pid ?? "unknown"} is building test programs; waiting for it`),
  };
  await withLock(lock, async () => {
    sweepUnfinished(folder);
    for (const name of missing) await buildModule(name, env);
  });
}

/**
 * The folders of the programs that are built, for PATH.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {readonly string[]}
 */
export function builtFolders(env) {
  if (!hasGo(env)) return [];
  return moduleNames()
    .map((name) => moduleFolder(name, env))
    .filter((folder) => existsSync(folder));
}

/**
 * The modules there are, by name.
 *
 * @returns {readonly string[]}
 */
export function moduleNames() {
  return readdirSync(MODULES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(MODULES, entry.name, "go.mod")))
    .map((entry) => entry.name)
    .toSorted();
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 */
async function buildModule(name, env) {
  const done = moduleFolder(name, env);
  if (existsSync(done)) return; // Somebody else built it while we waited.
  const goMod = readFileSync(join(MODULES, name, "go.mod"), "utf8");
  const problem = goProblem(goVersion(env), goMod);
  if (problem !== undefined) throw new SetupRefusal(`${name} cannot be built: ${problem}`);
  const folder = mkdtempSync(join(programsFolder(env), UNFINISHED));
  try {
    await timed(`build the test program ${name}, once for all`, async () => {
      // "tool" stands for every program that go.mod names with a tool line.
      const args = [
        "build",
        "-trimpath",
        "-ldflags",
        linkerFlags(goMod),
        "-o",
        `${folder}/`,
        "tool",
      ];
      const run = await runProgram("go", args, {
        cwd: join(MODULES, name),
        env: goEnvironment(env),
      });
      if (run.code !== 0) {
        throw new SetupRefusal(`${name} could not be built:\n${tailOf(run.output)}`);
      }
    });
    chmodSync(folder, 0o755); // The tests also run as other users.
    renameSync(folder, done);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What the linker is told: no symbols for a debugger, and what the module's go.mod asks for in a
 * comment `//ldflags: ...`. It stands there so that the key of the build follows from it.
 *
 * @param {string} goMod
 * @returns {string}
 */
export function linkerFlags(goMod) {
  const asked = /^\/\/ldflags: (.+)$/m.exec(goMod)?.[1];
  return asked === undefined ? "-s -w" : `-s -w ${asked}`;
}

/**
 * Removes what builds left that were killed: whoever holds the lock is the only one who builds.
 *
 * @param {string} cache
 */
function sweepUnfinished(cache) {
  for (const entry of readdirSync(cache)) {
    if (entry.startsWith(UNFINISHED)) rmSync(join(cache, entry), { recursive: true });
  }
}
