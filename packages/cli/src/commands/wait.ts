// `--wait`: asks again until nothing is pending any more, and says on standard error what it waits
// for.

import { InvalidArgumentError, Option } from "commander";

import { DURATION_FORMS, isEdgeError, parseDuration } from "@fairlead/runtime";
import type { ListResponse } from "@fairlead/wire";

import type { CommandContext } from "../output.ts";

/** Time between two questions, in ms. */
const EVERY_MS = 100;
/** What is waited for is said this often, in ms. */
const TELL_EVERY_MS = 2000;

/** The option `--wait`. */
export function waitOption(): Option {
  return new Option("--wait <time>", "Wait up to this long until nothing is pending.").argParser(
    (text: string) => {
      const ms = parseDuration(text);
      if (ms === undefined) throw new InvalidArgumentError(`Give ${DURATION_FORMS}.`);
      return ms;
    },
  );
}

/** Asks until nothing is pending, or until the time is up; gives the last answer. */
export async function askUntilSettled(
  context: CommandContext,
  waitMs: number,
  ask: () => Promise<ListResponse>,
): Promise<ListResponse> {
  const endMs = Date.now() + waitMs;
  let tellAtMs = Date.now() + TELL_EVERY_MS;
  for (;;) {
    const isLast = Date.now() >= endMs;
    const answer = await askOnce(ask, isLast);
    const waitedFor = answer === undefined ? "the controller to answer" : pendingOf(answer);
    if (answer !== undefined && (waitedFor === undefined || isLast)) return answer;
    if (Date.now() >= tellAtMs) {
      context.err(`waiting for ${waitedFor}\n`);
      tellAtMs = Date.now() + TELL_EVERY_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/** A controller that does not answer yet is waited for too; at the end it is an error. */
async function askOnce(
  ask: () => Promise<ListResponse>,
  isLast: boolean,
): Promise<ListResponse | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isLast || !isEdgeError(error, "UNREACHABLE")) throw error;
    return undefined;
  }
}

function pendingOf(list: ListResponse): string | undefined {
  if (list.controller?.ready !== true) return `the controller: ${list.controller?.detail ?? ""}`;
  if (list.controller.standsBy) return "the controller to lead; ask the one that leads";
  if (list.claims.length === 0) return "anything to be asked for";
  const pending = list.claims.find((row) => row.state === "pending");
  if (pending === undefined) return undefined;
  return `${pending.namespace}/${pending.name}: ${pending.main?.detail ?? "pending"}`;
}
