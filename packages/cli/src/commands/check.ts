// `fairlead check address`: who has an address on the segment of an agent, asked now. The question
// goes to the agent of this host, and not to the controller, which is on no segment. With `--host`
// it is the host itself that is looked at.

import { Command, Option } from "commander";

import { AGENT_SETTINGS, SERVICE_NETWORKS } from "@fairlead/agent";
import { type AskSegmentResponse, AskSegmentResponseSchema, rowToJson } from "@fairlead/wire";

import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type CommandContext, complain, exitOf, OUTPUT_FORMS, writeStructured } from "../output.ts";
import { AGENT_DEFAULT, agentOption, withAgent } from "./ask-agent.ts";
import { type CheckHostOptions, runCheckHost } from "./check-host.ts";

interface CheckOptions extends CheckHostOptions {
  readonly agent: string;
  readonly host: boolean;
}

/** Longest wait for the agent's answer, in ms; the segment has two tenths of a second. */
const DEADLINE_MS = 5000;

/** Makes the command. `done` gets the exit code. */
export function checkCommand(context: CommandContext, done: (code: ExitCode) => void): Command {
  return new Command("check")
    .description(
      "With --host: look whether this host is fit for an agent, and change nothing. " +
        "With an address: ask the segment of an agent who has it; good when nobody else has.",
    )
    .argument("[what]", "the word address")
    .argument("[address]", "an IPv4 or IPv6 address")
    .option("--host", "Look at this host; run it as the agent's user.", false)
    .addOption(agentOption("Where the agent's AgentDebugService listens.").default(AGENT_DEFAULT))
    .addOption(folderOption("--run-dir <dir>", "runDir").env("FAIRLEAD_RUN_DIR"))
    .addOption(folderOption("--state-dir <dir>", "stateDir").env("FAIRLEAD_STATE_DIR"))
    .addOption(
      new Option("--link <device>", "With --host: the agent's --link; all devices without it.").env(
        "FAIRLEAD_LINK",
      ),
    )
    .addOption(
      new Option("--service-networks <cidrs...>", "With --host: the agent's --service-networks.")
        .default(SERVICE_NETWORKS)
        .env("FAIRLEAD_SERVICE_NETWORKS")
        .argParser(addNetworks),
    )
    .addOption(
      new Option("-o, --output <form>", "The form of the answer.")
        .choices(OUTPUT_FORMS)
        .default("table"),
    )
    .action(async (what: string | undefined, address: string | undefined, of: CheckOptions) => {
      done(await checkWhat(context, { what, address }, of));
    });
}

function folderOption(flags: string, key: "runDir" | "stateDir"): Option {
  const help = `With --host: the agent's ${flags.replace(/ .*/, "")}.`;
  return new Option(flags, help).default(AGENT_SETTINGS[key].default);
}

/** What the agent takes many times; a variable holds them with white space between. */
function addNetworks(text: string, before: readonly string[]): readonly string[] {
  const given = text.split(/\s+/u).filter((part) => part !== "");
  return before === SERVICE_NETWORKS ? given : [...before, ...given];
}

async function checkWhat(
  context: CommandContext,
  asked: { readonly what: string | undefined; readonly address: string | undefined },
  options: CheckOptions,
): Promise<ExitCode> {
  if (options.host && asked.what === undefined) return await runCheckHost(context, options);
  const isAddress = asked.what === "address";
  if (!options.host && isAddress && asked.address !== undefined) {
    return await check(context, asked.address, options);
  }
  const complaint = {
    what: options.host ? "a host and an address are two questions" : "there is nothing to check",
    why: "check takes --host, or the word address with one",
    remedy: "Run fairlead check --host, or fairlead check address 192.0.2.10.",
    code: "USAGE",
  };
  return complain(context, complaint, EXIT.usage);
}

async function check(
  context: CommandContext,
  address: string,
  { agent, output }: CheckOptions,
): Promise<ExitCode> {
  return await withAgent(context, { agent, deadlineMs: DEADLINE_MS }, async (client) => {
    const answer = await client.askSegment(address);
    if (answer.trouble !== "") return unasked(context, answer);
    if (!writeStructured(context, output, rowToJson(AskSegmentResponseSchema, answer))) {
      context.out(`${sentence(answer)}\n`);
    }
    return exitOf(answer.who !== "stranger");
  });
}

function unasked(context: CommandContext, { address, trouble }: AskSegmentResponse): ExitCode {
  const isUsage = address === "";
  const complaint = {
    what: isUsage ? "there is nothing to ask for" : `nobody could be asked for ${address}`,
    why: trouble,
    remedy: isUsage ? "Give an IPv4 or IPv6 address." : "Look at the agent's log.",
    code: isUsage ? "USAGE" : "FAILED",
  };
  return complain(context, complaint, isUsage ? EXIT.usage : EXIT.bad);
}

function sentence({ address, link, who, mac }: AskSegmentResponse): string {
  switch (who) {
    case "nobody":
      return `nobody answers for ${address} on ${link}`;
    case "here":
      return `this host has ${address} on ${link}`;
    case "peer":
      return `${mac}, a load-balancer host of ours, answers for ${address} on ${link}`;
    default:
      return `${mac}, which is none of our hosts, answers for ${address} on ${link}`;
  }
}
