// Following moves until they are made: asks the controller for its lanes again and again, and says
// what is new, a line a lane. What is followed goes on when nobody follows it any more. A drain
// that leaves something on its agent does not end well, for whoever reboots the host next.

import { formatDuration, isEdgeError } from "@fairlead/runtime";
import type { ActResultRow, ListLanesResponse } from "@fairlead/wire";

import type { AdminClient } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type MoveCause, type MoveProgress, createMoveProgress } from "../move-progress.ts";
import {
  type CommandContext,
  complain,
  exitOf,
  type OutputForm,
  writeStructured,
} from "../output.ts";

/** Time between two questions, in ms. */
const EVERY_MS = 100;

/** How moves are followed. */
export interface FollowOptions {
  readonly output: OutputForm;
  /** This long at the most. */
  readonly timeoutMs: number;
  readonly cause: MoveCause;
}

/** Says what would be done, where a table's form did not say it already. */
export function tellPlanned(
  context: CommandContext,
  planned: ActResultRow,
  { output, cause }: FollowOptions,
): ExitCode {
  const progress = createMoveProgress({ moves: planned.moves, cause });
  writeStructured(context, output, valueOf(planned, progress));
  return EXIT.good;
}

/** Follows what an act began. */
export async function followMoves(
  context: CommandContext,
  client: AdminClient,
  result: ActResultRow,
  { output, timeoutMs, cause }: FollowOptions,
): Promise<ExitCode> {
  const progress = createMoveProgress({ moves: result.moves, cause });
  const isText = output === "table" || output === "wide";
  const endMs = Date.now() + timeoutMs;
  let isInterrupted = false;
  using _ = context.onInterrupt(() => (isInterrupted = true));
  while (!progress.isOver) {
    const list = await askOnce(client, Date.now() >= endMs);
    for (const line of list === undefined ? [] : progress.see(list)) {
      if (isText) context.out(`${line}\n`);
    }
    if (progress.isOver || isInterrupted || Date.now() >= endMs) break;
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  writeStructured(context, output, valueOf(result, progress));
  const isKept = tellKept(context, result);
  if (progress.isOver) return exitOf(progress.isGood && !isKept);
  const left = progress.moves.filter(({ state }) => state === "waiting" || state === "moving");
  const why = isInterrupted ? "interrupted" : `not done within ${formatDuration(timeoutMs)}`;
  const lanes = left.map(({ lane }) => lane).join(", ");
  context.err(`${why}: ${lanes}; it goes on without you, look at fairlead agents\n`);
  return isInterrupted ? EXIT.interrupted : EXIT.bad;
}

/** A controller that is just being started anew is waited for; at the end it is an error. */
async function askOnce(
  client: AdminClient,
  isLast: boolean,
): Promise<ListLanesResponse | undefined> {
  try {
    return await client.listLanes();
  } catch (error) {
    const isStarting = isEdgeError(error, "UNREACHABLE") || isEdgeError(error, "NOT_READY");
    if (isLast || !isStarting) throw error;
    return undefined;
  }
}

/** Says what a drained agent keeps; what never moves is no fault of the drain. */
function tellKept(context: CommandContext, { stays, remedy }: ActResultRow): boolean {
  const inLanes = stays.filter(({ lane }) => lane !== "");
  if (inLanes.length === 0) return false;
  const addresses = inLanes.flatMap((one) => one.addresses);
  const count = addresses.length === 1 ? "1 address" : `${addresses.length} addresses`;
  complain(
    context,
    {
      what: `drained, but not empty: it keeps ${count}: ${addresses.join(", ")}`,
      why: inLanes.map(({ lane, why }) => `lane ${lane}: ${why}`).join("\n        "),
      remedy,
      code: "NOT_EMPTY",
    },
    EXIT.bad,
  );
  return true;
}

function valueOf({ will, did, stays }: ActResultRow, { moves }: MoveProgress): unknown {
  const kept = stays.map(({ lane, addresses, why }) => ({ lane, addresses, why }));
  return { will, did, moves, stays: kept };
}
