// Whether ports of connections that this host ended are used again before their minute is over
// (tcp_tw_reuse in the kernel's ip-sysctl). All connections of a listener go to one port of the
// target, so without that the ports of the host bound them. 0 is what somebody chose, and stays.

import { constants } from "node:fs";
import { writeFile } from "node:fs/promises";

import { readOrNothing } from "../read-or-nothing.ts";
import { mayAccess } from "./may-access.ts";

/** The sysctl. */
export const TIME_WAIT_REUSE = "net.ipv4.tcp_tw_reuse";
const FILE = "/proc/sys/net/ipv4/tcp_tw_reuse";

/** `off`: never. `to-be-set`: on the loopback alone, until the agent starts. `on`: always. */
export type TimeWaitReuse = "off" | "loopback" | "to-be-set" | "on";

/** Reads it; undefined: there is no such sysctl. */
export async function readTimeWaitReuse(): Promise<TimeWaitReuse | undefined> {
  const text = (await readOrNothing(FILE)).trim();
  if (text === "") return undefined;
  if (text === "1") return "on";
  if (text !== "2") return "off";
  return (await mayAccess(FILE, constants.W_OK)) ? "to-be-set" : "loopback";
}

/** Switches it on where that is to be done. Never rejects: the agent can do without. */
export async function reuseTimeWait(): Promise<void> {
  if ((await readTimeWaitReuse()) !== "to-be-set") return;
  await writeFile(FILE, "1\n").catch(() => undefined);
}
