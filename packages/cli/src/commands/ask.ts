// What every command that asks the controller shares: options, the client, and errors as exit
// codes.

import { type Command, Option } from "commander";

import { describeError, isEdgeError } from "@fairlead/runtime";

import { type AdminClient, createAdminClient } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain, OUTPUT_FORMS, type OutputForm } from "../output.ts";
import { readPlace } from "./place.ts";

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

/** A controller keeps that port on the loopback, where nobody else reaches it. */
const NO_CONTROLLER_THERE =
  "Ask on that host: a controller takes questions on its own loopback alone, " +
  "unless --listen-admin says otherwise; or start it there.";

/** What to do about something that answers and does not want to, and how the command ends then. */
const REFUSALS: ReadonlyMap<string, readonly [string, ExitCode]> = new Map([
  ["REFUSED", ["Use a token that may ask this.", EXIT.refused]],
  ["NOT_READY", ["Ask again when `fairlead status` says that it is ready.", EXIT.bad]],
  ["BUSY", ["End one of the commands that watch.", EXIT.refused]],
  [
    "NO_CONTROLLER",
    [
      "Name the port of the controller's --listen-admin, which is 7705 by default; where it is, " +
        "use the command of the controller's version.",
      EXIT.unreachable,
    ],
  ],
]);

/** What `--no-headers` does. */
export const NO_HEADERS = "Print rows alone: no headings, and no words below a table.";

/** Longest wait for the controller's answer, in ms. */
const DEADLINE_MS = 5000;

/** Adds --server to a command. */
export function addServerOption(command: Command): Command {
  return command.addOption(
    new Option("--server <host:port>", "Where the controller's AdminService listens.")
      .default("127.0.0.1:7705")
      .env("FAIRLEAD_SERVER")
      .argParser(readPlace),
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
    .option("--no-headers", NO_HEADERS);
}

/** Runs `ask` with a client; every failure to reach the controller becomes its exit code. */
export async function withClient(
  context: CommandContext,
  server: string,
  ask: (client: AdminClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const onSlow = (): void => context.err(`waiting for the controller at ${server}\n`);
  using client = createAdminClient({ server, deadlineMs: DEADLINE_MS, onSlow });
  try {
    return await ask(client);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const [remedy, exit] = REFUSALS.get(error.code) ?? [silentRemedy(server), EXIT.unreachable];
    return complain(
      context,
      {
        what: "the controller did not answer the question",
        why: describeError(error),
        remedy,
        code: error.code,
      },
      exit,
    );
  }
}

/** What to do where no controller answers: one on another host may well run. */
export function silentRemedy(server: string): string {
  return /^(?:127\.|localhost:|\[::1\]|0\.0\.0\.0:)/u.test(server)
    ? NO_CONTROLLER
    : NO_CONTROLLER_THERE;
}
