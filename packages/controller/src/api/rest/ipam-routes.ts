// The routes of the IPAM service under /ipam/v1. Each reads its fields, runs a command and shows
// what came of it; what is shown is durable. docs/reference/ipam.md describes them one by one.

import { classRoutes } from "./class-routes.ts";
import type { IpamRoutesOptions } from "./ipam-command.ts";
import { netblockRoutes } from "./netblock-routes.ts";
import { registrationReads } from "./registration-reads.ts";
import { registrationWrites } from "./registration-writes.ts";
import type { Route } from "./route.ts";

/** All of them. */
export function ipamRoutes(options: IpamRoutesOptions): readonly Route[] {
  return [
    ...classRoutes(options),
    ...netblockRoutes(options),
    ...registrationReads(options.service),
    ...registrationWrites(options),
  ];
}
