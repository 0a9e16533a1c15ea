// Following moves until they are made: asks the controller for its lanes again and again, and says
// what is new, a line a lane. What is followed goes on when nobody follows it any more.

import { formatDuration, isEdgeError } from "@fairlead/runtime";
import type { ActResultRow, ListLanesResponse } from "@fairlead/wire";

import type { AdminClient } from "../admin-client.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type MoveCause, type MoveProgress, createMoveProgress } from "../move-progress.ts";
import { type CommandContext, exitOf, type OutputForm, writeStructured } from "../output.ts";

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
  if (progress.isOver) return exitOf(progress.isGood);
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
    if (isLast || !isEdgeError(error, "UNREACHABLE")) throw error;
    return undefined;
  }
}

function valueOf({ will, did }: ActResultRow, { moves }: MoveProgress): unknown {
  return { will, did, moves };
}
