// Says when a list shows less than there is: a controller that stands by knows nothing of what is
// served, and one that is not ready may know a part. Who read only the table would take it for all.

import type { ListResponse } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CommandContext } from "../output.ts";
import { whoLeads } from "../status-view.ts";

/** Why the list may not be whole, as one line; undefined where it is. */
export function lessThanAll({ controller }: Pick<ListResponse, "controller">): string | undefined {
  if (controller === undefined) return undefined;
  const { standsBy, leader, ready, detail } = controller;
  if (standsBy) {
    return `this controller stands by, and knows nothing of what is served; ${whoLeads(leader)}`;
  }
  if (ready) return undefined;
  return `the controller is not ready, and there may be more than this: ${detail || "it starts"}`;
}

/**
 * Says on standard error when the list may not be whole.
 * @returns the exit code: `exit` of a list that is whole.
 */
export function tellLess(context: CommandContext, list: ListResponse, exit: ExitCode): ExitCode {
  const less = lessThanAll(list);
  if (less === undefined) return exit;
  context.err(`${less}\n`);
  return EXIT.bad;
}
