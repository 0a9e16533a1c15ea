// Sums of test outcomes: read from the counting reporter, judged, appended to the results file of
// the whole run, and added up at its end. A skipped test is a failed one unless FAIRLEAD_SKIP names
// it: a test that cannot run has proved nothing.

import { appendFileSync, existsSync, readFileSync } from "node:fs";

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed skipped ones that nobody asked for included
 * @property {readonly string[]} unasked names of tests skipped without being asked for
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
  const unasked = [];
  for (const line of lines.split("\n")) {
    if (line === "") continue;
    const test = /** @type {import("./count-reporter.mjs").Outcome} */ (JSON.parse(line));
    if (test.outcome === "passed") passed += 1;
    if (test.outcome === "failed") failed += 1;
    if (test.outcome !== "skipped") continue;
    if (words.some((word) => test.name.includes(word) || test.file.includes(word))) continue;
    failed += 1;
    unasked.push(test.name);
  }
  return { passed, failed, unasked };
}

/**
 * Adds one run to the results of the whole, which other runs write at the same time.
 *
 * @param {string} file
 * @param {Tally} tally
 */
export function appendResult(file, tally) {
  const { passed, failed } = tally;
  appendFileSync(file, `${JSON.stringify({ passed, failed })}\n`); // One write: lines stay whole.
}

/**
 * Adds up what all runs appended.
 *
 * @param {string} file
 * @returns {{ passed: number; failed: number }}
 */
export function sumResults(file) {
  const sum = { passed: 0, failed: 0 };
  if (!existsSync(file)) return sum;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (line === "") continue;
    const run = /** @type {{ passed: number; failed: number }} */ (JSON.parse(line));
    sum.passed += run.passed;
    sum.failed += run.failed;
  }
  return sum;
}
