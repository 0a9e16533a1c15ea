// Takes the way to members off a host whose data plane has ended: the kernel's table, and the
// routes to it. Both are the host's, so whoever calls must know that the data plane was ours.

import { forgetRoutes } from "./netlink/service-routes.ts";
import { forgetTable } from "./nft/member-table.ts";
import type { HostPrograms } from "./preflight/preflight.ts";

/** Removes table and routes; without `nft` the host has none. Rejects with EdgeError. */
export async function forgetMembers({ nft, ip }: Pick<HostPrograms, "nft" | "ip">): Promise<void> {
  if (nft === undefined) return;
  await forgetTable(nft);
  await forgetRoutes(ip);
}
