// Puts the check of a host together: what preflight looks at, and what the kernel says over
// netlink. It decides nothing of what is found.

import { socketEndingProblem } from "./netlink/socket-ending.ts";
import { checkHost as check } from "./preflight/check-host.ts";
import type { HostLine } from "./preflight/host-line.ts";
import type { PreflightOptions } from "./preflight/preflight.ts";

/** Looks at the host and changes nothing; the lines stand in the order of `HOST_CHECKS`. */
export async function checkHost(options: PreflightOptions): Promise<readonly HostLine[]> {
  return await check({ ...options, socketEndingProblem });
}
