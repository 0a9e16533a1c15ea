// One host of the lab: its namespaces under a process 1 of its own, its link, its programs. Given
// the stage. It holds what it started and nothing else; its crash ends all of it at once, as a
// power cut does, and its folder outlives that as a disk would.

import { readdirSync, readFileSync } from "node:fs";
import { outputInside } from "./command-result.ts";
import { type HeldAddress, parseAddressList } from "./held-address.ts";
import { bootHost, connectHost, DIR, type HostOptions, hostTarget, LINK } from "./host-boot.ts";
import type { InitProcess } from "./init-process.ts";
import type { Target } from "./inside-process.ts";
import { labError } from "./lab-error.ts";
import { enterCommand } from "./namespace-command.ts";
import { createReach, type Reach } from "./reach.ts";
import type { Stage } from "./stage.ts";
import { createSwitchPort, type SwitchPort } from "./switch-port.ts";

/** A host. What it runs sees its own network, /run, logs, host name and process ids. */
export interface Host extends SwitchPort, Reach {
  readonly name: string;
  /** Its address without prefix length: IPv4, or IPv6 where it has no IPv4. */
  readonly address: string;
  /** Its IPv6 address beside an IPv4 one, without prefix length, when it was given one. */
  readonly ipv6: string | undefined;
  /** The device of its link. */
  readonly link: string;
  /** A folder of its own, as the host sees it; it survives crashes and goes with the lab. */
  readonly dir: string;
  /** Whether it is powered on. */
  isUp(): boolean;
  /** All addresses that its kernel holds now. */
  addresses(): Promise<readonly HeldAddress[]>;
  /** The ids of all its processes, as it sees them, without the two that are the host itself. */
  pids(): readonly number[];
  /** Ends all its processes and its network at once. Its folder stays. */
  crash(): Promise<void>;
  /** Takes its device away, as when a driver is unloaded; its addresses go with it. */
  removeLink(): Promise<void>;
  /** Makes the device again under the same name, with the host's own addresses. */
  makeLink(): Promise<void>;
  /** Powers it on again after a crash, with the same address and folder. */
  boot(): Promise<void>;
  /** What people type to run a command on the host from another terminal. */
  enterCommand(command: readonly string[]): readonly string[];
  /** Called at every boot, when the host is there. The returned function ends that. */
  onBoot(run: () => Promise<void>): () => void;
}

/** Makes a host and powers it on. */
export async function createHost(stage: Stage, name: string, options: HostOptions): Promise<Host> {
  const port = createSwitchPort(name, stage.run, stage.partitions);
  const bootWatchers = new Set<() => Promise<void>>();
  let init: InitProcess | undefined;
  let isPowered = true;
  const living = (): InitProcess => {
    if (init === undefined || init.hasExited()) throw labError("GONE", `host ${name} is down`);
    return init;
  };
  const target = (): Target => hostTarget(stage, living());
  const boot = async (): Promise<void> => {
    if (init !== undefined && !init.hasExited()) return;
    isPowered = true;
    init = await bootHost(stage, name, options);
    for (const run of bootWatchers) await run();
  };
  const crash = async (): Promise<void> => {
    isPowered = false;
    await init?.end();
    await port.healAll().catch(ignoreMissingPort);
    // The kernel takes its time to clear a dead network; the port must be gone before a boot.
    await stage.run(["ip", "link", "delete", name]).catch(ignoreMissingPort);
  };
  await boot();
  return {
    ...port,
    ...createReach(name, target),
    name,
    address: withoutPrefix(options.address),
    ipv6: options.ipv6 === undefined ? undefined : withoutPrefix(options.ipv6),
    link: LINK,
    dir: DIR,
    isUp: () => isPowered && init !== undefined && !init.hasExited(),
    addresses: async () =>
      parseAddressList(await outputInside(target(), ["ip", "-j", "address", "show"])),
    pids: () => listPids(living().pid),
    removeLink: async () => {
      await stage.run(["ip", "link", "delete", name]);
    },
    makeLink: () => connectHost(stage, name, options, living()),
    crash,
    boot,
    enterCommand: (command) => enterCommand(living().pid, command, stage.user),
    onBoot: (run) => {
      bootWatchers.add(run);
      return () => void bootWatchers.delete(run);
    },
  };
}

function listPids(initPid: number): readonly number[] {
  // The lifeline is the first child of process 1: it was there before everything else.
  const root = `/proc/${initPid}/root/proc`;
  const [lifeline] = readFileSync(`${root}/1/task/1/children`, "utf8").split(" ").map(Number);
  const all = readdirSync(root).filter((entry) => /^\d+$/.test(entry));
  return all.map(Number).filter((pid) => pid !== 1 && pid !== lifeline);
}

function ignoreMissingPort(error: unknown): void {
  // Whoever deletes the port first, we or the kernel, it is gone: before `ip` looked for its name,
  // or after that.
  if (error instanceof Error && /Cannot find device|No such device/.test(error.message)) return;
  throw error;
}

function withoutPrefix(address: string): string {
  return address.split("/")[0] ?? address;
}
