// Asks the host's resolver for the addresses of a name. Whatever goes wrong rejects.

import { lookup } from "node:dns/promises";

/** All addresses of a name, of both families, as text. */
export async function lookUpHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
