// The network side of a host's link: a port of the segment's bridge, and what can go wrong with it.
// Given a way to run commands on the stage. It never touches the host's own side, so what a host
// sees of a fault is what a machine sees when its switch fails.

import type { PartitionBook } from "./partition-book.ts";

/** Runs a command on the stage that must succeed. */
export type RunOnStage = (command: readonly string[], input?: string) => Promise<string>;

/** Faults of one host's port. Each is idempotent, and each pair is independent of the others. */
export interface SwitchPort {
  /** The host's link loses its carrier. */
  cutLink(): Promise<void>;
  healLink(): Promise<void>;
  /** Every frame from and to the host is lost, in silence: its carrier stays. */
  isolate(): Promise<void>;
  rejoin(): Promise<void>;
  /** Packets of one IP protocol (112 is VRRP) from and to the host are lost. */
  dropProtocol(protocol: number): Promise<void>;
  passProtocol(protocol: number): Promise<void>;
  /** Ends every fault. */
  healAll(): Promise<void>;
}

/** VRRP. Two hosts that do not hear it from each other are parted for the judge. */
const VRRP = 112;

function element(verb: "add" | "delete", set: string, key: string): readonly string[] {
  return ["nft", verb, "element", "bridge", "lab", set, `{ ${key} }`];
}

/**
 * Parts `group` from `others`: frames between them are lost, in silence, both ways. The returned
 * function heals it and does nothing the second time. The groups must not be empty.
 */
export async function partSwitch(
  group: readonly string[],
  others: readonly string[],
  run: RunOnStage,
  partitions: PartitionBook,
): Promise<() => Promise<void>> {
  const pairs = group.flatMap((a) => others.flatMap((b) => [`"${a}" . "${b}"`, `"${b}" . "${a}"`]));
  const close = partitions.open(group);
  await run(element("add", "parted", pairs.join(", ")));
  let healed = false;
  return async () => {
    if (healed) return;
    healed = true;
    await run(element("delete", "parted", pairs.join(", ")));
    close();
  };
}

/** Makes the faults of the port with this name, which is the host's name. */
export function createSwitchPort(
  name: string,
  run: RunOnStage,
  partitions: PartitionBook,
): SwitchPort {
  // What is wrong now: how it is undone, by the name of the fault.
  const faults = new Map<string, () => Promise<void>>();
  const cause = async (
    fault: string,
    parts: boolean,
    make: readonly string[],
    undo: readonly string[],
  ): Promise<void> => {
    if (faults.has(fault)) return;
    const close = parts ? partitions.open([name]) : () => undefined;
    faults.set(fault, async () => {
      // A port that has gone parts nobody any more either.
      await run(undo).finally(close);
    });
    await run(make);
  };
  const heal = async (fault: string): Promise<void> => {
    const undo = faults.get(fault);
    faults.delete(fault);
    await undo?.();
  };
  const quoted = `"${name}"`;
  return {
    cutLink: () =>
      cause("cut", true, ["ip", "link", "set", name, "down"], ["ip", "link", "set", name, "up"]),
    healLink: () => heal("cut"),
    isolate: () =>
      cause(
        "isolated",
        true,
        element("add", "isolated", quoted),
        element("delete", "isolated", quoted),
      ),
    rejoin: () => heal("isolated"),
    dropProtocol: (protocol) =>
      cause(
        `muted ${protocol}`,
        protocol === VRRP,
        element("add", "muted", `${quoted} . ${protocol}`),
        element("delete", "muted", `${quoted} . ${protocol}`),
      ),
    passProtocol: (protocol) => heal(`muted ${protocol}`),
    healAll: async () => {
      const results = await Promise.allSettled(Array.from(faults.keys(), heal));
      const failed = results.find((result) => result.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}
