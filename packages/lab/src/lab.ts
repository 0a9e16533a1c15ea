// The lab: makes the stage, adds hosts, ends everything. Given who to run as. It works from any
// process: what it makes hangs on that process and ends with it, also when it is killed.

import { randomUUID } from "node:crypto";
import { within } from "./deadline.ts";
import { allEnded, resumeAll } from "./detached-process.ts";
import type { HostOptions } from "./host-boot.ts";
import { createHost, type Host } from "./host.ts";
import { labError } from "./lab-error.ts";
import type { Identity, LabUser } from "./namespace-command.ts";
import type { PartitionWindow } from "./partition-book.ts";
import { checkMachine } from "./preflight.ts";
import { searchPath } from "./search-path.ts";
import { createStage } from "./stage.ts";
import { partSwitch } from "./switch-port.ts";

/** How a lab is made. */
export interface LabOptions {
  /**
   * Whether everything lives in a user namespace. Default: when the caller is not root. A normal
   * user needs it; root may ask for it to have no more rights than a normal user has.
   */
  readonly userNamespace?: boolean;
  /** Root may run the lab as another user of the machine. Default: the caller. */
  readonly identity?: Identity;
}

/** Hosts on segments, in namespaces of their own. */
export interface Lab extends AsyncDisposable {
  /** The value of FAIRLEAD_LAB in the environment of all its processes, unique to it. */
  readonly id: string;
  /** The outermost process. When it is killed the whole lab is gone. */
  readonly outerPid: number;
  /** Settles when the lab has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Makes a host and powers it on. Names: letter first, at most 13 of a-z, 0-9 and "-". */
  addHost(name: string, options: HostOptions): Promise<Host>;
  /** Ends a host as a crash does, and forgets it and its folder. */
  removeHost(name: string): Promise<void>;
  /** The host with this name; asking for one that is not there is a bug of the caller. */
  host(name: string): Host;
  /** All hosts in the order in which they were added. */
  hosts(): readonly Host[];
  /**
   * Parts the named hosts from all others, in silence. Gives what heals it; only one partition at
   * a time may name a pair of hosts.
   */
  partition(names: readonly string[]): Promise<() => Promise<void>>;
  /** Runs a command on the stage, where the bridges are ("br-lan"), such as tcpdump. */
  onStage(command: readonly string[]): Promise<string>;
  /** When which hosts could not hear the others, from all faults made so far. */
  partitions(): readonly PartitionWindow[];
  /** Ends every process, namespace, mount and folder of the lab. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Names become device names, which have at most 15 characters, and words of nft. */
const HOST_NAME = /^[a-z][a-z0-9-]{0,12}$/;

/** What leads into the namespaces has so long to end after them, in ms. */
const END_MS_MAX = 15_000;

/** Makes an empty lab. Rejects with code NOT_POSSIBLE and the reason where it cannot be had. */
export async function createLab(options: LabOptions = {}): Promise<Lab> {
  const user: LabUser = {
    userNamespace: options.userNamespace ?? needsUserNamespace(options.identity),
    identity: options.identity,
  };
  const path = searchPath();
  checkMachine(path);
  const id = randomUUID();
  const env = { PATH: path, LANG: "C.UTF-8", TZ: "UTC", FAIRLEAD_LAB: id };
  const stage = await createStage(user, env);
  const hosts = new Map<string, Host>();
  const taken = new Set<string>();
  const hostNamed = (name: string): Host => {
    const host = hosts.get(name);
    if (host === undefined) throw labError("GONE", `there is no host ${name}`);
    return host;
  };
  return {
    id,
    outerPid: stage.outerPid,
    exited: stage.exited,
    addHost: async (name, hostOptions) => {
      if (!HOST_NAME.test(name)) throw labError("NOT_POSSIBLE", `bad name of a host: ${name}`);
      if (taken.has(name)) throw labError("NOT_POSSIBLE", `there is a host ${name} already`);
      taken.add(name);
      try {
        const host = await createHost(stage, name, hostOptions);
        hosts.set(name, host);
        return host;
      } catch (error) {
        taken.delete(name);
        throw error;
      }
    },
    removeHost: async (name) => {
      await hostNamed(name).crash();
      await stage.run(["rm", "-rf", `/run/hosts/${name}`]);
      hosts.delete(name);
      taken.delete(name);
    },
    host: hostNamed,
    hosts: () => [...hosts.values()],
    partition: (names) => {
      const others = [...hosts.keys()].filter((name) => !names.includes(name));
      return partSwitch(names, others, stage.run, stage.partitions);
    },
    onStage: (command) => stage.run(command),
    partitions: () => stage.partitions.windows(),
    [Symbol.asyncDispose]: async () => {
      resumeAll(env);
      await stage.end();
      await within(allEnded(env), END_MS_MAX, "end of the lab");
    },
  };
}

function needsUserNamespace(identity: Identity | undefined): boolean {
  return (identity?.uid ?? process.getuid?.() ?? 0) !== 0;
}
