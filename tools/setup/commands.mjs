// What each npm command runs once everything is set up, in order. Given the repository, the pinned
// environment and the caller's arguments; answers with an exit code. It sets nothing up.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendResult, failuresText, sumResults } from "../run-tests/tally.mjs";
import { hasGo } from "../programs/go-version.mjs";
import { BENCH_PACKAGES } from "./debian.mjs";
import { runInForeground } from "./foreground.mjs";

/**
 * @typedef {object} Call
 * @property {string} root the repository
 * @property {NodeJS.ProcessEnv} env
 * @property {readonly string[]} args
 */

/**
 * @typedef {object} Command
 * @property {(args: readonly string[]) => boolean} programs whether it needs the real test programs
 * @property {readonly string[]} [packages] Debian's, beside those that every command needs
 * @property {(call: Call) => Promise<number>} run
 */

/** Tasks of turbo.json that the quick part consists of. */
const QUICK = Object.freeze(["check", "lint", "format", "unused", "contract", "tools"]);
/** The end-to-end tests come last and alone: their timing means something. */
const END_TO_END = "@fairlead/test";

/** @type {readonly (readonly [name: string, Command])[]} */
const LIST = [
  [
    "demo",
    { programs: wantsToTry, run: (call) => node(call, ["packages/cli/src/main.ts", "demo"]) },
  ],
  ["check", { programs: () => false, run: (call) => turbo(call, QUICK, ["--continue=always"]) }],
  ["test", { programs: () => true, run: test }],
  ["golden", { programs: () => false, run: golden }],
  [
    "bench",
    {
      programs: () => true,
      packages: BENCH_PACKAGES,
      run: (call) => node(call, ["test/bench/main.ts"]),
    },
  ],
];
/** The commands by name, in the order in which they are listed. */
export const COMMANDS = new Map(LIST);

/**
 * A demo that stays up prints commands to try, and grpcurl is one of them. Without Go it stays up
 * all the same.
 *
 * @param {readonly string[]} args
 * @returns {boolean}
 */
function wantsToTry(args) {
  return args.includes("--stay") && hasGo(process.env);
}

/**
 * Everything, or with arguments only the packages named: `npm test -- planner render`. It ends
 * with what failed and why, and the last line is the sum over all tests.
 *
 * @param {Call} call
 * @returns {Promise<number>}
 */
async function test(call) {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-results-"));
  const results = join(folder, "results");
  const env = { ...call.env, FAIRLEAD_TEST_RESULTS: results };
  try {
    let code = 0;
    for (const [tasks, flags] of phases(call.args)) {
      const before = sumResults(results).failed;
      const ended = await turbo({ ...call, env, args: [] }, tasks, flags);
      // A check that is no test, such as the linter, fails without a line in the results.
      const counted = sumResults(results).failed > before;
      if (ended !== 0 && !counted) appendResult(results, uncounted(tasks, ended));
      code = Math.max(code, ended);
      if (ended > 128) break; // Somebody ended it: what follows is not wanted either.
    }
    const sum = sumResults(results);
    process.stdout.write(failuresText(sum.failures));
    process.stdout.write(`${sum.passed} passed, ${sum.failed} failed\n`);
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} tasks that ended badly without a test that did
 * @param {number} code
 * @returns {import("../run-tests/tally.mjs").Tally}
 */
function uncounted(tasks, code) {
  const reason = `ended with ${code}, though no test had failed: its output is above`;
  return { passed: 0, failed: 1, failures: [{ name: tasks.join(", "), file: "", reason }] };
}

/**
 * @param {readonly string[]} args
 * @returns {readonly (readonly [tasks: readonly string[], flags: readonly string[]])[]}
 */
function phases(args) {
  if (args.length > 0) {
    return [[["test"], args.map((name) => `--filter=@fairlead/${name}`)]];
  }
  const streamed = ["--log-order=stream"];
  return [
    [QUICK, ["--continue=always"]],
    [["test"], ["--continue=always", `--filter=!${END_TO_END}`]],
    [["test"], [...streamed, `--filter=${END_TO_END}`]],
  ];
}

/**
 * Writes everything that is made from something else: generated code first, then the goldens.
 *
 * @param {Call} call
 * @returns {Promise<number>}
 */
async function golden(call) {
  const generate = { command: "buf", args: ["generate"], cwd: call.root, env: call.env };
  const generated = await runInForeground(generate);
  if (generated !== 0) return generated;
  const env = { ...call.env, FAIRLEAD_UPDATE_GOLDEN: "1" };
  const flags = ["--continue=always", `--filter=!${END_TO_END}`];
  return turbo({ ...call, env }, ["test", "tools"], flags);
}

/**
 * @param {Call} call
 * @param {readonly string[]} tasks
 * @param {readonly string[]} flags
 * @returns {Promise<number>}
 */
function turbo(call, tasks, flags) {
  const args = ["run", ...tasks, "--ui=stream", ...flags, ...call.args];
  return runInForeground({ command: "turbo", args, cwd: call.root, env: call.env });
}

/**
 * @param {Call} call
 * @param {readonly string[]} words
 * @returns {Promise<number>}
 */
function node(call, words) {
  const args = [...words, ...call.args];
  return runInForeground({ command: "node", args, cwd: call.root, env: call.env });
}
