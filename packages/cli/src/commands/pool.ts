// `fairlead pool list` and `fairlead pool describe`: what pools there are, how full they are, who
// may use them and who does.

import { Command } from "commander";

import { quoteValue } from "@fairlead/runtime";
import { ListKind, listToJson, poolsToJson } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain, exitOf, writeStructured } from "../output.ts";
import { arePoolsWell, formatPoolDetails, formatPools } from "../pool-view.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { tellLess } from "./less.ts";

/** Makes the command. `done` gets the exit code. */
export function poolCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  return new Command("pool")
    .description("Show pools of addresses: how full they are, and who may use them.")
    .addCommand(listCommand(context, done))
    .addCommand(describeCommand(context, done));
}

function listCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("list").description(
    "Show every pool with its usage, a line for each family of addresses.",
  );
  return addAskOptions(command).action(async (options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const list = await client.list([ListKind.POOLS]);
        if (!writeStructured(context, options.output, listToJson(list))) {
          context.out(formatPools(list.pools, tableOptions(options)));
        }
        return tellLess(context, list, exitOf(arePoolsWell(list.pools)));
      }),
    );
  });
}

function describeCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("describe")
    .description("Show all that is known of one pool, or of all: its rules and its addresses.")
    .argument("[name]", "the pool's name");
  return addAskOptions(command).action(async (name: string | undefined, options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        // For the controller an empty name means all, which nobody asked for here.
        if (name === "") return notFound(context, name, []);
        const answer = await client.describePool(name ?? "");
        const { pools, similar } = answer;
        if (name !== undefined && pools.length === 0) return notFound(context, name, similar);
        if (!writeStructured(context, options.output, poolsToJson(answer))) {
          const text = formatPoolDetails(pools, tableOptions(options));
          context.out(text === "" ? "there is no pool\n" : text);
        }
        return exitOf(arePoolsWell(pools.flatMap(({ row }) => row ?? [])));
      }),
    );
  });
}

function notFound(context: CommandContext, name: string, similar: readonly string[]): ExitCode {
  const remedy =
    similar.length === 0 ? "Look at fairlead pool list." : `Did you mean ${similar.join(", ")}?`;
  return complain(
    context,
    {
      what: `there is no pool called ${quoteValue(name)}`,
      why: "nothing that the controller knows declares one",
      remedy,
      code: "NOT_FOUND",
    },
    EXIT.notFound,
  );
}

function tableOptions({ output, headers }: AskOptions): {
  readonly wide: boolean;
  readonly headings: boolean;
} {
  return { wide: output === "wide", headings: headers };
}
