// Who holds a port: finds the socket in /proc/net and its owner among the processes. Best effort,
// for words to an operator only: a process of another PID namespace or user cannot be seen.

import { readdir, readFile, readlink } from "node:fs/promises";
import { type Address, addressFromValue } from "@fairlead/model";
import { escapeBounded } from "@fairlead/runtime";

/** A port that somebody listens on. */
export interface HeldPort {
  readonly protocol: "tcp" | "udp";
  readonly address: Address;
  readonly port: number;
}

/** A socket as /proc/net shows it. */
export interface SocketEntry {
  readonly address: Address;
  readonly port: number;
  readonly inode: string;
}

/** TCP_LISTEN of the kernel; UDP sockets that wait for anybody are in state 7. */
const STATES = { tcp: "0A", udp: "07" } as const;
const NAME_CHARACTERS_MAX = 40;

/** `sshd (pid 812), which listens on 0.0.0.0:22`; undefined when nobody can be seen. */
export async function findHolder(port: HeldPort): Promise<string | undefined> {
  const tables = [`/proc/net/${port.protocol}`, `/proc/net/${port.protocol}6`];
  const texts = await Promise.all(tables.map(readOrNothing));
  const sockets = texts.flatMap((text) => parseSockets(text, STATES[port.protocol]));
  const holder = sockets.find((entry) => isInTheWay(entry, port));
  if (holder === undefined) return undefined;
  const place = `which listens on ${endpoint(holder)}`;
  const owner = await ownerOf(holder.inode);
  return owner === undefined ? `a process that cannot be seen, ${place}` : `${owner}, ${place}`;
}

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

/** The kernel prints addresses as 32-bit words in the host's byte order: little-endian here. */
function parseKernelAddress(hex: string): Address | undefined {
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/i.test(hex)) return undefined;
  const bytes = Buffer.from(hex, "hex");
  bytes.swap32();
  const value = BigInt(`0x${bytes.toString("hex")}`);
  return addressFromValue(bytes.length === 4 ? "ipv4" : "ipv6", value);
}

/** `::` takes IPv4 too, unless the socket said otherwise, which the table does not show. */
function isInTheWay(entry: SocketEntry, port: HeldPort): boolean {
  if (entry.port !== port.port) return false;
  return entry.address === port.address || entry.address === "0.0.0.0" || entry.address === "::";
}

function endpoint(entry: SocketEntry): string {
  const { address, port } = entry;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

async function ownerOf(inode: string): Promise<string | undefined> {
  const wanted = `socket:[${inode}]`;
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  for (const pid of pids) {
    if (!(await hasOpen(pid, wanted))) continue;
    const name = (await readOrNothing(`/proc/${pid}/comm`)).trim();
    return `${escapeBounded(name === "" ? "a process" : name, NAME_CHARACTERS_MAX)} (pid ${pid})`;
  }
  return undefined;
}

async function hasOpen(pid: string, wanted: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    // It ended, or is not ours to look into.
    return false;
  }
  for (const name of names) {
    const target = await readlink(`${folder}/${name}`).catch(() => "");
    if (target === wanted) return true;
  }
  return false;
}

async function readOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}
