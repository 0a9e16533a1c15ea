// What every command that asks the controller shares: options, the client, and errors as exit
// codes.

import { type Command, Option } from "commander";

import { describeError, isEdgeError } from "@fairlead/runtime";

import { type AdminClient, createAdminClient } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain, OUTPUT_FORMS, type OutputForm } from "../output.ts";

/** Options of every command that speaks with the controller. */
export interface ServerOptions {
  readonly server: string;
}

/** Options of commands that ask the controller. */
export interface AskOptions extends ServerOptions {
  readonly output: OutputForm;
  readonly headers: boolean;
}

const NO_CONTROLLER =
  "Start fairlead-controller, or name its address with --server or FAIRLEAD_SERVER.";

/** What to do about a controller that answers and does not want to. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["REFUSED", "Use a token that may ask this."],
  ["BUSY", "End one of the commands that watch."],
]);

/** Longest wait for the controller's answer, in ms. */
const DEADLINE_MS = 5000;

/** Adds --server to a command. */
export function addServerOption(command: Command): Command {
  return command.addOption(
    new Option("--server <host:port>", "Where the controller's AdminService listens.")
      .default("127.0.0.1:7705")
      .env("FAIRLEAD_SERVER"),
  );
}

/** Adds --server, --output and --no-headers to a command. */
export function addAskOptions(command: Command): Command {
  return addServerOption(command)
    .addOption(
      new Option("-o, --output <form>", "The form of the answer.")
        .choices(OUTPUT_FORMS)
        .default("table"),
    )
    .option("--no-headers", "Leave the headings of tables away.");
}

/** Runs `ask` with a client; every failure to reach the controller becomes its exit code. */
export async function withClient(
  context: CommandContext,
  server: string,
  ask: (client: AdminClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  using client = createAdminClient({ server, deadlineMs: DEADLINE_MS });
  try {
    return await ask(client);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const remedy = REFUSALS.get(error.code);
    return complain(
      context,
      {
        what: "the controller did not answer the question",
        why: describeError(error),
        remedy: remedy ?? NO_CONTROLLER,
        code: error.code,
      },
      remedy !== undefined ? EXIT.refused : EXIT.unreachable,
    );
  }
}
