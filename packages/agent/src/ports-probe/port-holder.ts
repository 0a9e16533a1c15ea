// Who holds a port: the socket that is in the way, and its owner among the processes. Best effort,
// for words to an operator only: a process of another PID namespace or user cannot be seen.

import type { Address } from "@fairlead/model";
import { formatHostPort } from "@fairlead/runtime";
import { type SocketEntry, findOwners, readSockets } from "../proc-sockets.ts";

/** A port that somebody listens on. */
export interface HeldPort {
  readonly protocol: "tcp" | "udp";
  readonly address: Address;
  readonly port: number;
}

/** `sshd (pid 812), which listens on 0.0.0.0:22`; undefined when nobody can be seen. */
export async function findHolder(port: HeldPort): Promise<string | undefined> {
  const sockets = await readSockets(port.protocol);
  const holder = sockets.find((entry) => isInTheWay(entry, port));
  if (holder === undefined) return undefined;
  const place = `which listens on ${endpoint(holder)}`;
  const owner = (await findOwners(new Set([holder.inode]))).get(holder.inode);
  if (owner === undefined) return `a process that cannot be seen, ${place}`;
  return `${owner.name} (pid ${owner.pid}), ${place}`;
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
