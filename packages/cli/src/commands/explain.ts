// `fairlead explain`: the chain from what asks to the proof, and the first link that is broken. The
// controller knows it; what stands behind the addresses that nginx connects from, an agent, which
// is asked where no controller answers as well.

import { Command } from "commander";

import { SERVICE_NETWORKS } from "@fairlead/agent";
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
import { formatMembers, networkAround, type Role, roleOf } from "../members-view.ts";
import { type CommandContext, complain, exitOf, writeStructured } from "../output.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { AGENT_DEFAULT, agentOption, MEMBERS_MS_MAX, withAgent } from "./ask-agent.ts";
import { unread } from "./members.ts";

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
        if (isOutsidePools(answer)) {
          const members = await membersOf(subject, AGENT_DEFAULT);
          if (members !== undefined) return tellRole(context, { subject, members, options });
          const network = networkAround(subject, SERVICE_NETWORKS);
          if (network !== undefined) return notHere(context, subject, network);
        }
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
    if (!isEdgeError(error) || parseAddress(subject) === undefined) throw error;
    const members = await membersOf(subject, agent);
    if (members === undefined || roleIn(members, subject) === undefined) throw error;
    return { kind: "members", members };
  }
}

/** What an agent, if there is one, has of an address; undefined: nothing. */
async function membersOf(subject: string, agent: string): Promise<GetMembersResponse | undefined> {
  // Its host is this one: who waits here, waits for nft.
  const onSlow = (): void => undefined;
  using client = createAgentClient({ agent, deadlineMs: MEMBERS_MS_MAX, onSlow });
  try {
    const answer = await client.getMembers(subject);
    return isSomething(answer, subject) ? answer : undefined;
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
    if (isOutsidePools(answer) && isSomething(members, subject)) {
      return tellRole(context, { subject, members, options });
    }
    const chain = explainToJson(answer);
    const both = Object.assign({}, chain, { table: membersToJson(members) });
    if (!writeStructured(context, options.output, both)) {
      context.out(formatChain(answer));
      if (members.listeners.length > 0) context.out(`\n${tableOf(members, options)}`);
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
  if (members.trouble !== "") return unread(context, members.trouble);
  const role = roleIn(members, subject);
  if (role?.kind === "unused") return unused(context, subject, role.network);
  if (!writeStructured(context, options.output, { table: membersToJson(members) })) {
    context.out(`${role?.words ?? subject}\n`);
    if (members.listeners.length > 0) context.out(`\n${tableOf(members, options)}`);
  }
  return EXIT.good;
}

/** What a subject is to an agent. */
function roleIn(members: GetMembersResponse, subject: string): Role | undefined {
  return roleOf(parseAddress(subject) ?? subject, members);
}

/** Whether an agent has anything of the subject, or knows what it is. */
function isSomething(members: GetMembersResponse, subject: string): boolean {
  return members.listeners.length > 0 || roleIn(members, subject) !== undefined;
}

function unused(context: CommandContext, subject: string, network: string): ExitCode {
  return complain(
    context,
    {
      what: `${subject} is a service address that stands for nothing on this host`,
      why: `the host takes service addresses of ${network}, and no listener or connection has it`,
      remedy:
        "Ask on the host where it was seen: each host has its own. " +
        "Run fairlead agents members for those of this one.",
      code: "NOT_FOUND",
    },
    EXIT.notFound,
  );
}

/** It lies in no pool, and where hosts have service addresses unless they are told otherwise. */
function notHere(context: CommandContext, subject: string, network: string): ExitCode {
  return complain(
    context,
    {
      what: `${subject} is a service address, which its own host alone can explain`,
      why: `hosts take these of ${network}, each for itself, and no agent on this one has any`,
      remedy:
        "Run this on the host where it was seen: an agent answers on its own loopback alone, " +
        "unless --listen-debug says otherwise; then name it with --agent.",
      code: "NO_AGENT",
    },
    EXIT.unreachable,
  );
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
