// `fairlead agents members`: the table of members as one agent's kernel has it now, with the names
// that its service addresses stand for.

import { Command, Option } from "commander";

import { quoteValue } from "@fairlead/runtime";
import { type GetMembersResponse, GetMembersResponseSchema, rowToJson } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatMembers } from "../members-view.ts";
import {
  type CommandContext,
  complain,
  OUTPUT_FORMS,
  type OutputForm,
  writeStructured,
} from "../output.ts";
import { NO_HEADERS } from "./ask.ts";
import { AGENT_DEFAULT, agentOption, MEMBERS_MS_MAX, withAgent } from "./ask-agent.ts";

interface MembersOptions {
  readonly agent: string;
  readonly output: OutputForm;
  readonly headers: boolean;
}

/** Makes the command. `done` gets the exit code. */
export function membersCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  return new Command("members")
    .description(
      "Show whom the kernel of an agent's host sends connections to: each member with its slots, " +
        "and the connections that it has.",
    )
    .argument("[subject]", "NAMESPACE/NAME of a Service, a VIP, a service address or a member's")
    .addOption(agentOption("Where the agent's AgentDebugService listens.").default(AGENT_DEFAULT))
    .addOption(
      new Option("-o, --output <form>", "The form of the answer.")
        .choices(OUTPUT_FORMS)
        .default("table"),
    )
    .option("--no-headers", NO_HEADERS)
    .action(async (subject: string | undefined, options: MembersOptions) => {
      const { agent } = options;
      done(
        await withAgent(context, { agent, deadlineMs: MEMBERS_MS_MAX }, async (client) => {
          const answer = await client.getMembers(subject ?? "");
          return tell(context, { subject, options }, answer);
        }),
      );
    });
}

function tell(
  context: CommandContext,
  { subject, options }: { readonly subject: string | undefined; readonly options: MembersOptions },
  answer: GetMembersResponse,
): ExitCode {
  const { inKernel, listeners, leftOut, trouble, flowsTrouble } = answer;
  if (trouble !== "") return unread(context, trouble);
  if (inKernel && subject !== undefined && listeners.length === 0) {
    return notFound(context, subject);
  }
  if (!writeStructured(context, options.output, rowToJson(GetMembersResponseSchema, answer))) {
    if (!inKernel) context.out("members stand in nginx's file on this host\n");
    else context.out(formatMembers(listeners, { headings: options.headers }));
  }
  if (flowsTrouble !== "") context.err(`connections are not counted: ${flowsTrouble}\n`);
  if (leftOut > 0) context.err(`${leftOut} more listeners are left out; name a subject\n`);
  return EXIT.good;
}

/** Says that an agent could not read its kernel's table. */
export function unread(context: CommandContext, why: string): ExitCode {
  const what = "the table of members could not be read";
  return complain(
    context,
    { what, why, remedy: "Look at the agent's log.", code: "NFT" },
    EXIT.bad,
  );
}

function notFound(context: CommandContext, subject: string): ExitCode {
  const complaint = {
    what: `the table has nothing of ${quoteValue(subject)}`,
    why: "no listener, service address or member of that name is on this host",
    remedy: "Run fairlead agents members without it, or name another agent with --agent.",
    code: "NOT_FOUND",
  };
  return complain(context, complaint, EXIT.notFound);
}
