// Whose a socket is, as /proc shows it, and who holds a port. Best effort, for words to an operator
// only: a process of another PID namespace or user cannot be seen. Nothing is opened but files of
// /proc.

import { readdir, readFile, readlink } from "node:fs/promises";
import { isIPv4 } from "node:net";
import type { HostPort } from "./host-port.ts";
import { programName } from "./program-name.ts";

/** A process that has a socket open. */
export interface SocketOwner {
  readonly pid: number;
  /** What people call it, escaped; at most 40 characters. */
  readonly name: string;
}

/** Who has these sockets open, by inode; who cannot be seen is left out. */
export async function findOwners(
  inodes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, SocketOwner>> {
  const owners = new Map<string, SocketOwner>();
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  for (const pid of pids) {
    if (owners.size === inodes.size) break;
    const open = await openSockets(pid);
    const found = open.filter((inode) => inodes.has(inode) && !owners.has(inode));
    if (found.length === 0) continue;
    const words = await readOrNothing(`/proc/${pid}/cmdline`);
    const name = programName(words, await readOrNothing(`/proc/${pid}/comm`));
    for (const inode of found) owners.set(inode, { pid: Number(pid), name });
  }
  return owners;
}

/** Who listens on a port of TCP that `at` wants; undefined when nobody can be seen. */
export async function findPortOwner(at: HostPort): Promise<SocketOwner | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readOrNothing));
  const inodes = tables.flatMap((table) => listenersOf(table, at));
  const owners = await findOwners(new Set(inodes));
  return inodes.map((inode) => owners.get(inode)).find((owner) => owner !== undefined);
}

/** The kernel's state of a socket that listens. */
const TCP_LISTEN = "0A";

/** Inodes of the listeners in the way of a place, by lines as proc(5) has them. */
function listenersOf(table: string, { host, port }: HostPort): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const wanted = isIPv4(host) && host !== "0.0.0.0" ? kernelHex(host) : undefined;
  return table.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [address = "", own] = (words[1] ?? "").split(":");
    const inode = words[9];
    if (own !== hexPort || words[3] !== TCP_LISTEN || inode === undefined) return [];
    // Who listens on all addresses is in everybody's way.
    return wanted === undefined || address === wanted || /^0+$/.test(address) ? [inode] : [];
  });
}

/** An address of IPv4 as the kernel prints it: a word in the host's byte order, little-endian. */
function kernelHex(host: string): string {
  const bytes = host.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return bytes.toReversed().join("").toUpperCase();
}

/** Inodes of all sockets of a process; none when it ended or is not ours to look into. */
async function openSockets(pid: string): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    return [];
  }
  const inodes: string[] = [];
  for (const name of names) {
    const target = await readlink(`${folder}/${name}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

async function readOrNothing(path: string): Promise<string> {
  return await readFile(path, "utf8").catch(() => "");
}
