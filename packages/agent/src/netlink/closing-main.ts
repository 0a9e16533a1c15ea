// A program that closes its adapter as soon as the first of four questions is answered, for
// close-sockets.test.ts. It ends well, or by a signal. Given a network namespace of its own.

import { setTimeout } from "node:timers/promises";

import { createNetlinkSets } from "./netlink-sets.ts";

const sets = await createNetlinkSets();
const ask = (): Promise<unknown> => sets.read("no-table", "no-set");
await setTimeout(5);
// The others wait to be sent when the first one is answered.
await Promise.race([ask(), ask(), ask(), ask()]);
await sets[Symbol.asyncDispose]();
// What is answered on a closed socket is answered to nobody: the process lives to its end.
await setTimeout(50);
process.exit(0);
