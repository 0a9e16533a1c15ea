// `fairlead agents forget`: the operator's word that an agent is powered off. It is asked for with
// an option that says so, because an agent that lives goes on holding what others are given then.

import { Command } from "commander";

import { tellAct } from "../act-view.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain, typed } from "../output.ts";
import { type ServerOptions, addServerOption, withClient } from "./ask.ts";

interface ForgetOptions extends ServerOptions {
  readonly iHavePoweredItOff?: boolean;
}

/** Makes the command. `done` gets the exit code. */
export function forgetCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("forget")
    .description("Wait no more for an agent whose host is powered off and stays so.")
    .argument("<name>", "the agent's name")
    .option("--i-have-powered-it-off", "Your word that its host is off.");
  return addServerOption(command).action(async (name: string, options: ForgetOptions) => {
    if (options.iHavePoweredItOff !== true) {
      done(complain(context, withoutWord(name), EXIT.usage));
      return;
    }
    done(
      await withClient(context, options.server, async (client) =>
        tellAct(context, await client.forgetAgent(name), `${typed(name)} is not forgotten`),
      ),
    );
  });
}

function withoutWord(name: string): Parameters<typeof complain>[1] {
  return {
    what: `${typed(name)} is not forgotten`,
    why: "an agent that still runs would hold addresses that others are given then",
    remedy: "Power its host off, and give --i-have-powered-it-off.",
    code: "USAGE",
  };
}
