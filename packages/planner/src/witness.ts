// What one agent's word is worth: its view with whether its silence is already doubt. Given
// agents and the time.

import {
  type Address,
  type AgentName,
  type AgentView,
  type World,
  compareText,
  vipName,
} from "@fairlead/model";

import { isStale } from "./stale.ts";

/** One agent as judging sees it. */
export interface Witness {
  readonly view: AgentView;
  /** Out of reach for so long that its last report may no longer hold. */
  readonly isStale: boolean;
  /** Addresses that it gave up so lately that a successor may not have spoken yet. */
  readonly handing: ReadonlySet<Address>;
}

/** All witnesses by name. */
export type Witnesses = ReadonlyMap<AgentName, Witness>;

/**
 * Longest time from the loser's word to the winner's, in ms: a takeover at adverts of 100 ms takes
 * a third of it, and an orderly one less.
 */
export const HANDOVER_MS = 1000;

/** Makes the witnesses. */
export function callWitnesses(world: World): Witnesses {
  const witnesses = new Map<AgentName, Witness>();
  for (const view of world.agents.values()) {
    const handing = handedLately(view, world.nowMs);
    witnesses.set(view.name, { view, isStale: isStale(view, world), handing });
  }
  return witnesses;
}

function handedLately(view: AgentView, nowMs: number): ReadonlySet<Address> {
  const lost = [...(view.lostAtMs ?? [])].filter(([, lostMs]) => nowMs - lostMs < HANDOVER_MS);
  return new Set(lost.map(([address]) => address));
}

/** Whether the agent's last report proves that its kernel has the address. */
export function provesHolding(view: AgentView, address: Address): boolean {
  return provesHoldingOf(view, vipName(address));
}

function provesHoldingOf(view: AgentView, name: VipName): boolean {
  const vip = view.report?.resources.get(name);
  if (vip?.step !== "serving") return false;
  return vip.evidence.some((evidence) => evidence.kind === "kernel-address");
}

type VipName = ReturnType<typeof vipName>;

/**
 * Those that say they hold the address, the most believable first: connected ones, then who came
 * to hold it later, then by name.
 */
export function holdersOf(address: Address, asked: readonly Witness[]): readonly Witness[] {
  const name = vipName(address);
  const holders = asked.filter(({ view }) => provesHoldingOf(view, name));
  if (holders.length < 2) return holders;
  const since = ({ view }: Witness): number => view.heldSinceMs.get(address) ?? 0;
  return holders.toSorted(
    (a, b) =>
      Number(b.view.connected) - Number(a.view.connected) ||
      since(b) - since(a) ||
      compareText(a.view.name, b.view.name),
  );
}
