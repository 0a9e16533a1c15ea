// Sockets and their owners as /proc shows them. Best effort, for words to an operator only: a
// process of another PID namespace or user cannot be seen. Nothing is opened but files of /proc.

import { readdir, readlink } from "node:fs/promises";
import { type Address, addressFromValue } from "@fairlead/model";
import { programName } from "./program-name.ts";
import { readOrNothing } from "./read-or-nothing.ts";

/** A socket as /proc/net shows it. */
export interface SocketEntry {
  readonly address: Address;
  /** Of a raw socket: its protocol. */
  readonly port: number;
  readonly inode: string;
}

/** A process that has a socket open. */
export interface SocketOwner {
  readonly pid: number;
  /** What people call it, escaped; at most 40 characters. */
  readonly name: string;
}

/** States of the kernel: TCP_LISTEN; UDP and raw sockets that wait for anybody are in state 7. */
export const SOCKET_STATES: { readonly tcp: "0A"; readonly udp: "07"; readonly raw: "07" } = {
  tcp: "0A",
  udp: "07",
  raw: "07",
};

/** Sockets of one table in one state. Lines that are none are left out. */
export function parseSockets(table: string, state: string): readonly SocketEntry[] {
  return table.split("\n").flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [hexAddress, hexPort] = (words[1] ?? "").split(":");
    const address = parseKernelAddress(hexAddress ?? "");
    const inode = words[9];
    if (address === undefined || hexPort === undefined || inode === undefined) return [];
    if (words[3] !== state) return [];
    return [{ address, port: Number.parseInt(hexPort, 16), inode }];
  });
}

/** The sockets of both families that wait for anybody. */
export async function readSockets(
  protocol: keyof typeof SOCKET_STATES,
): Promise<readonly SocketEntry[]> {
  const tables = [`/proc/net/${protocol}`, `/proc/net/${protocol}6`];
  const texts = await Promise.all(tables.map(readOrNothing));
  return texts.flatMap((text) => parseSockets(text, SOCKET_STATES[protocol]));
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

/**
 * The kernel prints addresses as 32-bit words in the host's byte order: little-endian here.
 * Undefined for what is none.
 */
export function parseKernelAddress(hex: string): Address | undefined {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return undefined;
  const bytes = Buffer.from(hex, "hex");
  bytes.swap32();
  const value = BigInt(`0x${bytes.toString("hex")}`);
  return addressFromValue(bytes.length === 4 ? "ipv4" : "ipv6", value);
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
