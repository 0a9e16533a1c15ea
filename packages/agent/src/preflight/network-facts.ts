// The networks that this host has, and the routers that its routes lead to, as `ip` of iproute2
// tells them. It reads plain lines, which every version of `ip` has. Given the program's path.

import { type Address, type Prefix, parseAddress, parsePrefix } from "@fairlead/model";
import { runProgram } from "@fairlead/runtime";

/** An address of a device, with the length of its network. */
export interface DeviceNetwork {
  readonly prefix: Prefix;
  readonly device: string;
}

/** What of the network nothing else may cover. */
export interface NetworkFacts {
  readonly networks: readonly DeviceNetwork[];
  /** Routers that a route of any table leads to, none twice. */
  readonly gateways: readonly Address[];
}

const IP_MS_MAX = 10_000;
/** A full table of the internet has more, and names the same few routers on every line. */
const IP_BYTES_MAX = 16 * 1024 * 1024;

/** Reads them; what cannot be read is not there. Never rejects. */
export async function readNetworks(ip: string | undefined): Promise<NetworkFacts> {
  if (ip === undefined) return { networks: [], gateways: [] };
  const [addresses, four, six] = await Promise.all([
    run(ip, ["-o", "address", "show"]),
    run(ip, ["-4", "route", "show", "table", "all"]),
    run(ip, ["-6", "route", "show", "table", "all"]),
  ]);
  return { networks: networksOf(addresses), gateways: gatewaysOf(`${four}\n${six}`) };
}

/** Lines as `2: eth0    inet 10.0.0.1/24 brd ...`, or `inet 10.0.0.1 peer 10.0.0.2/32`. */
export function networksOf(text: string): readonly DeviceNetwork[] {
  const found: DeviceNetwork[] = [];
  const lines = text.matchAll(/^\d+: ([^\s@]+)\S*\s+inet6? (\S+)(?: peer (\S+))?/gm);
  for (const [, device = "", own = "", peer] of lines) {
    for (const one of peer === undefined ? [own] : [own, peer]) {
      const whole = one.includes(":") ? 128 : 32;
      const prefix = parsePrefix(one.includes("/") ? one : `${one}/${whole}`);
      if (prefix.kind === "ok") found.push({ prefix: prefix.value, device });
    }
  }
  return found;
}

/** Of lines as `default via 10.0.0.254 dev eth0`, also where a route has several. */
export function gatewaysOf(text: string): readonly Address[] {
  const texts = [...text.matchAll(/\bvia (?:inet6? )?(\S+)/g)].map(([, via = ""]) => via);
  return [...new Set(texts)].flatMap((via) => parseAddress(via) ?? []);
}

async function run(command: string, args: readonly string[]): Promise<string> {
  try {
    const limits = { timeoutMs: IP_MS_MAX, maxOutputBytes: IP_BYTES_MAX };
    return (await runProgram({ command, args, ...limits })).stdout;
  } catch {
    return "";
  }
}
