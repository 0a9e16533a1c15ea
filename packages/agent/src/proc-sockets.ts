// Sockets as /proc shows them, with addresses of the model. Nothing is opened but files of /proc.

import { type Address, addressFromValue } from "@fairlead/model";
import { readOrNothing } from "./read-or-nothing.ts";

/** A socket as /proc/net shows it. */
export interface SocketEntry {
  readonly address: Address;
  /** Of a raw socket: its protocol. */
  readonly port: number;
  readonly inode: string;
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
