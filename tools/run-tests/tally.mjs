// Sums of test outcomes: read from the counting reporter, judged, appended to the results file of
// the whole run, and added up at its end. A skipped test is a failed one unless FAIRLEAD_SKIP names
// it: a test that cannot run has proved nothing.

import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** Why a skipped test counts as failed. */
export const UNASKED = "skipped, but FAIRLEAD_SKIP does not name it";

/**
 * @typedef {object} Failure
 * @property {string} name of the test
 * @property {string} file empty where it is not known
 * @property {string} reason what it threw, or why it counts as failed
 */

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed skipped ones that nobody asked for included
 * @property {readonly Failure[]} failures in the order in which they ended, at most `failed`
 */

/**
 * The words of FAIRLEAD_SKIP, which name tests or files.
 *
 * @param {string | undefined} skip
 * @returns {readonly string[]}
 */
export function wordsOf(skip) {
  const words = (skip ?? "").split(",").map((word) => word.trim());
  return words.filter((word) => word !== "");
}

/**
 * Adds up the lines of the counting reporter.
 *
 * @param {string} lines
 * @param {string | undefined} skip FAIRLEAD_SKIP: words that name tests or files, with commas
 * @returns {Tally}
 */
export function tallyOf(lines, skip) {
  const words = wordsOf(skip);
  let [passed, failed] = [0, 0];
  /** @type {Failure[]} */
  const failures = [];
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const test = /** @type {import("./count-reporter.mjs").Outcome} */ (JSON.parse(line));
    if (test.outcome === "passed") passed += 1;
    if (test.outcome === "passed") continue;
    const { name, file } = test;
    const skipped = test.outcome === "skipped";
    if (skipped && words.some((word) => name.includes(word) || file.includes(word))) continue;
    failed += 1;
    const reason = skipped ? UNASKED : (test.reason ?? "");
    failures.push({ name, file, reason });
  }
  return { passed, failed, failures };
}

/**
 * Adds one run to the results of the whole, which other runs write at the same time.
 *
 * @param {string} file
 * @param {Tally} tally
 */
export function appendResult(file, tally) {
  appendFileSync(file, `${JSON.stringify(tally)}\n`); // One write: lines stay whole.
}

/**
 * Adds up what all runs appended.
 *
 * @param {string} file
 * @returns {Tally}
 */
export function sumResults(file) {
  let [passed, failed] = [0, 0];
  /** @type {Failure[]} */
  const failures = [];
  for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    if (line === "") continue;
    const run = /** @type {Tally} */ (JSON.parse(line));
    passed += run.passed;
    failed += run.failed;
    failures.push(...run.failures);
  }
  return { passed, failed, failures };
}

/**
 * What failed, to be read at the end of a long output: a name and a place, and below it the reason.
 *
 * @param {readonly Failure[]} failures
 * @returns {string} empty without any
 */
export function failuresText(failures) {
  const texts = failures.map(({ name, file, reason }) => {
    const place = file === "" ? "" : ` (${file})`;
    return `failed: ${name}${place}\n${reason.replace(/^/gmu, "    ")}\n`;
  });
  return texts.join("");
}
