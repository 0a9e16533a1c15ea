// `fairlead status`: everything that is asked for, where it is served, and why not.

import { Command } from "commander";

import { ListKind, listToJson } from "@fairlead/wire";

import type { ExitCode } from "../exit-codes.ts";
import { type CommandContext, exitOf, writeStructured } from "../output.ts";
import { formatAgents, formatStatus, isWell } from "../status-view.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { askUntilSettled, waitOption } from "./wait.ts";

/** Makes the command. `done` gets the exit code. */
export function statusCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("status").description(
    "Show what is asked for, its address, who holds it, and why something is not served.",
  );
  command.addOption(waitOption());
  return addAskOptions(command).action(async (options: AskOptions & { wait?: number }) => {
    const kinds = [ListKind.CLAIMS, ListKind.AGENTS, ListKind.POOLS, ListKind.FINDINGS];
    done(
      await withClient(context, options.server, async (client) => {
        const list = await askUntilSettled(context, options.wait ?? 0, () => client.list(kinds));
        if (!writeStructured(context, options.output, listToJson(list))) {
          const wide = options.output === "wide";
          context.out(formatStatus(list, { wide, headings: options.headers }));
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
  return addAskOptions(command).action(async (options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const list = await client.list([ListKind.AGENTS]);
        if (!writeStructured(context, options.output, listToJson(list))) {
          const wide = options.output === "wide";
          context.out(formatAgents(list.agents, { wide, headings: options.headers }));
        }
        return exitOf(list.agents.every((row) => row.state === "connected"));
      }),
    );
  });
}
