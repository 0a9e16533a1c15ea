// What nginx.conf is made of: the resources of a plan, and the settings of one host. Types alone;
// what follows from them is decided in nginx-view.ts.

import type { Address, ListenerResource, MemberSetResource, ResourceName } from "@fairlead/model";
import type { SlotCount } from "./slots.ts";

/** Where nginx sends a listener's connections when the kernel's table finds the members. */
export interface ServicePlace {
  /** The address that nginx connects from; it names the listener, and is of its members' family. */
  readonly service: Address;
  /** Ports of the target address that nginx chooses from, or the kernel. */
  readonly slots: SlotCount;
  /** Whether the kernel chooses (turns.ts). Absent: nginx does. */
  readonly takesTurns?: true;
}

/** What nginx.conf is made of. */
export interface NginxInput {
  readonly listeners: readonly ListenerResource[];
  /** Must hold the member set of every listener. */
  readonly memberSets: ReadonlyMap<ResourceName, MemberSetResource>;
  /** Listeners whose members stand in the kernel's table, and not in this file. Default: none. */
  readonly places?: ReadonlyMap<ResourceName, ServicePlace>;
  /** What nginx connects to for these, by family of the service address. Needed with places. */
  readonly targets?: { readonly ipv4: Address; readonly ipv6?: Address };
  /**
   * Id of this content: the probe socket answers with it. The caller derives it from the content,
   * so that it differs exactly when the rest of the file does. Closed grammar.
   */
  readonly generation: string;
  readonly settings: NginxSettings;
}

/** Settings of one host for nginx.conf. All paths are absolute and of the closed grammar. */
export interface NginxSettings {
  /** Fixed for the life of the host: UDP sockets are per worker, and closing one loses packets. */
  readonly workerProcesses: number;
  /** Per worker, both sides counted: no larger than needed, 32 768 cost 28 MB a generation. */
  readonly workerConnections: number;
  /** File limit of the workers; the master's own is set by whoever starts it. */
  readonly openFilesMax: number;
  /** User of the workers; `root` inside a user namespace. Absent: nginx's own default. */
  readonly user?: string;
  /** After this long a generation that was replaced is cut, in ms. */
  readonly shutdownTimeoutMs: number;
  readonly paths: {
    /** The shared object of the stream module. */
    readonly streamModule: string;
    readonly pid: string;
    /** A file, or the word `stderr`. */
    readonly errorLog: string;
    /** Unix socket that answers with the generation. At most 107 characters (unix(7)). */
    readonly probeSocket: string;
    /**
     * Unix socket to which nginx itself connects for that answer, as to a member: a worker that
     * may not connect answers nobody. Its folders must be open to the workers' user. As long as the
     * other one. Absent: the answer is given without.
     */
    readonly answerSocket?: string;
  };
}
