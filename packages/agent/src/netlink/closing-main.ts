// A program that closes a netlink socket as soon as the first of two questions is answered, for
// close-sockets.test.ts. It ends well, or by a signal. Given a network namespace of its own.

import { setTimeout } from "node:timers/promises";

import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { ELEMENTS_GET, elementsOf } from "./set-messages.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** NETLINK_NETFILTER and NLM_F_DUMP (netlink(7)). */
const NETFILTER = 12;
const DUMP = 0x300;

const { createNetlink } = await loadNetlink();
const socket = createNetlink(NETFILTER, { ref: true, ...SOCKET_SIZES });
const options = { flags: DUMP, timeout: 1000 };
const ask = async (): Promise<void> => {
  await socket.request(ELEMENTS_GET, elementsOf("no-table", "no-set"), options);
};
await setTimeout(5);
// The others wait to be sent when the first one is refused.
await Promise.all([ask(), ask(), ask(), ask()]).catch(() => closeSockets(socket));
// What is answered on a closed socket is answered to nobody: the process lives to its end.
await setTimeout(50);
process.exit(0);
