// Records from every host's kernel who holds which address (`ip monitor`), for a judge and for
// tests that wait for a holder. Given the hosts. It leaves out loopback and link-local addresses of
// the hosts, and it must say so when the kernel could not tell it everything.

import { within } from "./deadline.ts";
import { type AddressChange, type HeldAddress, parseAddressChange } from "./held-address.ts";
import { createHolderHistory, type HolderEvent, type HolderHistory } from "./holder-history.ts";
import type { Host } from "./host.ts";
import { labError } from "./lab-error.ts";
import { monotonicMs } from "./monotonic.ts";
import type { RunningProgram } from "./running-program.ts";

/** Records until it is disposed of. */
export interface HolderRecorder extends AsyncDisposable {
  /** All that happened so far, with what was there at the start as added. Throws after a loss. */
  history(): readonly HolderEvent[];
  /** The names of the hosts that hold the address now. */
  holders(address: string): readonly string[];
  /**
   * The same, once every kernel's word until this call was heard: who learned of a change in
   * another way may be ahead of the record.
   */
  heldNow(address: string): Promise<readonly string[]>;
  /** All addresses that the host holds now. */
  heldBy(host: string): readonly string[];
  /** Waits until `holds` is true, looking at every change. Rejects with code DEADLINE. */
  waitUntil(holds: () => boolean, deadlineMs: number, what: string): Promise<void>;
  /**
   * Waits until exactly one host holds the address, and gives its name. `besides` names a host
   * that does not count, such as the one whose link was cut.
   */
  waitForHolder(address: string, deadlineMs: number, besides?: string): Promise<string>;
}

const HEARD_MS_MAX = 10_000;
/** The kernel's buffer for what the monitor has not read yet: thousands of addresses. */
const BUFFER_BYTES = 8 * 1024 * 1024;
/** Added and removed until the monitor tells of it: then it is sure to listen. */
const BEACON = "127.99.99.99";

/** Starts to record on all hosts and waits until each is listened to. */
export async function recordHolders(hosts: readonly Host[]): Promise<HolderRecorder> {
  const history = createHolderHistory();
  const changes = createWatchers();
  const ears = await Promise.all(hosts.map((host) => listen(host, history, changes.tell)));
  return {
    history: () => {
      const loss = ears.map((ear) => ear.loss()).find((text) => text !== undefined);
      if (loss !== undefined) throw labError("GONE", `the record is not whole: ${loss}`);
      return history.events();
    },
    holders: (address) => history.holders(address),
    heldNow: async (address) => {
      await Promise.all(ears.map((ear) => ear.catchUp()));
      return history.holders(address);
    },
    heldBy: (host) => history.heldBy(host),
    waitUntil: changes.until,
    waitForHolder: async (address, deadlineMs, besides) => {
      const now = (): readonly string[] => history.holders(address).filter((h) => h !== besides);
      await changes.until(() => now().length === 1, deadlineMs, `one holder of ${address}`);
      return now()[0] ?? "";
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(ears.map((ear) => ear.stop()));
    },
  };
}

interface Watchers {
  readonly tell: () => void;
  readonly until: (holds: () => boolean, deadlineMs: number, what: string) => Promise<void>;
}

function createWatchers(): Watchers {
  const watchers = new Set<() => void>();
  return {
    tell: () => {
      for (const run of watchers) run();
    },
    until: async (holds, deadlineMs, what) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const look = (): void => {
        if (holds()) resolve();
      };
      watchers.add(look);
      look();
      try {
        await within(promise, deadlineMs, what);
      } finally {
        watchers.delete(look);
      }
    },
  };
}

/** What listens to one host, over its boots. */
interface Ear {
  /** What could not be heard. Undefined: everything was. */
  loss(): string | undefined;
  /** Resolves when what the kernel said before was heard; at once while the host is down. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

async function listen(host: Host, history: HolderHistory, changed: () => void): Promise<Ear> {
  let monitor: RunningProgram | undefined;
  let loss: string | undefined;
  let stopped = false;
  const note = (change: AddressChange): void => {
    if (!isOfInterest(change.held)) return;
    history.note(host.name, change, monotonicMs());
    changed();
  };
  const open = async (): Promise<void> => {
    // After a boot, what the host held before must be noted as gone first.
    await monitor?.exited;
    const told = new Set<string>();
    monitor = await startMonitor(host, (line) => {
      const change = parseAddressChange(line);
      if (/error|overrun|buffer/i.test(line)) loss = `${host.name}: ${line}`;
      if (change === undefined) return;
      told.add(change.held.address);
      note(change);
    });
    void monitor.exited.then(() => {
      history.noteGone(host.name, monotonicMs());
      if (!stopped && host.isUp()) loss = `${host.name}: the monitor ended`;
      changed();
    });
    for (const held of await host.addresses()) {
      // What the monitor has told meanwhile is newer than the list.
      if (!told.has(held.address)) note({ event: "added", held });
    }
  };
  await open();
  const unwatch = host.onBoot(open);
  return {
    loss: () => loss,
    catchUp: async () => {
      if (monitor !== undefined && host.isUp()) await hearBeacon(host, monitor);
    },
    stop: async () => {
      stopped = true;
      unwatch();
      await monitor?.stop("SIGKILL");
    },
  };
}

async function startMonitor(host: Host, onLine: (line: string) => void): Promise<RunningProgram> {
  const monitor = await host.start(
    "ip",
    ["-rcvbuf", String(BUFFER_BYTES), "-oneline", "monitor", "address"],
    { onLine },
  );
  const heard = monitor.waitForLine(deletion(BEACON), HEARD_MS_MAX);
  let listening = false;
  const settled = heard.then(() => {
    listening = true;
  });
  void settled.catch(() => undefined);
  // Each turn takes as long as two programs, so the wait is neither busy nor blind.
  while (!listening && !monitor.hasExited()) await flash(host, BEACON);
  await settled;
  return monitor;
}

let beacons = 0;

/** Each time another beacon: that of an earlier one was heard already. */
async function hearBeacon(host: Host, monitor: RunningProgram): Promise<void> {
  beacons += 1;
  const beacon = `127.98.${Math.floor(beacons / 250) % 250}.${(beacons % 250) + 1}`;
  const heard = monitor.waitForLine(deletion(beacon), HEARD_MS_MAX);
  await Promise.all([heard, flash(host, beacon)]);
}

async function flash(host: Host, beacon: string): Promise<void> {
  await host.output("ip", ["address", "replace", `${beacon}/32`, "dev", "lo"]);
  await host.output("ip", ["address", "delete", `${beacon}/32`, "dev", "lo"]);
}

function deletion(beacon: string): RegExp {
  return new RegExp(`^Deleted.*inet ${beacon.replaceAll(".", String.raw`\.`)}/`);
}

function isOfInterest(held: HeldAddress): boolean {
  return held.link !== "lo" && !held.address.startsWith("fe80:");
}
