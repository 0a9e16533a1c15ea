// The stage: the outer namespaces in which all hosts live, with the segments' bridges. Given who
// the lab runs as. Whatever is made here is gone when its process 1 is gone, however that ends, and
// nothing of the machine outside is changed.

import { outputInside } from "./command-result.ts";
import { type InitProcess, startInit } from "./init-process.ts";
import { STAGE_INIT } from "./init-script.ts";
import { type LabUser, unshareCommand } from "./namespace-command.ts";
import { createPartitionBook, type PartitionBook } from "./partition-book.ts";
import type { RunOnStage } from "./switch-port.ts";

/** The outer namespaces. */
export interface Stage {
  /** The process that made the namespaces; killing it ends the lab. */
  readonly outerPid: number;
  /** Process 1 of the stage, as this program sees it. */
  readonly pid: number;
  readonly user: LabUser;
  /** The environment of all that runs in the lab. */
  readonly env: Readonly<Record<string, string>>;
  readonly run: RunOnStage;
  readonly partitions: PartitionBook;
  /** Settles when everything has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** The bridge of a segment, made when it is first asked for. */
  segment(name: string): Promise<string>;
  /** Ends every process at once and waits for that. */
  end(): Promise<void>;
}

/** Makes the namespaces. */
export async function createStage(
  user: LabUser,
  env: Readonly<Record<string, string>>,
): Promise<Stage> {
  const init: InitProcess = await startInit({
    name: "the lab",
    command: unshareCommand(["sh", "-c", STAGE_INIT], user),
    depth: 1,
    user,
    env,
  });
  const target = { pid: init.pid, user, directory: "/", env };
  const run: RunOnStage = (command, input = "") => outputInside(target, command, { input });
  const bridges = new Map<string, Promise<string>>();
  return {
    outerPid: init.outerPid,
    pid: init.pid,
    user,
    env,
    run,
    partitions: createPartitionBook(),
    exited: init.exited,
    segment: (name) => {
      const made = bridges.get(name) ?? makeBridge(name, run);
      bridges.set(name, made);
      return made;
    },
    end: () => init.end(),
  };
}

async function makeBridge(name: string, run: RunOnStage): Promise<string> {
  const bridge = `br-${name}`;
  // Snooping would hold back neighbour discovery until it has learnt who listens.
  const lines = [
    `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${bridge} up`,
  ];
  await run(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
  return bridge;
}
