// Who runs here and listens: sockets on all addresses, speakers of VRRP, and programs that are
// known to meddle with addresses. Read out of /proc; who cannot be seen is told without a name.

import { readdir } from "node:fs/promises";
import { escapeBounded, findOwners, type SocketOwner } from "@fairlead/runtime";
import { readSockets } from "../proc-sockets.ts";
import { readOrNothing } from "../read-or-nothing.ts";

/** A socket that waits for anybody. */
export interface WaitingSocket {
  readonly protocol: "tcp" | "udp" | "vrrp";
  /** In the kernel's form. */
  readonly address: string;
  /** 112 for VRRP. */
  readonly port: number;
  /** Absent: its process cannot be seen. */
  readonly owner?: SocketOwner;
  /** Whether it is the agent's, or of its data plane. */
  readonly isOurs: boolean;
}

/** A program that runs. */
export interface RunningProcess {
  readonly pid: number;
  /** The last part of the path that it was started by, escaped. */
  readonly name: string;
}

/** What was read. */
export interface ProcessFacts {
  readonly sockets: readonly WaitingSocket[];
  /** Those of the names that were asked for. */
  readonly running: readonly RunningProcess[];
}

/** What to look for. */
export interface ReadProcessesOptions {
  /** Processes that name this folder in their command line are the data plane. */
  readonly runDir: string;
  /** The living agent; undefined when there is none. */
  readonly agentPid: number | undefined;
  /** Names of programs to look for. */
  readonly names: ReadonlySet<string>;
}

const VRRP = 112;
const NAME_CHARACTERS_MAX = 40;

/** Reads them. Never rejects. */
export async function readProcesses(options: ReadProcessesOptions): Promise<ProcessFacts> {
  const [tcp, udp, raw] = await Promise.all([
    readSockets("tcp"),
    readSockets("udp"),
    readSockets("raw"),
  ]);
  const entries = [
    ...tcp.map((entry) => ({ ...entry, protocol: "tcp" as const })),
    ...udp.map((entry) => ({ ...entry, protocol: "udp" as const })),
    ...raw
      .filter(({ port }) => port === VRRP)
      .map((entry) => ({ ...entry, protocol: "vrrp" as const })),
  ];
  const owners = await findOwners(new Set(entries.map(({ inode }) => inode)));
  const commands = await readCommands();
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined &&
    (pid === options.agentPid || (commands.get(pid) ?? "").includes(`${options.runDir}/`));
  return {
    sockets: entries.map(({ protocol, address, port, inode }) => {
      const owner = owners.get(inode);
      const seen = owner === undefined ? {} : { owner };
      return { protocol, address, port, ...seen, isOurs: isOurs(owner?.pid) };
    }),
    running: [...commands]
      .map(([pid, command]) => ({ pid, name: programOf(command) }))
      .filter(({ name }) => options.names.has(name)),
  };
}

/** The words of each process, with NUL between them; kernel threads have none. */
async function readCommands(): Promise<ReadonlyMap<number, string>> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const read = pids.map(async (pid): Promise<[number, string]> => [
    Number(pid),
    await readOrNothing(`/proc/${pid}/cmdline`),
  ]);
  return new Map(await Promise.all(read));
}

function programOf(command: string): string {
  const [first = ""] = command.split("\0");
  return escapeBounded(first.slice(first.lastIndexOf("/") + 1), NAME_CHARACTERS_MAX);
}
