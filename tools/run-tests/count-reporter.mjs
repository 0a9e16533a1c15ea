// A reporter of node:test that counts instead of telling: one JSON line for each test that ended,
// with its outcome. Given the runner's events; run-tests.mjs reads what it writes. Tests that only
// hold other tests count as well, suites do not.

/**
 * @typedef {object} Outcome
 * @property {"passed" | "failed" | "skipped"} outcome a test marked as to do counts as skipped
 * @property {string} name
 * @property {string} file empty where the runner does not tell
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
    yield `${JSON.stringify({ outcome, name, file })}\n`;
  }
}
