// What one agent's word is worth: its view with whether its silence is already doubt. Given
// agents and the time; tells whether an agent says the same as last time.

import {
  type Address,
  type AgentName,
  type AgentView,
  type World,
  compareText,
  vipName,
} from "@fairlead/model";

import { staleAtMs } from "./stale.ts";

/** One agent as judging sees it. */
export interface Witness {
  readonly view: AgentView;
  /** Out of reach for so long that its last report may no longer hold. */
  readonly isStale: boolean;
  /** Addresses that it gave up so lately that a successor may not have spoken yet. */
  readonly handing: ReadonlySet<Address>;
  /** The same object as long as all that it says is the same, whenever it was said last. */
  readonly word: object;
}

/** All witnesses by name. */
export type Witnesses = ReadonlyMap<AgentName, Witness>;

/**
 * Longest time from the loser's word to the winner's, in ms: a takeover at adverts of 100 ms takes
 * a third of it, and an orderly one less.
 */
export const HANDOVER_MS = 1000;

/** Makes the witnesses; those that say the same as in `before` have the same word. */
export function callWitnesses(world: World, before: Witnesses | undefined): Witnesses {
  const { nowMs, settings } = world;
  const witnesses = new Map<AgentName, Witness>();
  for (const view of world.agents.values()) {
    const doubtMs = staleAtMs(view, settings);
    const isStale = doubtMs !== undefined && nowMs >= doubtMs;
    const known = before?.get(view.name);
    const handing = handedLately(view, nowMs);
    const isAlike = known?.isStale === isStale && isSameSet(known.handing, handing);
    const isSame = isAlike && saysSame(known.view, view);
    witnesses.set(view.name, { view, isStale, handing, word: isSame ? known.word : {} });
  }
  return witnesses;
}

function handedLately(view: AgentView, nowMs: number): ReadonlySet<Address> {
  const lost = [...(view.lostAtMs ?? [])].filter(([, lostMs]) => nowMs - lostMs < HANDOVER_MS);
  return new Set(lost.map(([address]) => address));
}

function isSameSet(a: ReadonlySet<Address>, b: ReadonlySet<Address>): boolean {
  return a.size === b.size && [...a].every((address) => b.has(address));
}

function saysSame(a: AgentView, b: AgentView): boolean {
  if (a === b) return true;
  return a.connected === b.connected && a.report === b.report && a.heldSinceMs === b.heldSinceMs;
}

/** Whether the agent's last report proves that its kernel has the address. */
export function provesHolding(view: AgentView, address: Address): boolean {
  const vip = view.report?.resources.get(vipName(address));
  if (vip?.step !== "serving") return false;
  return vip.evidence.some((evidence) => evidence.kind === "kernel-address");
}

/**
 * Those that say they hold the address, the most believable first: connected ones, then who came
 * to hold it later, then by name.
 */
export function holdersOf(address: Address, asked: readonly Witness[]): readonly Witness[] {
  const holders = asked.filter(({ view }) => provesHolding(view, address));
  if (holders.length < 2) return holders;
  const since = ({ view }: Witness): number => view.heldSinceMs.get(address) ?? 0;
  return holders.toSorted(
    (a, b) =>
      Number(b.view.connected) - Number(a.view.connected) ||
      since(b) - since(a) ||
      compareText(a.view.name, b.view.name),
  );
}
