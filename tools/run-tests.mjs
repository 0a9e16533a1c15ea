// Runs the tests below a folder with the pinned Node: `run-tests.mjs DIR [WORD...] [--processes]`.
// A word picks the files whose path has it; --processes gives each file a process of its own, two
// at a time, for tests that start real daemons and mostly wait for them. It ends with 1 when a
// test fails, is skipped without being asked for, hangs, or is not there at all.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pinnedEnvironment } from "./setup/pinned-node.mjs";
import { appendResult, failuresText, tallyOf, UNASKED, wordsOf } from "./run-tests/tally.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPORTER = new URL("run-tests/count-reporter.mjs", import.meta.url).href;
/** One test may take this long, and all together ten times that; what hangs is ended. */
const TEST_MS_MAX = { shared: 120_000, processes: 600_000 };
const END_GRACE_MS = 10_000;

process.exitCode = await main();

/** @returns {Promise<number>} exit code */
async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { processes: { type: "boolean", default: false } },
  });
  const [folder = "src", ...words] = positionals;
  const where = relative(ROOT, process.cwd());
  const files = findTests(folder, words);
  if (files.length === 0) {
    const asked = words.length === 0 ? "" : ` that match ${words.join(" ")}`;
    process.stderr.write(`${join(where, folder)} has no tests${asked}\n`);
    return 1;
  }
  const skipped = wordsOf(process.env["FAIRLEAD_SKIP"]);
  const wanted = files.filter((file) => !skipped.some((word) => file.includes(word)));
  for (const file of files.filter((name) => !wanted.includes(name))) {
    process.stdout.write(`${join(where, file)} is left out, as FAIRLEAD_SKIP asks\n`);
  }
  if (wanted.length === 0) return 0;
  const results = mkdtempSync(join(tmpdir(), "fairlead-tests-"));
  try {
    const counts = join(results, "counts");
    const code = await runTests(wanted, counts, values.processes, skipped);
    return report(join(where, folder), counts, code);
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {readonly string[]} words
 * @returns {readonly string[]} sorted paths
 */
function findTests(folder, words) {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes("node_modules"));
  const picked = (/** @type {string} */ file) => words.some((word) => file.includes(word));
  return found.filter((file) => words.length === 0 || picked(file)).toSorted();
}

/**
 * @param {readonly string[]} files
 * @param {string} counts the file that the counting reporter writes
 * @param {boolean} processes
 * @param {readonly string[]} skipped words that name tests to leave out
 * @returns {Promise<number>} exit code of the runner
 */
function runTests(files, counts, processes, skipped) {
  const testMsMax = processes ? TEST_MS_MAX.processes : TEST_MS_MAX.shared;
  const isolation = processes
    ? ["--test-isolation=process", "--test-concurrency=2"]
    : ["--test-isolation=none"];
  const args = [
    "--test",
    ...isolation,
    `--test-timeout=${testMsMax}`,
    ...skipped.map((word) => `--test-skip-pattern=${word.replace(/[^\w\s]/g, "\\$&")}`),
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${counts}`,
    ...files,
  ];
  const env = pinnedEnvironment(ROOT, process.env);
  const child = spawn("node", args, { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  const deadline = setTimeout(() => {
    process.stderr.write(`the tests did not end within ${testMsMax / 6_000} minutes\n`);
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), END_GRACE_MS).unref();
  }, testMsMax * 10);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(deadline);
      resolve(code ?? 1);
    });
  });
}

/**
 * @param {string} where
 * @param {string} counts
 * @param {number} code
 * @returns {number} exit code
 */
function report(where, counts, code) {
  const lines = statSync(counts, { throwIfNoEntry: false }) ? readFileSync(counts, "utf8") : "";
  const told = tallyOf(lines, process.env["FAIRLEAD_SKIP"]);
  // A runner that failed although no test did has died half-way: that is one more failure.
  const died = code !== 0 && told.failed === 0;
  const reason = `its runner ended with ${code}, though no test had failed`;
  const tally = died ? { ...told, failed: 1, failures: [{ name: where, file: "", reason }] } : told;
  // The runner has told the failures of tests themselves, with more than is kept of them here.
  const untold = died
    ? tally.failures
    : tally.failures.filter((failure) => failure.reason === UNASKED);
  process.stdout.write(failuresText(untold));
  const file = process.env["FAIRLEAD_TEST_RESULTS"];
  if (file !== undefined) appendResult(file, tally);
  process.stdout.write(`${where}: ${tally.passed} passed, ${tally.failed} failed\n`);
  return tally.failed === 0 ? 0 : 1;
}
