// What every command that asks one agent shares: where it listens, the client, and errors as exit
// codes. An agent listens on the loopback of its own host.

import { Option } from "commander";

import { describeError, isEdgeError } from "@fairlead/runtime";

import { type AgentClient, createAgentClient } from "../agent-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain } from "../output.ts";
import { readPlace } from "./place.ts";

/** Where an agent listens for people, unless it was told otherwise. */
export const AGENT_DEFAULT = "127.0.0.1:7712";

/** Longest wait for the table of members, in ms: nft lists 240 000 slots in some seconds. */
export const MEMBERS_MS_MAX = 30_000;

/** Makes --agent, without a default. */
export function agentOption(help: string): Option {
  return new Option("--agent <host:port>", help).env("FAIRLEAD_AGENT").argParser(readPlace);
}

/** Runs `ask` with a client; every failure to reach the agent becomes its exit code. */
export async function withAgent(
  context: CommandContext,
  options: { readonly agent: string; readonly deadlineMs: number },
  ask: (client: AgentClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const onSlow = (): void => context.err(`waiting for the agent at ${options.agent}\n`);
  using client = createAgentClient({ ...options, onSlow });
  try {
    return await ask(client);
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    const complaint = {
      what: "the agent did not answer the question",
      why: describeError(error),
      remedy: "Run this on a host with an agent, or name it with --agent or FAIRLEAD_AGENT.",
      code: error.code,
    };
    return complain(context, complaint, EXIT.unreachable);
  }
}
