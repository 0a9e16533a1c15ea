// When and what the input guard is told in a pass. Pure. What an address of ours shall answer for
// is known to the kernel before the address can appear there, and forgotten after it is gone; a
// port that is given up is closed before nginx lets go of it, or the host's own service answers.

import type {
  Address,
  AgentName,
  LaneResource,
  ListenerResource,
  ResourceName,
} from "@fairlead/model";

import type { Applied, ServedListener } from "./applied.ts";
import type { Guarded, GuardedLane, LedgerEntry } from "./ports.ts";

/** The host takes for these addresses what it serves, and nothing else. */
export interface GuardStep {
  readonly kind: "guard";
  readonly vips: readonly Address[];
  readonly lanes: readonly GuardedLane[];
  /** Listeners that serve still and are to be closed, also where nginx does not let go of them. */
  readonly without: readonly ResourceName[];
  /** Whether what was guarded before, and is not named here, is guarded no more. */
  readonly exactly: boolean;
}

/** What the steps are made of. */
export interface GuardInput {
  readonly agent: AgentName;
  readonly applied: Applied;
  /** Those that nginx is about to serve. */
  readonly listeners: readonly ServedListener[];
  readonly lanes: readonly LaneResource[];
  /** Everything that may be on the host in this pass. */
  readonly touched: readonly LedgerEntry[];
  /** Everything that may be on the host after it. */
  readonly kept: readonly LedgerEntry[];
}

/** The steps around the others of a pass. */
export interface GuardSteps {
  /** Before nginx lets go of listeners; empty when it does not. */
  readonly closing: readonly GuardStep[];
  /** After nginx serves, and before an address is handed over. */
  readonly opening: GuardStep;
  /** When what had to go is gone. */
  readonly ending: GuardStep;
}

/** Makes the steps. An address that was on the host before us is never in them. */
export function guardSteps(input: GuardInput): GuardSteps {
  const { agent, applied, lanes, touched, kept } = input;
  const wanted = new Set(input.listeners.map(({ listener }) => listener.name));
  const without = [...applied.listeners.keys()].filter((name) => !wanted.has(name));
  const common = { kind: "guard", lanes: lanes.map((lane) => guardedLane(lane, agent)) } as const;
  const opening = { ...common, vips: ownAddresses(touched), without, exactly: false };
  return {
    closing: without.length > 0 ? [opening] : [],
    opening,
    ending: { ...common, vips: ownAddresses(kept), without, exactly: true },
  };
}

/** What a step asks for, where these listeners are served. */
export function guardedBy(
  { vips, lanes, without }: GuardStep,
  served: ReadonlyMap<ResourceName, { readonly listener: ListenerResource }>,
): Guarded {
  const closed = new Set(without);
  const open = [...served.values()].filter(({ listener }) => !closed.has(listener.name));
  return { vips, lanes, listeners: open.map(({ listener }) => listener) };
}

function guardedLane({ link, order }: LaneResource, agent: AgentName): GuardedLane {
  const others = order.filter((peer) => peer.agent !== agent);
  return { link, peers: others.map(({ address }) => address) };
}

/** Each once: one that goes from a device to another has two entries. */
function ownAddresses(entries: readonly LedgerEntry[]): readonly Address[] {
  const own = entries.filter(({ foreign }) => !foreign);
  return [...new Set(own.map(({ address }) => address))];
}
