// A whole ring in one process on one fake clock: the real controller and the real agents on fake
// hosts, joined by a network in memory. Given a seed, which decides what fails and when.

import {
  type FakeClock,
  type LogDestination,
  type Logger,
  createFakeClock,
  createLogger,
} from "@fairlead/runtime";
import { present } from "@fairlead/model";
import type { HolderEvent, PartitionWindow } from "@fairlead/lab";

import { createFakeSegment, type FakeSegment } from "../fakes/fake-segment.ts";
import { createMemoryIpam, type MemoryIpam } from "../fakes/memory-ipam.ts";
import { type MemoryMedium, createMemoryMedium } from "../fakes/memory-store.ts";
import { createFaults, type Faults } from "./faults.ts";
import { type MemoryFolder, createMemoryFolder } from "./memory-folder.ts";
import { type MemoryNetwork, createMemoryNetwork } from "./memory-network.ts";
import { createOwnIpam } from "./own-ipam.ts";
import { createRingAgent, type RingAgent } from "./ring-agent.ts";
import { createRingController, type RingController } from "./ring-controller.ts";

/** What a ring is made of. */
export interface RingOptions {
  readonly seed: number;
  /** Share of calls of ports that fail, 0 to 1. */
  readonly faultRate: number;
  /** Hosts by name, each with its own addresses: `192.0.2.11/24,2001:db8::11/64`. */
  readonly hosts: ReadonlyMap<string, string>;
  /** Texts of `--pool`. */
  readonly pools: readonly string[];
  /** Default `endpoints`. */
  readonly members?: "endpoints" | "nodes";
  /** Default true. */
  readonly defaultClass?: boolean;
  /** Whether the hosts have a default route by their device. Default true. */
  readonly hasDefaultRoute?: boolean;
  /** Router ids that are never used. Default none. */
  readonly reservedRouterIds?: readonly number[];
  /** Whether Services share a host's own address while there is no pool. Default false. */
  readonly sharesOwnAddress?: boolean;
  /** Whether the IPAM elsewhere is a Fairlead's own service. Default false. */
  readonly hasOwnIpam?: boolean;
  /** What the store writes to. Default: an empty medium. */
  readonly medium?: MemoryMedium;
  /** Where both programs log to, as text. Default: nowhere. */
  readonly log?: LogDestination;
}

/** A ring that turns as its clock is moved. */
export interface Ring {
  readonly clock: FakeClock;
  readonly faults: Faults;
  readonly folder: MemoryFolder;
  readonly network: MemoryNetwork;
  readonly medium: MemoryMedium;
  /** The IPAM that external pools take addresses from; at first it has none. */
  readonly ipam: MemoryIpam;
  /** A copy of the store that a step made. */
  savedStore?: MemoryMedium;
  readonly controller: RingController;
  readonly agents: ReadonlyMap<string, RingAgent>;
  /** Who got and lost which address, in order. Anchors are left out. */
  readonly history: readonly HolderEvent[];
  /** When which hosts could not hear VRRP of the others, until now. */
  partitions(): readonly PartitionWindow[];
  /** A host that is none of ours takes an address; without a MAC address it leaves. */
  setStranger(address: string, mac: string | undefined): void;
  /** A host that is none of ours speaks VRRP with a router id; without an address no more. */
  setStrangeRouter(routerId: number, source: string | undefined): void;
}

/** Makes a ring and starts everything. */
export function createRing(options: RingOptions): Ring {
  const clock = createFakeClock({ settleRounds: 4 });
  const log = logTo(options.log);
  const faults = createFaults({ seed: options.seed, rate: options.faultRate });
  const folder = createMemoryFolder();
  const medium = options.medium ?? createMemoryMedium();
  const ipam = options.hasOwnIpam === true ? createOwnIpam({ clock, log }) : createMemoryIpam([]);
  const network = createMemoryNetwork({ clock, breaks: () => faults.strikes() });
  const controller = createRingController({
    clock,
    log,
    faults,
    folder,
    network,
    medium,
    ipam,
    pools: options.pools,
    members: options.members ?? "endpoints",
    defaultClass: options.defaultClass ?? true,
    reservedRouterIds: options.reservedRouterIds ?? [],
    sharesOwnAddress: options.sharesOwnAddress ?? false,
  });
  const segments = new Map<string, FakeSegment>();
  const segmentOf = (name: string): FakeSegment => {
    const segment = segments.get(name) ?? createFakeSegment({ clock });
    segments.set(name, segment);
    return segment;
  };
  const agents = new Map<string, RingAgent>();
  const history: HolderEvent[] = [];
  for (const [name, prefix] of options.hosts) {
    const isPrimary = options.hasDefaultRoute ?? true;
    const common = { clock, log, faults, network, segmentOf };
    const agent = createRingAgent({ name, prefix, isPrimary, ...common });
    agents.set(name, agent);
    watchHolding(agent, clock, history);
  }
  controller.start();
  for (const agent of agents.values()) agent.start();
  const partitions = (): readonly PartitionWindow[] =>
    [...agents.values()].flatMap(({ name, deafTimes }) =>
      deafTimes.map((times) => ({ hosts: [name], ...times })),
    );
  const setStranger = (address: string, mac: string | undefined): void => {
    for (const segment of segments.values()) segment.setStranger(address, mac);
  };
  const setStrangeRouter: Ring["setStrangeRouter"] = (routerId, source) => {
    for (const segment of segments.values()) segment.setStrangeRouter(routerId, source);
  };
  const hosts = { agents, history, partitions, setStranger, setStrangeRouter };
  return { clock, faults, folder, network, medium, ipam, controller, ...hosts };
}

/** The agent of a name that must be there. */
export function agentOf(ring: Ring, name: string): RingAgent {
  return present(ring.agents.get(name), `there is a host ${name}`);
}

function logTo(destination: LogDestination | undefined): Logger {
  if (destination === undefined) return createLogger({ level: "silent", format: "text" });
  return createLogger({ level: "info", format: "text", destination });
}

function watchHolding(
  { host, foreign }: RingAgent,
  clock: FakeClock,
  history: HolderEvent[],
): void {
  let held: ReadonlySet<string> = new Set();
  host.kernel.onChange(() => {
    const now = new Set(heldAddresses(host.lines()).filter((one) => !foreign.has(one)));
    for (const address of now) {
      if (!held.has(address)) history.push(eventOf("added", address));
    }
    for (const address of held) {
      if (!now.has(address)) history.push(eventOf("removed", address));
    }
    held = now;
  });

  function eventOf(event: HolderEvent["event"], address: string): HolderEvent {
    return { event, address, host: host.name, atMs: clock.nowMs() };
  }
}

/** The addresses among the lines of a host. */
export function heldAddresses(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => (line.startsWith("address ") ? [line.slice(8)] : []));
}
