// What ends connections of clients, where the kernel can. One that cannot is asked for nothing: it
// would leave them all as they are, and they would be counted as reset.

import type { Logger } from "@fairlead/runtime";

import type { ClientConnections } from "./ports.ts";

/** What it is made of. */
export interface ClientConnectionsOptions {
  readonly log: Logger;
  /** What the kernel says against it; undefined: it ends sockets. */
  readonly socketEndingProblem: () => Promise<string | undefined>;
  readonly open: () => Promise<ClientConnections>;
}

/** Opens the adapter; undefined where the kernel ends no sockets, which is said. */
export async function openClientConnections(
  options: ClientConnectionsOptions,
): Promise<ClientConnections | undefined> {
  const problem = await options.socketEndingProblem();
  if (problem === undefined) return await options.open();
  const what = "the kernel ends no sockets: connections to addresses that leave this host stay";
  options.log.warn({ problem }, what);
  return undefined;
}
