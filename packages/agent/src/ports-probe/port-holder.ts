// Who holds a port: the socket that is in the way, and its owner among the processes. Best effort,
// for words to an operator only: a process of another PID namespace or user cannot be seen.

import type { Address } from "@fairlead/model";
import { findOwners, formatHostPort } from "@fairlead/runtime";
import { type SocketEntry, readSockets } from "../proc-sockets.ts";

/** A port that somebody listens on. */
export interface HeldPort {
  readonly protocol: "tcp" | "udp";
  readonly address: Address;
  readonly port: number;
}

/** A port of this program itself. */
export interface OwnPort {
  readonly port: number;
  /** What it is for: metrics. */
  readonly purpose: string;
  /** Moves it: `--listen-metrics`. */
  readonly flag: string;
}

/**
 * `sshd (pid 812), which listens on 0.0.0.0:22`; undefined when nobody can be seen. Of this program
 * itself, which nobody is to stop, what moves its port.
 */
export async function findHolder(
  port: HeldPort,
  ownPorts: readonly OwnPort[],
): Promise<string | undefined> {
  const sockets = await readSockets(port.protocol);
  const holder = sockets.find((entry) => isInTheWay(entry, port));
  if (holder === undefined) return undefined;
  const place = `which listens on ${endpoint(holder)}`;
  const owner = (await findOwners(new Set([holder.inode]))).get(holder.inode);
  if (owner === undefined) return `a process that cannot be seen, ${place}`;
  if (owner.pid === process.pid) return `${ownText(holder, ownPorts)}, ${place}`;
  return `${owner.name} (pid ${owner.pid}), ${place}`;
}

function ownText({ port }: SocketEntry, ownPorts: readonly OwnPort[]): string {
  const own = ownPorts.find((one) => one.port === port);
  if (own === undefined) return "this agent's own program (one of its --listen flags moves it)";
  return `this agent's own port for ${own.purpose} (${own.flag} moves it)`;
}

/** `::` takes IPv4 too, unless the socket said otherwise, which the table does not show. */
function isInTheWay(entry: SocketEntry, port: HeldPort): boolean {
  if (entry.port !== port.port) return false;
  return entry.address === port.address || entry.address === "0.0.0.0" || entry.address === "::";
}

function endpoint(entry: SocketEntry): string {
  const { address, port } = entry;
  return formatHostPort({ host: address, port });
}
