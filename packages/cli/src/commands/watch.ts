// `--watch`: prints the state, then what changes, until the user or the controller ends it. It
// never asks again by itself: who watches shall see that there was a gap.

import { Option } from "commander";
import { stringify } from "yaml";

import { isEdgeError } from "@fairlead/runtime";
import type { ListKind } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CommandContext } from "../output.ts";
import { createWatchFold } from "../watch-fold.ts";
import { type ChangePrinter, changeValues, type ChangeValue } from "../watch-view.ts";
import { type AskOptions, withClient } from "./ask.ts";

/** The option `--watch`. */
export function watchOption(): Option {
  return new Option("-w, --watch", "Go on with one line for each row that changes.");
}

/** Watches these kinds; `printer` is for tables. */
export async function watch(
  context: CommandContext,
  options: AskOptions,
  what: { readonly kinds: readonly ListKind[]; readonly printer: ChangePrinter },
): Promise<ExitCode> {
  const { kinds, printer } = what;
  const interrupted = new AbortController();
  using _ = context.onInterrupt(() => interrupted.abort());
  const fold = createWatchFold();
  let hasBegun = false;
  return await withClient(context, options.server, async (client) => {
    try {
      const onMessage: Parameters<typeof client.watch>[1] = (message) => {
        const changes = fold.take(message);
        const { rows } = message;
        if (options.output === "json" || options.output === "yaml") {
          context.out(changeValues(changes).map(formatOf(options.output)).join(""));
        } else if (!hasBegun && rows !== undefined) {
          context.out(printer.begin(rows));
        } else {
          context.out(printer.print(changes));
        }
        hasBegun = true;
      };
      await client.watch(kinds, onMessage, interrupted.signal);
      return EXIT.interrupted;
    } catch (error) {
      if (!isEdgeError(error, "LOST")) throw error;
      context.err(`error: ${error.message}\n`);
      return EXIT.unreachable;
    }
  });
}

/** One object a line, or one document each. */
function formatOf(form: "json" | "yaml"): (value: ChangeValue) => string {
  return form === "json"
    ? (value) => `${JSON.stringify(value)}\n`
    : (value) => `---\n${stringify(value)}`;
}
