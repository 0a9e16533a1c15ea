// The command `fairlead`: its subcommands, help and exit codes. Given the outside as a context, so
// that tests run it in process.

import { Command, CommanderError } from "commander";

import { VERSION } from "@fairlead/runtime";

import { leaseCommand } from "./commands/lease.ts";
import {
  drainCommand,
  freezeCommand,
  moveCommand,
  rebalanceCommand,
  thawCommand,
  uncordonCommand,
} from "./commands/move.ts";
import { agentsCommand, statusCommand } from "./commands/status.ts";
import { checkCommand } from "./commands/check.ts";
import { explainCommand } from "./commands/explain.ts";
import { poolCommand } from "./commands/pool.ts";
import { EXIT, EXIT_HELP, type ExitCode } from "./exit-codes.ts";
import type { CommandContext } from "./output.ts";
import { GIVEN_TWICE, usageComplaints } from "./usage.ts";

/** A command that the program does not know by itself: `run` and `demo` are given by main. */
export type CommandMaker = (context: CommandContext, done: (code: ExitCode) => void) => Command;

/** Runs one command line and resolves with its exit code. */
export async function runProgram(
  args: readonly string[],
  context: CommandContext,
  more: readonly CommandMaker[] = [],
): Promise<ExitCode> {
  const makers = [
    statusCommand,
    agentsCommand,
    leaseCommand,
    poolCommand,
    drainCommand,
    uncordonCommand,
    moveCommand,
    rebalanceCommand,
    freezeCommand,
    thawCommand,
    explainCommand,
    checkCommand,
    ...more,
  ];
  let exit: ExitCode = EXIT.good;
  const done = (code: ExitCode): void => {
    exit = code;
  };
  let help = "";
  const program = buildProgram(
    makers.map((make) => make(context, done)),
    { writeOut: context.out, writeErr: (text) => void (help += text) },
  );
  try {
    await program.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.good;
    // No command was named, or one that only groups others: its help says which there are.
    if (error.code === "commander.help") {
      context.err(help);
      return EXIT.usage;
    }
    const silent = { writeOut: () => undefined, writeErr: () => undefined };
    const idle = (): Command => {
      const commands = makers.map((make) => withoutAction(make(context, done)));
      return buildProgram(commands, silent);
    };
    const complaints = await usageComplaints(idle, args);
    for (const complaint of complaints) context.err(`${complaint}\n`);
    if (complaints.some((complaint) => NAMED_IN_A_LIST.test(complaint))) {
      context.err("This shows all; fairlead explain NAME tells of one.\n");
    }
    context.err("Run with --help for what it takes.\n");
    return EXIT.usage;
  }
  return exit;
}

/** Somebody named one thing where all are listed. */
const NAMED_IN_A_LIST = /too many arguments for '(?:status|agents|list)'/u;

/** Where the parser writes by itself. */
interface ParserOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

function buildProgram(commands: readonly Command[], output: ParserOutput): Command {
  const program = new Command("fairlead")
    .version(VERSION, "-V, --version", "say the version")
    .description("Load-balanced virtual IPs for Kubernetes on your own hardware.")
    .addHelpText("after", `\n${EXIT_HELP}`)
    .enablePositionalOptions();
  for (const command of commands) program.addCommand(withHelp(command));
  for (const command of withCommands(program)) {
    command.exitOverride().configureOutput({ ...output });
    refuseTwice(command);
  }
  return program;
}

/** The parser takes the last value of an option without a word; nobody may have meant it. */
function refuseTwice(command: Command): void {
  for (const option of command.options) {
    if (!option.required || option.variadic) continue;
    let count = 0;
    command.on(`option:${option.name()}`, () => {
      count += 1;
      const flag = option.long ?? option.flags;
      const message = `error: option '${flag}' is given twice and may be given once`;
      if (count > 1) command.error(message, { code: GIVEN_TWICE });
    });
  }
}

/** The command and all below it. */
function withCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withCommands)];
}

function withHelp(command: Command): Command {
  for (const each of withCommands(command)) each.addHelpText("after", `\n${EXIT_HELP}`);
  return command;
}

/**
 * The command and all below it do nothing, so that a wrong line can be parsed again and again. What
 * only groups others has no options and nothing to do: with an action it would take any word for
 * an argument.
 */
function withoutAction(command: Command): Command {
  for (const each of withCommands(command)) {
    const isGroup = each.commands.length > 0 && each.options.length === 0;
    if (!isGroup) each.action(() => undefined);
  }
  return command;
}
