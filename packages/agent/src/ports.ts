// What the agent's loop needs of its host and of the controller, as small as it needs it.
// Adapters implement these in folders named after their technology.

import type {
  Address,
  AgentHello,
  AgentReport,
  DeviceName,
  HeardRouter,
  Link,
  ListenerResource,
  NodePlan,
  Remark,
  ResourceName,
  Revision,
} from "@fairlead/model";
export type * from "./daemon-ports.ts";
export type * from "./member-ports.ts";

/** A whole plan that this agent accepted from the controller or found on its disk. */
export interface AcceptedPlan {
  readonly plan: NodePlan;
  /** The leader's epoch that it came with. */
  readonly epoch: number;
  /** Revision of the whole plan. */
  readonly revision: Revision;
  /** Revision of each resource, by name. */
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
}

/** The stream to the controller, kept open by the adapter. */
export interface ControllerLink extends AsyncDisposable {
  /** Starts to connect, and connects again whenever the stream ends, until disposed. */
  start(events: ControllerLinkEvents): void;
  /** Says what is proved now; the adapter sends only what changed. Never blocks. */
  report(report: AgentReport): void;
  /** The way there may be open again: while no stream is open, connects anew at once. */
  hurry(): void;
  /**
   * Tells the controller that an operator withdraws this agent, and waits for a moment until it has
   * heard that. Nothing is said afterwards. Does nothing while no stream is open.
   */
  leave(): Promise<void>;
  readonly connected: boolean;
}

/** What the link asks of and tells the agent. */
export interface ControllerLinkEvents {
  /** What to say at the start of a stream. */
  hello(): AgentHello;
  /** The plan in force, to answer an inventory request and to take differences from. */
  held(): AcceptedPlan | undefined;
  /**
   * A new whole plan was accepted, or the one in force is another leader's now; called in the
   * order of acceptance.
   * @param receivedMs when its update came, in monotonic ms.
   */
  onPlan(plan: AcceptedPlan, receivedMs: number): void;
  onConnectionChange(connected: boolean): void;
  /** Looks at the host anew and reports what has changed. Rejects where the agent ends before. */
  look(): Promise<void>;
  /** Tells the segments of the lanes what this host has: somebody else was heard there last. */
  announce(): void;
}

/** An address that the kernel has. */
export interface KernelAddress {
  readonly address: Address;
  readonly prefixLength: number;
  readonly link: DeviceName;
  /** Label of IPv4 addresses; absent for IPv6. */
  readonly label?: string;
  /** Ms until the kernel removes it by itself; absent: it never does. */
  readonly validMs?: number;
}

/** An address as it is to be on a device. */
export interface AddedAddress {
  readonly address: Address;
  readonly prefixLength: number;
  readonly link: DeviceName;
  /** Ms until the kernel removes it, unless it is put there again; absent: it never does. */
  readonly validMs?: number;
}

/** One look at the kernel's links and addresses. */
export interface KernelView {
  /** All devices but lo, with all their addresses (VIPs and anchors too). */
  readonly links: readonly Link[];
  readonly addresses: readonly KernelAddress[];
}

/** The kernel's addresses, read, added and removed over netlink. */
export interface Kernel extends AsyncDisposable {
  view(): Promise<KernelView>;
  /**
   * The last view while nothing was heard or found to change since, for a minute at most; else a
   * new one.
   * For looks that come again and again: a step is decided by `view`.
   */
  lastView(): Promise<KernelView>;
  /**
   * Adds an address to a device, marked as ours, or gives it another lifetime where it is. No route
   * comes with it, and the host never speaks from it by itself.
   */
  putAddress(address: AddedAddress): Promise<void>;
  /** How long a prefix the device's own routes give the address; undefined: none covers it. */
  routeLength(place: Pick<AddedAddress, "address" | "link">): Promise<number | undefined>;
  /** Removes an address; resolves false when it was not there. */
  removeAddress(address: KernelAddress): Promise<boolean>;
  /** Something about links or addresses changed: look again. Bursts may be merged. */
  onChange(listener: () => void): Disposable;
}

/** Who has this address on this link? */
export interface Question {
  readonly address: Address;
  readonly link: DeviceName;
  /** Addresses of our own hosts on the link: what they answer is no stranger's word. */
  readonly peers: readonly Address[];
}

/** Asks the hosts of a segment who has an address, by ARP or neighbour discovery. */
export interface SegmentAsker {
  /**
   * Takes about a tenth of a second for each 256 questions, whether somebody answers or not.
   * @returns the MAC address of each stranger that answered, by the address asked for.
   */
  ask(questions: readonly Question[]): Promise<ReadonlyMap<Address, string>>;
}

/** Who answers for an address; empty: nobody does. */
export interface Sighted {
  readonly mac: string;
}

/** Sees who answers for many addresses, by ARP or neighbour discovery, at little cost. */
export interface SegmentSight {
  /**
   * Takes about a tenth of a second for each 128 addresses.
   * @returns what was seen of each; one that could not be asked for is missing.
   */
  see(link: DeviceName, addresses: readonly Address[]): Promise<ReadonlyMap<Address, Sighted>>;
}

/** A router as a set of nftables has it. */
export interface RouterElement extends HeardRouter {
  /** How much longer the set keeps it, in ms; each packet of it begins that anew. */
  readonly expiresMs: number;
}

/** Reads sets of routers, of tables of family inet. Rejects with EdgeError<KernelErrorCode>. */
export interface RouterSets extends AsyncDisposable {
  /** Undefined: there is no such set. */
  read(table: string, set: string): Promise<readonly RouterElement[] | undefined>;
}

/** Adverts of one router, as far as they came through to this host's daemons. */
export interface HeardAdverts extends HeardRouter {
  /** Monotonic ms of the last one. */
  readonly lastMs: number;
}

/** What was heard at one moment. */
export interface Hearing {
  /** Monotonic ms of the reading. */
  readonly readMs: number;
  readonly adverts: readonly HeardAdverts[];
}

/** Hears who speaks VRRP on the host's links. */
export interface VrrpListener extends AsyncDisposable {
  /**
   * Who did within the last minute, as far as was read some seconds ago; the host's peers too.
   * @param links the host's links; the same list while nothing was seen to change.
   */
  heard(links: readonly Link[]): readonly HeardRouter[];
  /**
   * Adverts that no firewall of the host dropped, as they were read last; undefined while that is
   * not known, or cannot be. Never blocks: it begins to read when the last reading is older.
   * @param ageMsMax how old it may be, in ms.
   */
  adverts(ageMsMax: number): Hearing | undefined;
  /** Whether it can hear at all, as far as is known. */
  readonly isAble: boolean;
}

/** A lane as its host hears it. */
export interface GuardedLane {
  readonly link: DeviceName;
  /** Who else speaks in it. */
  readonly peers: readonly Address[];
}

/** What may reach this host of what is sent to addresses of ours. */
export interface Guarded {
  /** Addresses that are ours; no other address of the host is ever looked at. */
  readonly vips: readonly Address[];
  /** Ports of these addresses that are served. */
  readonly listeners: readonly Pick<ListenerResource, "address" | "protocol" | "port">[];
  /** Links on which VRRP is heard of these peers alone; on any other everybody is heard. */
  readonly lanes: readonly GuardedLane[];
}

/** Keeps the host's own services from answering on addresses of ours. It outlives the agent. */
export interface InputGuard extends AsyncDisposable {
  /**
   * Lets in exactly this. With `keepsOthers` addresses and peers of before stay guarded and heard
   * as well, and of a link that is new nobody is dropped yet. Never rejects: what cannot be done is
   * tried again in its own time, and said by `trouble` meanwhile. Unchanged, it does nothing.
   */
  guard(guarded: Guarded, keepsOthers: boolean): Promise<void>;
  /** Why the host is not guarded as was asked last; undefined when it is. */
  trouble(): Remark | undefined;
  /** Lets everything in; once no address of ours is on the host. Never rejects. */
  remove(): Promise<void>;
}

/** Tells the network who has an address now: neighbours go on sending to the old host else. */
export interface Announcer extends AsyncDisposable {
  /** Never blocks and never fails: what is not heard is found out by whoever asks. */
  announce(addresses: readonly Pick<AddedAddress, "address" | "link">[]): void;
}

/** Whether a listener's address and port can be bound, tried before nginx sees it. */
export interface PortProbe {
  /** Undefined when free; else why not, naming the other process where it can be known. */
  probe(listener: {
    readonly address: Address;
    readonly protocol: "tcp" | "udp";
    readonly port: number;
  }): Promise<Remark | undefined>;
}

/** Files that the agent keeps between its lives. */
export interface PlanFile {
  /** The last good plan; undefined when there is none. A damaged file is a remark, not a crash. */
  load(): Promise<{ readonly plan: AcceptedPlan | undefined; readonly remark?: Remark }>;
  save(plan: AcceptedPlan): Promise<void>;
}

/** Every address that this agent ever handed to its host and has not seen gone since. */
export interface Ledger {
  load(): Promise<readonly LedgerEntry[]>;
  /** Durable before the address can appear in the kernel. */
  save(entries: readonly LedgerEntry[]): Promise<void>;
}

/** One address of the ledger. */
export interface LedgerEntry {
  readonly address: Address;
  readonly link: DeviceName;
  /** It was on the host before us: used, never removed. */
  readonly foreign: boolean;
  /** Added by the agent itself, and not by keepalived; absent: not so. */
  readonly added?: true;
}

/** A file that the agent rendered, as it is on the disk. */
export interface RenderedFile {
  readonly path: string;
  readonly content: Uint8Array;
}
