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
  /** The same object as long as all that it says is the same, whenever it was said last. */
  readonly word: object;
}

/** All witnesses by name. */
export type Witnesses = ReadonlyMap<AgentName, Witness>;

/** Makes the witnesses; those that say the same as in `before` have the same word. */
export function callWitnesses(world: World, before: Witnesses | undefined): Witnesses {
  const { nowMs, settings } = world;
  const witnesses = new Map<AgentName, Witness>();
  for (const view of world.agents.values()) {
    const doubtMs = staleAtMs(view, settings);
    const isStale = doubtMs !== undefined && nowMs >= doubtMs;
    const known = before?.get(view.name);
    const isSame = known?.isStale === isStale && saysSame(known.view, view);
    witnesses.set(view.name, { view, isStale, word: isSame ? known.word : {} });
  }
  return witnesses;
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
