// Freezing and thawing: nothing moves by our will while all is frozen. Pure. Neither is ever
// refused, and both may be said twice.

import type { World } from "@fairlead/model";

import type { AllowedAct } from "./act.ts";
import { timeText } from "./time-text.ts";

/** Judges a freeze. */
export function judgeFreeze(world: World): AllowedAct {
  const known = world.intents.find(({ kind }) => kind === "freeze");
  const sinceMs = known?.sinceMs ?? world.nowMs;
  return {
    ...NOTHING,
    will: ["nothing moves by our will; VRRP still moves what a host loses, and that is followed"],
    did: [`frozen since ${timeText(sinceMs)}; fairlead thaw ends it`],
    intents: known === undefined ? [{ id: "freeze", sinceMs, kind: "freeze" }] : [],
  };
}

/** Judges its end. */
export function judgeThaw(world: World): AllowedAct {
  const ends = world.intents.flatMap(({ id, kind }) => (kind === "freeze" ? [id] : []));
  const waiting = world.intents.filter(({ kind }) => WAITING.has(kind)).length;
  const rest = waiting === 0 ? "" : `; ${waiting} of drains, moves and rebalances go on now`;
  const did = ends.length === 0 ? "nothing was frozen" : `thawed${rest}`;
  return { ...NOTHING, will: [], did: [did], ends };
}

const WAITING: ReadonlySet<string> = new Set(["drain", "move", "rebalance"]);

const NOTHING = { kind: "allowed", intents: [], leases: [], owners: [] } as const;
