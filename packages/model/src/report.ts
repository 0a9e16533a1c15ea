// What an agent is, and what it proves. Everything here was observed on the agent's host; a
// report never says what ought to be.

import type { Address } from "./address.ts";
import type { Prefix } from "./cidr.ts";
import type { LanePeer } from "./lane.ts";
import type { AgentName, DeviceName } from "./name.ts";
import type { ResourceName, Revision } from "./node-plan.ts";
import type { Remark } from "./reason.ts";

/** What an agent's build and host can do; unknown ones are ignored. */
export type Capability =
  | "vrrp"
  | "nginx-stream"
  | "ipv6"
  | "kernel-datapath"
  | "host-addresses"
  /** It says of lanes whether it hears their holders, and can listen without running one. */
  | "hearing";

/** A device of an agent's host. VIPs and anchors never stand among its prefixes. */
export interface Link {
  readonly name: DeviceName;
  readonly mac: string;
  /** Administratively up and with carrier. */
  readonly up: boolean;
  /** The one given by `--link`, or the one with the default route. At most one. */
  readonly primary: boolean;
  readonly prefixes: readonly Prefix[];
}

/** What an agent says first on a stream. */
export interface AgentHello {
  readonly agent: AgentName;
  /** Changes with every boot of the host. */
  readonly bootId: string;
  readonly version: string;
  readonly capabilities: readonly Capability[];
  readonly links: readonly Link[];
  /** Highest leader epoch obeyed, 0 for none. */
  readonly epoch: number;
  /** Revision of the whole plan that is in force; absent before the first. */
  readonly planRevision?: Revision;
}

/**
 * How far a resource has come. `received`: stored in memory. `validated`: the daemon's checker
 * accepts it. `applied`: handed to the daemon. `serving`: seen in the kernel or in the answering
 * generation. A VIP is `applied` on a successor and `serving` on the host whose kernel has it.
 */
export type Step = "received" | "validated" | "applied" | "serving";

/** Kinds of proof, each with what was seen. */
export type Evidence =
  /** The kernel of this host has the address on this device. */
  | { readonly kind: "kernel-address"; readonly link: DeviceName }
  /**
   * The nginx generation that answers on the probe socket contains the listener. Its id is that of
   * the protocol in `dataPlane`: each reload changes it for all listeners at once, and a report
   * would name them all again.
   */
  | { readonly kind: "generation" }
  /** A successor asked the segment and got this MAC; empty: nobody answered. */
  | { readonly kind: "neighbour"; readonly mac: string; readonly seenBy: AgentName };

/** What an agent proves of one resource. */
export interface ResourceReport {
  readonly name: ResourceName;
  /** Revision that reached `step`: what really serves, which may be older than the wanted one. */
  readonly revision: Revision;
  readonly step: Step;
  readonly evidence: readonly Evidence[];
  /** Why the wanted revision is not served, in the daemon's words. */
  readonly problem?: Remark & { readonly revision: Revision };
}

/** State of one lane on one agent, from the kernel and keepalived. */
export interface LaneReport {
  readonly name: ResourceName;
  readonly state: "holder" | "successor" | "fault" | "absent";
  /**
   * Its agents as the agent's keepalived has them, and as its plan has them where keepalived does
   * not run the lane; absent from agents that do not say it.
   */
  readonly order?: readonly LanePeer[];
  /**
   * Of a lane that it took over: from the last advert of another agent that came in until its own
   * host had the lane, in ms. Absent where none came in for a minute, or the agent does not say it.
   */
  readonly silenceMs?: number;
}

/**
 * Whether an agent hears the adverts of a lane's holder. `unheard`: it does not, although the
 * holder's own address answers it, or another host of the lane does for the lane's anchor.
 * `unable`: its host has no means to hear.
 */
export interface LaneHearing {
  readonly lane: ResourceName;
  readonly state: "heard" | "unheard" | "unable";
  /** Whom it is said of; absent from agents that do not say it. */
  readonly holder?: AgentName;
}

/** State of the data plane of one agent. */
export interface DataPlaneReport {
  /** Id of the answering generation of the nginx for TCP; absent when none answers. */
  readonly generation?: string;
  /** The same of the nginx for UDP, which runs only while something is served there. */
  readonly udpGeneration?: string;
  /** Generations with living workers, the answering one included. */
  readonly generationsAlive: number;
  /** Anonymous memory of all of them, rounded up; absent from agents that do not say it. */
  readonly generationsBytes?: number;
  readonly keepalivedAlive: boolean;
  readonly reloads: number;
}

/** Somebody who speaks VRRP on a link of the agent and is no peer of its lanes. */
export interface HeardRouter {
  /** 1 to 255. */
  readonly routerId: number;
  /** The address that the packets come from. */
  readonly source: Address;
  readonly link: DeviceName;
}

/** Everything an agent proves at one moment; whole, not a difference. */
export interface AgentReport {
  readonly agent: AgentName;
  /** Grows by one with each report of a process. */
  readonly sequence: number;
  readonly epoch: number;
  /** Revision of the whole plan that was applied last. */
  readonly planRevision?: Revision;
  readonly links: readonly Link[];
  readonly resources: ReadonlyMap<ResourceName, ResourceReport>;
  readonly lanes: readonly LaneReport[];
  readonly dataPlane: DataPlaneReport;
  /** Heard within the last minute, sorted. Absent: nobody was, or the agent cannot hear. */
  readonly heardRouters?: readonly HeardRouter[];
  /** Of lanes that others hold, as far as it is known, sorted by lane. Absent: of none. */
  readonly hearing?: readonly LaneHearing[];
  /** Trouble that belongs to no resource: a daemon down, a disk full. */
  readonly remarks: readonly Remark[];
}
