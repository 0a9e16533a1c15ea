// The entry of `npm run demo|test|check|golden|bench`, in plain JavaScript for Node 20: makes sure
// of everything that the command needs, does nothing where it is there already, then runs it with
// the pinned Node and ends with its exit code. One set-up at a time in a checkout.

import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "./setup/commands.mjs";
import { ensurePackages, findMissingPackages, PACKAGES } from "./setup/debian.mjs";
import { withLock } from "./setup/lock.mjs";
import { pinnedEnvironment } from "./setup/pinned-node.mjs";
import { machineProblem } from "./setup/platform.mjs";
import { SetupRefusal } from "./setup/refusal.mjs";
import { say } from "./setup/say.mjs";
import { ensureWorkspace, isWorkspaceReady } from "./setup/workspace.mjs";
import { builtFolders, ensurePrograms } from "./programs/build-programs.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const WAIT_MS_MAX = 30 * 60_000;

process.exitCode = await main(process.argv.slice(2));

/**
 * @param {readonly string[]} words the command and its arguments
 * @returns {Promise<number>} exit code
 */
async function main(words) {
  const [name = "", ...args] = words;
  const command = COMMANDS.get(name);
  if (command === undefined) {
    process.stderr.write(`usage: npm run ${[...COMMANDS.keys()].join("|")} [-- ARGUMENTS]\n`);
    return 2;
  }
  try {
    const env = await setUp(command.programs(args), [...PACKAGES, ...(command.packages ?? [])]);
    return await command.run({ root: ROOT, env, args });
  } catch (cause) {
    if (!(cause instanceof SetupRefusal)) throw cause;
    say(cause.message);
    return 1;
  }
}

/**
 * @param {boolean} programs whether the real test programs are needed
 * @param {readonly string[]} packages Debian's
 * @returns {Promise<NodeJS.ProcessEnv>} the environment to run the command in
 */
async function setUp(programs, packages) {
  const { platform, arch } = process;
  const problem = machineProblem({ platform, arch, nodeVersion: process.versions.node });
  if (problem !== undefined) throw new SetupRefusal(problem);
  const missing = await findMissingPackages(packages);
  // Looking needs no lock, so that a user who may write nothing here can run what root set up.
  if (missing.length > 0 || !isWorkspaceReady(ROOT)) await setUpLocked(packages);
  const env = pinnedEnvironment(ROOT, process.env);
  if (programs) await ensurePrograms(env);
  return { ...env, PATH: [env["PATH"], ...builtFolders(env)].join(delimiter) };
}

/**
 * Installs what is missing, one set-up at a time: who waited looks again.
 *
 * @param {readonly string[]} packages
 */
async function setUpLocked(packages) {
  const lock = {
    file: join(ROOT, ".cache", "setup.lock"),
    waitMsMax: WAIT_MS_MAX,
    /** @param {number | undefined} pid */
    onWait: (pid) => say(`process ${pid ?? "unknown"} is setting up; waiting for it`),
  };
  await withLock(lock, async () => {
    await ensurePackages(packages);
    await ensureWorkspace(ROOT);
  });
}
