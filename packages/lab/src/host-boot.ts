// Powers a host on: its namespaces with process 1, its kernel settings, its link to the segment's
// bridge. Given the stage. A host that could not be connected is ended again.

import { createHash } from "node:crypto";
import { outputInside } from "./command-result.ts";
import { type InitProcess, startInit } from "./init-process.ts";
import { HOST_INIT } from "./init-script.ts";
import type { Target } from "./inside-process.ts";
import { enterCommand, unshareCommand } from "./namespace-command.ts";
import type { Stage } from "./stage.ts";

/** How a host is made. */
export interface HostOptions {
  /** Its address with prefix length, such as "192.0.2.11/24"; an IPv6 one: it has no IPv4. */
  readonly address: string;
  /** Its IPv6 address beside an IPv4 one. Default: only the link-local one. */
  readonly ipv6?: string;
  /** The segment that its link eth0 is on. Default: "lan". */
  readonly segment?: string;
  /** Its default router on that segment, which need not exist. Default: no default route. */
  readonly gateway?: string;
  /** Added to the defaults, names as sysctl has them. They hold again after a boot. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/** The device of a host's link. */
export const LINK = "eth0";

/** A host's own folder, as the host sees it. */
export const DIR = "/run/host";

/**
 * No waiting for duplicate address detection, no router advertisements, and sockets may be bound to
 * addresses that another host holds at the moment.
 */
const SYSCTLS_DEFAULT: Readonly<Record<string, string>> = {
  "net.ipv4.ip_nonlocal_bind": "1",
  "net.ipv6.ip_nonlocal_bind": "1",
  "net.ipv6.conf.default.accept_dad": "0",
  "net.ipv6.conf.default.dad_transmits": "0",
  "net.ipv6.conf.default.accept_ra": "0",
};

/** Powers a host on and connects it. */
export async function bootHost(
  stage: Stage,
  name: string,
  options: HostOptions,
): Promise<InitProcess> {
  const init = await powerOn(stage, name, options);
  try {
    await connectHost(stage, name, options, init);
    return init;
  } catch (error) {
    await init.end();
    throw error;
  }
}

/** Where a host's programs are started. */
export function hostTarget(stage: Stage, init: InitProcess): Target {
  const env = { ...stage.env, HOME: DIR };
  return { pid: init.pid, user: stage.user, directory: DIR, env };
}

function powerOn(stage: Stage, name: string, options: HostOptions): Promise<InitProcess> {
  const sysctls = Object.entries({ ...SYSCTLS_DEFAULT, ...options.sysctls });
  const settings = sysctls.flatMap(([key, value]) => [key.replaceAll(".", "/"), value]);
  const script = ["sh", "-c", HOST_INIT, "sh", name, ...settings];
  // The host is inside the lab's user namespace already, so it makes none of its own.
  const command = unshareCommand(script, { userNamespace: false });
  return startInit({
    name: `host ${name}`,
    command: enterCommand(stage.pid, command, stage.user),
    depth: 2,
    user: stage.user,
    env: stage.env,
  });
}

/** Makes the link of a host that has none: its device, its port, its addresses. */
export async function connectHost(
  stage: Stage,
  name: string,
  options: HostOptions,
  init: InitProcess,
): Promise<void> {
  const bridge = await stage.segment(options.segment ?? "lan");
  // Process ids on the stage are one level below those of the machine.
  const stagePid = init.pidChain.at(-2);
  const hostEnd = `${LINK} address ${hardwareAddress(name)} netns ${stagePid}`;
  const onStage = [
    `link add ${name} type veth peer name ${hostEnd}`,
    `link set ${name} master ${bridge} up`,
  ];
  await stage.run(["ip", "-batch", "-"], `${onStage.join("\n")}\n`);
  const onHost = [`address add ${options.address} dev ${LINK}`];
  if (options.ipv6 !== undefined) onHost.push(`address add ${options.ipv6} dev ${LINK} nodad`);
  onHost.push(`link set ${LINK} up`);
  if (options.gateway !== undefined) {
    onHost.push(`route add default via ${options.gateway} dev ${LINK} onlink`);
  }
  await outputInside(hostTarget(stage, init), ["ip", "-batch", "-"], {
    input: `${onHost.join("\n")}\n`,
  });
}

/** A locally administered address that stays the same over boots, as a machine's does. */
function hardwareAddress(name: string): string {
  const digest = createHash("sha256").update(name).digest();
  const octets = [0x02, ...digest.subarray(0, 5)];
  return octets.map((octet) => octet.toString(16).padStart(2, "0")).join(":");
}
