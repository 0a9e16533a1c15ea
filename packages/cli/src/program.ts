// The command `fairlead`: its subcommands, help and exit codes. Given the outside as a context, so
// that tests run it in process.

import { Command, CommanderError } from "commander";

import { agentsCommand, statusCommand } from "./commands/status.ts";
import { explainCommand } from "./commands/explain.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import type { CommandContext } from "./output.ts";

/** A command that the program does not know by itself: `run` and `demo` are given by main. */
export type CommandMaker = (context: CommandContext, done: (code: ExitCode) => void) => Command;

/** Runs one command line and resolves with its exit code. */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
  more: readonly CommandMaker[] = [],
): Promise<ExitCode> {
  let exit: ExitCode = EXIT.good;
  const done = (code: ExitCode): void => {
    exit = code;
  };
  const makers = [statusCommand, agentsCommand, explainCommand, ...more];
  const program = new Command("fairlead")
    .description("Load-balanced virtual IPs for Kubernetes on your own hardware.")
    .addHelpText("after", `\n${EXIT_HELP}`)
    .enablePositionalOptions();
  for (const make of makers) program.addCommand(withHelp(make(context, done)));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: context.out, writeErr: context.err });
    command.showHelpAfterError("Run with --help for what it takes.");
  }
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? EXIT.good : EXIT.usage;
  }
  return exit;
}

function withHelp(command: Command): Command {
  return command.addHelpText("after", `\n${EXIT_HELP}`);
}
