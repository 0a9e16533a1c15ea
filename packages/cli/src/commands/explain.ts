// `fairlead explain`: the chain from what asks to the proof, and the first link that is broken.

import { Command } from "commander";

import { type ExplainResponse, explainToJson } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatChain, isWhole } from "../explain-view.ts";
import { type CommandContext, complain, exitOf, writeStructured } from "../output.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";

/** Makes the command. `done` gets the exit code. */
export function explainCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("explain")
    .description("Show why something is served, or the first thing that keeps it from being so.")
    .argument("<subject>", "NAMESPACE/NAME of a Service, an address, or an agent's name");
  return addAskOptions(command).action(async (subject: string, options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const answer = await client.explain(subject);
        if (!answer.found) return notFound(context, subject, answer);
        if (!writeStructured(context, options.output, explainToJson(answer))) {
          context.out(formatChain(answer));
        }
        return exitOf(isWhole(answer));
      }),
    );
  });
}

function notFound(context: CommandContext, subject: string, answer: ExplainResponse): ExitCode {
  const similar = answer.similar.join(", ");
  return complain(
    context,
    {
      what: `there is nothing called ${JSON.stringify(subject)}`,
      why: "no Service, address, agent, pool or file of that name is known to the controller",
      remedy: similar === "" ? "Look at fairlead status." : `Did you mean ${similar}?`,
      code: "NOT_FOUND",
    },
    EXIT.notFound,
  );
}
