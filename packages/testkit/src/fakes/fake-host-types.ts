// What a fake host shows, what it is made of, and what it can be made to do. Given to tests and to
// the segment that it is in; types only, and the host in fake-host.ts implements them.

import type {
  Announcer,
  KeepalivedDaemon,
  Kernel,
  Ledger,
  MemberTable,
  NginxDaemon,
  PlanFile,
  PortProbe,
  SegmentAsker,
  SegmentSight,
  VrrpListener,
} from "@fairlead/agent";
import type { Address } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { FakeGuard } from "./fake-guard.ts";
import type { FakeFailures } from "./fake-failures.ts";
import type { FakeMemberTable } from "./fake-member-table.ts";
import type { FakeNginx } from "./fake-nginx.ts";
import type { FakeSegment } from "./fake-segment.ts";

/** A fake host with all ports of the agent. */
export interface FakeHost {
  readonly name: string;
  readonly kernel: Kernel;
  readonly segment: SegmentAsker;
  readonly sight: SegmentSight;
  /** Of its device. */
  readonly mac: string;
  /** Its own address. */
  readonly own: Address;
  readonly vrrp: VrrpListener;
  readonly guard: FakeGuard;
  readonly keepalived: KeepalivedDaemon;
  readonly nginx: NginxDaemon;
  readonly members: MemberTable;
  /** The kernel's table behind `members`. */
  readonly memberTable: FakeMemberTable;
  readonly nginxUdp: NginxDaemon;
  readonly portProbe: PortProbe;
  readonly announcer: Pick<Announcer, "announce">;
  readonly ledger: Ledger;
  readonly planFile: PlanFile;
  /** Cuts or heals its link: carrier is lost, keepalived gives everything up. */
  setLink(up: boolean): void;
  /** keepalived's tree dies by kill -9: its addresses stay until somebody sweeps them. */
  killKeepalived(): void;
  /** nginx's masters and workers die: nothing answers until the supervisor starts them again. */
  killNginx(): void;
  /** What keepalived's supervisor does after its death: sweeps what was left, and starts it. */
  reviveKeepalived(): void;
  reviveNginx(): void;
  /** All of it is gone but the disk; `setLink(true)` is its next boot, without daemons. */
  powerOff(): void;
  /** Adds an address as a stranger would. */
  addForeign(address: string): void;
  /** Removes an address from its device as a stranger would; keepalived's are not meant. */
  takeAway(address: string): void;
  /** What was announced to the network, in order. */
  readonly announced: readonly string[];
  /** For the segment: whether it answers for the address. */
  answersFor(address: Address): boolean;
  /** For the segment: whether it sends adverts. */
  isSpeaking(): boolean;
  /** Whether lanes are told to leave, as an nginx is dead. */
  readonly downFiles: Readonly<Record<"nginx" | "nginxUdp", Pick<FakeNginx, "isDown">>>;
  keepsAddresses(): boolean;
  keepalivedText(): string;
  /** The file that nginx took last; empty: none. */
  nginxText(): string;
  /** For the segment: sets what it holds of a router id; undefined leaves it. */
  setHeld(routerId: number, addresses: readonly string[] | undefined): void;
  /** What the host is, in sorted lines: addresses, listeners, lanes. */
  lines(): readonly string[];
}

/** What a host is made of. */
export interface FakeHostOptions {
  readonly name: string;
  /** Its own address with its length: 192.0.2.11/24. */
  readonly prefix: string;
  /** Addresses of other families or networks that its device has too. Default none. */
  readonly more?: readonly string[];
  readonly segment: FakeSegment;
  readonly clock: Clock;
  /** Whether its device has the default route. Default true. */
  readonly isPrimary?: boolean;
  readonly failures?: FakeFailures;
}
