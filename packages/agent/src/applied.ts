// What this agent has handed to its host so far, as values: the memory of the converging loop.
// It begins empty at every start; the daemons' own files make the first pass a quiet one.

import type {
  Address,
  LaneResource,
  ListenerResource,
  MemberSetResource,
  Remark,
  ResourceName,
  Revision,
  VipResource,
} from "@fairlead/model";
import type { ServicePlace } from "@fairlead/render";

import type { RefusedListeners } from "./refused-listeners.ts";
import type { Undecided } from "./undecided.ts";

/** A listener with its members, as nginx serves them. */
export interface ServedListener {
  readonly listener: ListenerResource;
  readonly members: MemberSetResource;
  readonly revision: Revision;
  readonly membersRevision: Revision;
  /** Where the kernel's table has its members; absent: they stand in nginx's file. */
  readonly place?: ServicePlace;
}

/** A lane with its VIPs, as keepalived carries it. */
export interface HeldLane {
  readonly lane: LaneResource;
  readonly vips: readonly VipResource[];
  /** Whether it leaves this host when the nginx for UDP cannot serve. */
  readonly servesUdp: boolean;
}

/** Why a resource of this revision was left out. */
export type Problem = Remark & { readonly revision: Revision };

/** What was handed over and accepted. Never changed in place. */
export interface Applied {
  /** Id of the nginx generation for TCP that was proved; absent before the first. */
  readonly generation?: string;
  /** The same of the instance for UDP; absent while nothing is served over UDP. */
  readonly udpGeneration?: string;
  /** Whether the instance for UDP has ended by our own hand: one of an earlier life may run. */
  readonly udpEnded: boolean;
  /** In the generation of their protocol, by the listener's name. */
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  /** Content of keepalived's file, as far as this life of the agent handed it over. */
  readonly held: ReadonlyMap<ResourceName, HeldLane>;
  /** Lanes in keepalived's file, by name. */
  readonly lanes: ReadonlyMap<ResourceName, Revision>;
  /** VIPs in keepalived's file. */
  readonly vips: ReadonlyMap<Address, Revision>;
  /** MAC addresses of strangers that have wanted addresses, by address. */
  readonly strangers: ReadonlyMap<Address, string>;
  /**
   * Addresses that are asked for in the next pass: they came although the segment could not be
   * asked, or they were asked for and did not come.
   */
  readonly unasked: ReadonlySet<Address>;
  /** VIPs that the agent has put on a device itself. */
  readonly attached: ReadonlyMap<Address, Revision>;
  /** What was left out and why, by resource. */
  readonly problems: ReadonlyMap<ResourceName, Problem>;
  /** What nginx had no time for, by protocol. */
  readonly undecided: ReadonlyMap<ListenerResource["protocol"], Undecided>;
  /** What nginx refused, and refuses as long as it is wanted as it was; by protocol. */
  readonly refused: ReadonlyMap<ListenerResource["protocol"], RefusedListeners>;
  /** Trouble that belongs to no resource. */
  readonly remarks: readonly Remark[];
}

/** Nothing handed over yet. */
export const NOTHING_APPLIED: Applied = {
  udpEnded: false,
  listeners: new Map(),
  held: new Map(),
  lanes: new Map(),
  vips: new Map(),
  strangers: new Map(),
  unasked: new Set(),
  attached: new Map(),
  problems: new Map(),
  undecided: new Map(),
  refused: new Map(),
  remarks: [],
};

/** What is applied when the nginx for one protocol serves this. */
export function withGeneration(
  applied: Applied,
  protocol: ListenerResource["protocol"],
  served: Pick<Applied, "listeners"> & {
    readonly generation: string | undefined;
    readonly ended?: true;
    readonly undecided: Undecided | undefined;
    readonly refused: RefusedListeners;
  },
): Applied {
  const { generation, udpGeneration, ...rest } = applied;
  const tcp = protocol === "tcp" ? served.generation : generation;
  const udp = protocol === "udp" ? served.generation : udpGeneration;
  const undecided = new Map(applied.undecided);
  if (served.undecided === undefined) undecided.delete(protocol);
  else undecided.set(protocol, served.undecided);
  return {
    ...rest,
    undecided,
    refused: new Map(applied.refused).set(protocol, served.refused),
    udpEnded: protocol === "udp" ? served.ended === true : applied.udpEnded,
    listeners: served.listeners,
    ...(tcp === undefined ? {} : { generation: tcp }),
    ...(udp === undefined ? {} : { udpGeneration: udp }),
  };
}
