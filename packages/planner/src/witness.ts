// What one agent's word is worth: its view with whether its silence is already doubt. Given
// agents and the time; one witness object lasts as long as what it says is the same.

import {
  type Address,
  type AgentName,
  type AgentView,
  type World,
  compareText,
  vipName,
} from "@fairlead/model";

/** One agent as judging sees it. */
export interface Witness {
  readonly view: AgentView;
  /** Out of reach for so long that its last report may no longer hold. */
  readonly isStale: boolean;
}

/** All witnesses by name. */
export type Witnesses = ReadonlyMap<AgentName, Witness>;

/** Makes the witnesses; those of `before` that say the same stay the same objects. */
export function callWitnesses(world: World, before: Witnesses | undefined): Witnesses {
  const { nowMs, settings } = world;
  const witnesses = new Map<AgentName, Witness>();
  for (const view of world.agents.values()) {
    const goneMs = view.connected ? undefined : nowMs - (view.disconnectedAtMs ?? nowMs);
    const isStale = goneMs !== undefined && goneMs >= settings.staleAfterMs;
    const known = before?.get(view.name);
    const isSame = known?.view === view && known.isStale === isStale;
    witnesses.set(view.name, isSame ? known : { view, isStale });
  }
  return witnesses;
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
