// A reporter of node:test that counts instead of telling: one JSON line for each test that ended,
// with its outcome, and why it failed. Given the runner's events; run-tests.mjs reads what it
// writes. Tests that only hold other tests count as well, suites do not.

import { inspect } from "node:util";

/** An error with its stack and its differences: what does not fit was seen in full above. */
const REASON_CHARACTERS_MAX = 2_000;

/**
 * @typedef {object} Outcome
 * @property {"passed" | "failed" | "skipped"} outcome a test marked as to do counts as skipped
 * @property {string} name
 * @property {string} file empty where the runner does not tell
 * @property {string} [reason] of a failure: its error as Node prints it, cut after 2 000 characters
 */

/**
 * Turns the runner's events into lines of outcomes.
 *
 * @param {AsyncIterable<import("node:test/reporters").TestEvent>} events
 * @returns {AsyncGenerator<string>}
 */
export default async function* countReporter(events) {
  for await (const event of events) {
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, file = "", skip, todo, details } = event.data;
    if (details.type === "suite" && event.type === "test:pass") continue;
    const unrun = skip !== undefined || todo !== undefined;
    const outcome = unrun ? "skipped" : event.type === "test:pass" ? "passed" : "failed";
    const reason = outcome === "failed" ? reasonOf(details) : undefined;
    yield `${JSON.stringify({ outcome, name, file, reason })}\n`;
  }
}

/**
 * The runner wraps what a test threw into an error of its own.
 *
 * @param {object} details of a failed test
 * @returns {string}
 */
function reasonOf(details) {
  const wrapped = "error" in details ? details.error : undefined;
  const thrown = wrapped instanceof Error && wrapped.cause !== undefined ? wrapped.cause : wrapped;
  const text = typeof thrown === "string" ? thrown : inspect(thrown);
  return text.length > REASON_CHARACTERS_MAX ? `${text.slice(0, REASON_CHARACTERS_MAX)}...` : text;
}
