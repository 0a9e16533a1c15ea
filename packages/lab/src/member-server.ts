// Starts the member server on a host. Given its ports. The program itself is member/main.ts, a
// process of its own on the host.

import { fileURLToPath } from "node:url";
import type { Host } from "./host.ts";
import type { ProgramOptions, RunningProgram } from "./running-program.ts";

/** What a member serves. */
export interface MemberOptions {
  /** What it says its name is. Default: the host's name. */
  readonly name?: string;
  /** Ports that answer HTTP with the line "NAME PORT CLIENT-ADDRESS". Default: none. */
  readonly tcpPorts?: readonly number[];
  /** Ports that answer a datagram with "NAME PORT CLIENT-ADDRESS PAYLOAD". Default: none. */
  readonly udpPorts?: readonly number[];
  readonly program?: ProgramOptions;
}

const READY_MS_MAX = 10_000;

/** Starts a member and waits until all its ports listen. */
export async function startMember(host: Host, options: MemberOptions): Promise<RunningProgram> {
  const args = [
    fileURLToPath(new URL("./member/main.ts", import.meta.url)),
    options.name ?? host.name,
    portList(options.tcpPorts),
    portList(options.udpPorts),
  ];
  const program = await host.start(process.execPath, args, options.program);
  await program.waitForLine(/^ready$/, READY_MS_MAX);
  return program;
}

function portList(ports: readonly number[] | undefined): string {
  return ports === undefined || ports.length === 0 ? "-" : ports.join(",");
}
