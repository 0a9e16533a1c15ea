// Takes off a host what was our data plane's in its kernel: the table of members and the routes to
// it, and what was heard of VRRP. All of it is the host's, so whoever calls must know that the data
// plane has ended and was ours.

import { forgetRoutes } from "./netlink/service-routes.ts";
import { forgetMembers } from "./nft/member-table.ts";
import { forgetHeard } from "./nft/nft-vrrp.ts";
import type { HostPrograms } from "./preflight/preflight.ts";

/** Removes tables and routes; without `nft` the host has none. Rejects with EdgeError. */
export async function forgetTables({ nft, ip }: Pick<HostPrograms, "nft" | "ip">): Promise<void> {
  if (nft === undefined) return;
  await forgetMembers(nft);
  await forgetRoutes(ip);
  await forgetHeard(nft);
}
