// `fairlead drain`, `uncordon`, `move`, `rebalance`, `freeze` and `thaw`: what operators ask of
// lanes. Each says first what it will do and what ends by it, then what became of it, lane by lane.

import { Command, InvalidArgumentError, Option } from "commander";

import { DURATION_FORMS, parseDuration } from "@fairlead/runtime";
import { ActOutcome, type ActResultRow, type LaneMove } from "@fairlead/wire";

import { tellAct } from "../act-view.ts";
import type { AdminClient } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { MoveCause } from "../move-progress.ts";
import { type CommandContext, typed, writeStructured } from "../output.ts";
import { addAskOptions, type AskOptions, withClient } from "./ask.ts";
import { followMoves, tellPlanned } from "./follow-moves.ts";

type Done = (code: ExitCode) => void;

interface MoveOptions extends AskOptions {
  readonly dryRun?: boolean;
  /** Ms. */
  readonly timeout: number;
}

/** How long moves are followed where nothing else is said, in ms. */
const TIMEOUT_MS = 60_000;

/** Makes `fairlead drain`. `done` gets the exit code. */
export function drainCommand(context: CommandContext, done: Done): Command {
  const command = new Command("drain")
    .description("Have others hold what an agent holds, until it is uncordoned.")
    .argument("<agent>", "the agent's name");
  return addMoveOptions(command).action(async (name: string, options: MoveOptions) => {
    done(
      await act(context, options, {
        ask: (client, dryRun) => client.drainAgent(name, dryRun),
        undone: `${typed(name)} is not drained`,
        cause: "drain",
      }),
    );
  });
}

/** Makes `fairlead uncordon`. `done` gets the exit code. */
export function uncordonCommand(context: CommandContext, done: Done): Command {
  const command = new Command("uncordon")
    .description(
      "Let a drained agent hold addresses again; only what waited for it moves by itself.",
    )
    .argument("<agent>", "the agent's name");
  return addAskOptions(command).action(async (name: string, options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) =>
        tell(
          context,
          options,
          await client.uncordonAgent(name),
          `${typed(name)} is not uncordoned`,
        ),
      ),
    );
  });
}

/** Makes `fairlead move`. `done` gets the exit code. */
export function moveCommand(context: CommandContext, done: Done): Command {
  const command = new Command("move")
    .description("Have another agent hold an address, with all that ride in its lane.")
    .argument("<address>", "the address")
    .requiredOption("--to <agent>", "The agent that is to hold it.");
  return addMoveOptions(command).action(
    async (address: string, options: MoveOptions & { readonly to: string }) => {
      done(
        await act(context, options, {
          ask: (client, dryRun) => client.moveAddress(address, options.to, dryRun),
          undone: `${typed(address)} is not moved`,
          cause: "move",
        }),
      );
    },
  );
}

/** Makes `fairlead rebalance`. `done` gets the exit code. */
export function rebalanceCommand(context: CommandContext, done: Done): Command {
  const command = new Command("rebalance").description(
    "Even out what agents hold: one lane after the other, each when the one before is held.",
  );
  return addMoveOptions(command).action(async (options: MoveOptions) => {
    done(
      await act(context, options, {
        ask: (client, dryRun) => client.rebalance(dryRun),
        undone: "nothing is rebalanced",
        cause: "rebalance",
      }),
    );
  });
}

/** Makes `fairlead freeze`. `done` gets the exit code. */
export function freezeCommand(context: CommandContext, done: Done): Command {
  return frozenCommand(context, done, {
    name: "freeze",
    description: "Let nothing move by the controller's will; what a host loses still moves.",
    isFrozen: true,
  });
}

/** Makes `fairlead thaw`. `done` gets the exit code. */
export function thawCommand(context: CommandContext, done: Done): Command {
  return frozenCommand(context, done, {
    name: "thaw",
    description: "Let things move again; what waited goes on.",
    isFrozen: false,
  });
}

function frozenCommand(
  context: CommandContext,
  done: Done,
  {
    name,
    description,
    isFrozen,
  }: Readonly<Record<"name" | "description", string>> & {
    readonly isFrozen: boolean;
  },
): Command {
  const command = new Command(name).description(description);
  return addAskOptions(command).action(async (options: AskOptions) => {
    done(
      await withClient(context, options.server, async (client) =>
        tell(context, options, await client.setFrozen(isFrozen), `${name} changed nothing`),
      ),
    );
  });
}

function tell(
  context: CommandContext,
  { output }: AskOptions,
  result: ActResultRow,
  undone: string,
): ExitCode {
  const { outcome, will, did, moves } = result;
  const isDone = outcome === ActOutcome.DONE;
  const value = { will, did, moves: moves.map(plainMove) };
  if (isDone && writeStructured(context, output, value)) return EXIT.good;
  return tellAct(context, result, undone);
}

function plainMove({ lane, from, to, addresses }: LaneMove): unknown {
  return { lane, from, to, addresses };
}

function addMoveOptions(command: Command): Command {
  const timeout = new Option("--timeout <time>", "Follow the moves for this long at the most.")
    .argParser((text: string) => {
      const ms = parseDuration(text);
      if (ms === undefined) throw new InvalidArgumentError(`Give ${DURATION_FORMS}.`);
      return ms;
    })
    .default(TIMEOUT_MS, "1m");
  return addAskOptions(command)
    .option("--dry-run", "Say what would be done, and change nothing.")
    .addOption(timeout);
}

interface Asked {
  readonly ask: (client: AdminClient, dryRun: boolean) => Promise<ActResultRow>;
  /** What was not done when it is refused. */
  readonly undone: string;
  readonly cause: MoveCause;
}

/** Says the plan before it asks for it: whoever reads it may still press Ctrl-C. */
async function act(
  context: CommandContext,
  { server, output, dryRun = false, timeout }: MoveOptions,
  { ask, undone, cause }: Asked,
): Promise<ExitCode> {
  const isText = output === "table" || output === "wide";
  return await withClient(context, server, async (client) => {
    const planned = await ask(client, true);
    if (planned.outcome !== ActOutcome.DONE) return tellAct(context, planned, undone);
    if (isText) for (const line of planned.will) context.out(`will: ${line}\n`);
    const given = { output, timeoutMs: timeout, cause };
    if (dryRun) return tellPlanned(context, planned, given);
    const result = await ask(client, false);
    if (result.outcome !== ActOutcome.DONE) return tellAct(context, result, undone);
    if (isText) for (const line of result.did) context.out(`done: ${line}\n`);
    return await followMoves(context, client, result, given);
  });
}
