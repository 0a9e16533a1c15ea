// `fairlead status`: everything that is asked for, where it is served, and why not; and `fairlead
// agents`. Both ask once, or watch.

import { Command } from "commander";

import { ListKind, listToJson } from "@fairlead/wire";

import type { ExitCode } from "../exit-codes.ts";
import { type CommandContext, exitOf, writeStructured } from "../output.ts";
import { formatAgents, formatStatus, isWell } from "../status-view.ts";
import { createAgentsPrinter, createStatusPrinter } from "../watch-view.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { forgetCommand } from "./forget.ts";
import { tellLess } from "./less.ts";
import { membersCommand } from "./members.ts";
import { askUntilSettled, waitOption } from "./wait.ts";
import { watch, watchOption } from "./watch.ts";

interface WatchOptions extends AskOptions {
  readonly watch?: boolean;
}

interface StatusOptions extends WatchOptions {
  /** Ms. */
  readonly wait?: number;
}

/** Makes the command. `done` gets the exit code. */
export function statusCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("status").description(
    "Show what is asked for, its address, who holds it, and why something is not served.",
  );
  command.addOption(waitOption()).addOption(watchOption().conflicts("wait"));
  return addAskOptions(command).action(async (options: StatusOptions) => {
    const kinds = [ListKind.CLAIMS, ListKind.AGENTS, ListKind.POOLS, ListKind.FINDINGS];
    if (options.watch === true) {
      const printer = createStatusPrinter(tableOptions(options));
      done(await watch(context, options, { kinds, printer }));
      return;
    }
    done(
      await withClient(context, options.server, async (client) => {
        const list = await askUntilSettled(context, options.wait ?? 0, () => client.list(kinds));
        if (!writeStructured(context, options.output, listToJson(list))) {
          context.out(formatStatus(list, tableOptions(options)));
        }
        return exitOf(isWell(list));
      }),
    );
  });
}

/** Makes `fairlead agents`: every agent with its plan, its VIPs and its trouble. */
export function agentsCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("agents").description(
    "Show every agent: whether it is connected, which plan it applied, what it holds.",
  );
  // What stands behind the name of a command below it is that command's.
  command.enablePositionalOptions().addCommand(forgetCommand(context, done));
  command.addCommand(membersCommand(context, done));
  command.addOption(watchOption());
  return addAskOptions(command).action(async (options: WatchOptions) => {
    if (options.watch === true) {
      const printer = createAgentsPrinter(tableOptions(options));
      done(await watch(context, options, { kinds: [ListKind.AGENTS], printer }));
      return;
    }
    done(
      await withClient(context, options.server, async (client) => {
        const list = await client.list([ListKind.AGENTS]);
        if (!writeStructured(context, options.output, listToJson(list))) {
          context.out(formatAgents(list.agents, tableOptions(options)));
        }
        const areConnected = list.agents.every((row) => row.state === "connected");
        return tellLess(context, list, exitOf(areConnected));
      }),
    );
  });
}

function tableOptions({ output, headers }: AskOptions): {
  readonly wide: boolean;
  readonly headings: boolean;
} {
  return { wide: output === "wide", headings: headers };
}
