// The host as the steps of a pass see it: every port that they are run against, and what renders
// the daemons' files. Types alone; adapters implement the ports.

import type { FullListeners } from "./full-listeners.ts";
import type { HoldOptions } from "./hold-lanes.ts";
import type { DownFiles } from "./observe.ts";
import type {
  Announcer,
  ClientConnections,
  InputGuard,
  KeepalivedDaemon,
  Kernel,
  Ledger,
  MemberTable,
  SegmentAsker,
  SegmentSight,
  ServiceRoutes,
  VrrpListener,
} from "./ports.ts";
import type { ServeOptions } from "./serve-options.ts";

/** What steps are run against. */
export interface Host extends ServeOptions, HoldOptions {
  readonly keepalived: KeepalivedDaemon;
  /** Absent: members stand in nginx's file. */
  readonly members?: MemberTable;
  /** Absent as `members` are. */
  readonly routes?: Pick<ServiceRoutes, "unrouted">;
  readonly kernel: Kernel;
  readonly segment: SegmentAsker;
  /** Absent: answers say nothing on this network, and nobody is asked. */
  readonly sight?: SegmentSight;
  /** Absent: connections to an address that left stay. */
  readonly connections?: Pick<ClientConnections, "end">;
  readonly vrrp: VrrpListener;
  readonly guard: Pick<InputGuard, "guard" | "trouble">;
  /** Absent: nobody counts sessions. */
  readonly full?: Pick<FullListeners, "remarks">;
  /** Absent: nobody says to lanes that nginx is down. */
  readonly downFiles?: DownFiles;
  readonly announcer: Pick<Announcer, "announce">;
  readonly ledger: Ledger;
}
