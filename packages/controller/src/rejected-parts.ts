// What agents did not take of their plans, in words: all of it, or what concerns one claim. Pure.
// Given the state of one agent's plan; it judges nothing anew.

import type { ResourceName } from "@fairlead/model";

import type { RejectedParts, SyncState } from "./ports.ts";

/** Of what concerns one claim so much is told before the rest is counted. */
const OWN_MAX = 3;

/** What is thought of an agent's plan, without its revisions. */
export type SyncJudgement = Omit<SyncState, "wanted" | "acked">;

/**
 * The same state as it concerns somebody whose resources these are: what is refused of others is
 * left out, and how the rest of the plan stands is said instead.
 */
export function syncStateFor(sync: SyncState, isOwn: (name: ResourceName) => boolean): SyncState {
  const { parts, reason: _, ...known } = sync;
  if (parts === undefined) return sync;
  const own = parts.refused.filter(([name]) => isOwn(name));
  return { ...known, ...(own.length === 0 ? parts.rest : tellRefused(own, OWN_MAX)) };
}

/** The first of what was refused, at most `toldMax`, and how many more there are. */
export function tellRefused(refused: RejectedParts["refused"], toldMax: number): SyncJudgement {
  const told = refused.slice(0, toldMax).map(([name, remark]) => `${name}: ${remark.detail}`);
  const others = refused.length - told.length;
  const more = others > 0 ? ` (and ${others} more)` : "";
  const reason = refused[0]?.[1].reason;
  const detail = `${told.join("; ")}${more}`;
  return { state: "rejected", detail, ...(reason === undefined ? {} : { reason }) };
}
