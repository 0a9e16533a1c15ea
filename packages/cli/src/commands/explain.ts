// `fairlead explain`: the chain from what asks to the proof, and the first link that is broken. The
// controller knows it; what stands behind the addresses that nginx connects from, an agent, which
// is asked where no controller answers as well.

import { Command } from "commander";

import { parseAddress, REASONS } from "@fairlead/model";
import { isEdgeError, quoteValue } from "@fairlead/runtime";
import {
  type ExplainResponse,
  explainToJson,
  type GetMembersResponse,
  GetMembersResponseSchema,
  rowToJson,
} from "@fairlead/wire";

import type { AdminClient } from "../admin-client.ts";
import { createAgentClient } from "../agent-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { formatChain, isWhole } from "../explain-view.ts";
import { formatMembers, roleOf } from "../members-view.ts";
import { type CommandContext, complain, exitOf, writeStructured } from "../output.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { AGENT_DEFAULT, agentOption, MEMBERS_MS_MAX, withAgent } from "./ask-agent.ts";

interface ExplainOptions extends AskOptions {
  readonly agent?: string;
}

const OUTSIDE_POOLS = REASONS.AddressOutsidePools.code;

/** Makes the command. `done` gets the exit code. */
export function explainCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  const command = new Command("explain")
    .description(
      "Show why something is served, or the first thing that keeps it from being so; " +
        "on a host with an agent also what a service address of nginx stands for.",
    )
    .argument(
      "<subject>",
      "NAMESPACE/NAME of a Service, an address, or the name of an agent or a pool",
    )
    .addOption(agentOption("Show whom this agent's kernel sends its connections to as well."));
  return addAskOptions(command).action(async (subject: string, options: ExplainOptions) => {
    done(
      await withClient(context, options.server, async (client) => {
        const explained = await explainOrMembers(client, subject, options);
        if (explained.kind === "members") {
          const { members } = explained;
          return tellRole(context, { subject, members, options });
        }
        const { answer } = explained;
        if (!answer.found) return notFound(context, subject, answer);
        if (options.agent !== undefined) {
          return await tellBoth(context, { subject, answer, options, agent: options.agent });
        }
        const members = isOutsidePools(answer)
          ? await membersOf(subject, AGENT_DEFAULT)
          : undefined;
        if (members !== undefined) return tellRole(context, { subject, members, options });
        if (!writeStructured(context, options.output, explainToJson(answer))) {
          context.out(formatChain(answer));
        }
        return exitOf(isWhole(answer));
      }),
    );
  });
}

/** What an address is on hosts of agents no controller knows. */
function isOutsidePools({ steps }: ExplainResponse): boolean {
  return steps.some(({ code }) => code === OUTSIDE_POOLS);
}

type Explained =
  | { readonly kind: "chain"; readonly answer: ExplainResponse }
  | { readonly kind: "members"; readonly members: GetMembersResponse };

/**
 * The controller's chain. Where none answers, as on hosts that run an agent alone, the agent tells
 * of an address that nobody else knows.
 */
async function explainOrMembers(
  client: AdminClient,
  subject: string,
  { agent = AGENT_DEFAULT }: ExplainOptions,
): Promise<Explained> {
  try {
    return { kind: "chain", answer: await client.explain(subject) };
  } catch (error) {
    const address = parseAddress(subject);
    if (!isEdgeError(error) || address === undefined) throw error;
    const members = await membersOf(subject, agent);
    const isKnown = members !== undefined && roleOf(address, members.listeners) !== undefined;
    if (!isKnown) throw error;
    return { kind: "members", members };
  }
}

/** What an agent, if there is one, has of an address. */
async function membersOf(subject: string, agent: string): Promise<GetMembersResponse | undefined> {
  // Its host is this one: who waits here, waits for nft.
  const onSlow = (): void => undefined;
  using client = createAgentClient({ agent, deadlineMs: MEMBERS_MS_MAX, onSlow });
  try {
    const answer = await client.getMembers(subject);
    return answer.listeners.length === 0 ? undefined : answer;
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    return undefined;
  }
}

/** The controller's chain, and below it what the agent has. */
async function tellBoth(
  context: CommandContext,
  asked: {
    readonly subject: string;
    readonly answer: ExplainResponse;
    readonly options: ExplainOptions;
    readonly agent: string;
  },
): Promise<ExitCode> {
  const { subject, answer, options, agent } = asked;
  const at = { agent, deadlineMs: MEMBERS_MS_MAX };
  return await withAgent(context, at, async (client) => {
    const members = await client.getMembers(subject);
    const isKnown = members.listeners.length > 0;
    if (isOutsidePools(answer) && isKnown) {
      return tellRole(context, { subject, members, options });
    }
    const chain = explainToJson(answer);
    const both = Object.assign({}, chain, { table: membersToJson(members) });
    if (!writeStructured(context, options.output, both)) {
      context.out(formatChain(answer));
      if (isKnown) context.out(`\n${tableOf(members, options)}`);
    }
    if (members.trouble !== "") context.err(`the agent at ${agent}: ${members.trouble}\n`);
    return exitOf(isWhole(answer));
  });
}

/** An address that is none of a pool's: what it is on the agent's host. */
function tellRole(
  context: CommandContext,
  asked: {
    readonly subject: string;
    readonly members: GetMembersResponse;
    readonly options: ExplainOptions;
  },
): ExitCode {
  const { subject, members, options } = asked;
  if (!writeStructured(context, options.output, { table: membersToJson(members) })) {
    const role = roleOf(parseAddress(subject) ?? subject, members.listeners);
    context.out(`${role ?? subject}\n\n${tableOf(members, options)}`);
  }
  return EXIT.good;
}

function membersToJson(members: GetMembersResponse): ReturnType<typeof rowToJson> {
  return rowToJson(GetMembersResponseSchema, members);
}

function tableOf({ listeners }: GetMembersResponse, { headers }: ExplainOptions): string {
  return formatMembers(listeners, { headings: headers });
}

function notFound(context: CommandContext, subject: string, answer: ExplainResponse): ExitCode {
  const similar = answer.similar.join(", ");
  return complain(
    context,
    {
      what: `there is nothing called ${quoteValue(subject)}`,
      why: "no Service, address, agent, pool or file of that name is known to the controller",
      remedy: similar === "" ? "Look at fairlead status." : `Did you mean ${similar}?`,
      code: "NOT_FOUND",
    },
    EXIT.notFound,
  );
}
