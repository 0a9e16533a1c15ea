// Operators' acts on their way through the loop: each waits for the next cycle, is judged by the
// world of that cycle, planned with it, and answered when what it changed is durable. Keeps what
// waits and nothing else.

import { type LeasedAddress, type World, patchMap } from "@fairlead/model";

import type { CycleView } from "../cycle-view.ts";
import type { Fact } from "../facts.ts";
import type { Written } from "../store-writer.ts";
import type { Act, ActResult, AllowedAct } from "./act.ts";
import { judgeAct } from "./judge-act.ts";

/** Acts that wait at the most; who asks for more is told so. */
const WAITING_MAX = 100;

/** The acts of one cycle. */
export interface ActsUnderWay {
  /** The world with them. */
  readonly world: World;
  /**
   * Answers those who asked.
   * @returns what the loop has to know from here on.
   */
  end(written: Written, trouble: string | undefined): readonly Fact[];
}

/** The acts that wait. */
export interface ActQueue {
  /**
   * Resolves when the act is durable, or is not done.
   * @param view of the loop: one that does not lead or is not ready does nothing.
   */
  ask(act: Act, view: Pick<CycleView, "lead" | "notReady">): Promise<ActResult>;
  /** Takes all that wait into a cycle. */
  begin(world: World): ActsUnderWay;
  /** Nothing that waits is done. `why`: what keeps the controller from it. */
  close(why: string): void;
}

interface Asked {
  readonly act: Act;
  readonly answer: (result: ActResult) => void;
}

/** Makes an empty queue. */
export function createActQueue(): ActQueue {
  let waiting: Asked[] = [];
  return {
    ask: (act, { lead, notReady }) =>
      new Promise((resolve) => {
        if (!lead.leads) resolve(elsewhere(lead.holder));
        else if (notReady !== undefined) resolve(failed(`nothing can be done now: ${notReady}`));
        else if (waiting.length < WAITING_MAX) waiting.push({ act, answer: resolve });
        else resolve(failed("too many are asked for at once"));
      }),
    begin: (world) => {
      const taken = waiting;
      waiting = [];
      return beginActs(world, taken);
    },
    close: (why) => {
      for (const { answer } of waiting) answer(failed(`nothing was done: ${why}`));
      waiting = [];
    },
  };
}

/** Whoever stands by can do nothing, however often it is asked. */
function elsewhere(leader: string | undefined): ActResult {
  const who = leader ?? "nobody";
  const remedy =
    leader === undefined ? "Try it again when one leads." : `Ask ${leader}, by --server.`;
  return { kind: "failed", why: [`nothing can be done here: ${who} leads`], remedy };
}

function failed(why: string): ActResult {
  return { kind: "failed", why: [why], remedy: "Try it again; look at fairlead status." };
}

function beginActs(world: World, taken: readonly Asked[]): ActsUnderWay {
  if (taken.length === 0) return { world, end: () => [] };
  let next = world;
  const allowed: { readonly asked: Asked; readonly act: AllowedAct }[] = [];
  for (const asked of taken) {
    const judged = judgeAct(next, asked.act);
    if (judged.kind !== "allowed") asked.answer(judged);
    else if ("isDryRun" in asked.act && asked.act.isDryRun) {
      asked.answer(doneBy(judged, []));
    } else {
      allowed.push({ asked, act: judged });
      next = withAct(next, judged);
    }
  }
  return {
    world: next,
    end: (written, trouble) => {
      const isDone = written === "durable";
      const why = trouble ?? "another controller took over";
      for (const { asked, act } of allowed) {
        asked.answer(isDone ? doneBy(act, act.did) : failed(`nothing was done: ${why}`));
      }
      return isDone ? allowed.flatMap(({ act }) => factsOf(act)) : [];
    },
  };
}

function doneBy(act: AllowedAct, did: readonly string[]): ActResult {
  const { will, moves = [], stays = [], remedy = "" } = act;
  return { kind: "done", will, did, moves, stays, remedy };
}

function withAct(world: World, act: AllowedAct): World {
  const rows = new Map<LeasedAddress["address"], LeasedAddress>();
  for (const lease of act.leases) rows.set(lease.address, lease);
  // An owner that no source shows is not known to be gone.
  const absent = act.owners.filter((claim) => !world.claims.has(claim));
  const { ends = [] } = act;
  const going = world.intents.filter(({ id }) => !ends.includes(id));
  return {
    ...world,
    intents: ends.length + act.intents.length === 0 ? world.intents : [...going, ...act.intents],
    leases: patchMap(world.leases, rows),
    absent: absent.length === 0 ? world.absent : new Set([...world.absent, ...absent]),
  };
}

function factsOf({ forgets, owners }: AllowedAct): readonly Fact[] {
  const facts: Fact[] = [];
  if (forgets !== undefined) facts.push({ kind: "agent-forgotten", agent: forgets });
  if (owners.length > 0) facts.push({ kind: "leases-imported", owners });
  return facts;
}
