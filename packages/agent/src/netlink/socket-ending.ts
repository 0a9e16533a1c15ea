// Whether the kernel ends sockets on request, as connections to removed members are ended: it is
// asked to end a socket that nobody can have. It ends none.

import { describeError } from "@fairlead/runtime";

import { NO_SOCKET, SOCKET_END, SOCKETS } from "./flow-messages.ts";
import { closeSockets } from "./close-sockets.ts";
import { loadNetlink } from "./load-netlink.ts";
import { SOCKET_SIZES } from "./socket-sizes.ts";

/** It answers at once; an agent that starts on a busy host may be late to read it. */
const ANSWER_MS_MAX = 10_000;

/** What the kernel says against it, in its own words; undefined: it does. Never rejects. */
export async function socketEndingProblem(): Promise<string | undefined> {
  try {
    const { createNetlink } = await loadNetlink();
    const socket = createNetlink(SOCKETS, { ref: true, ...SOCKET_SIZES });
    try {
      await socket.request(SOCKET_END, NO_SOCKET, { timeout: ANSWER_MS_MAX });
    } finally {
      await closeSockets(socket);
    }
    return undefined;
  } catch (error) {
    const words = describeError(error);
    // It has looked for the socket; without CONFIG_INET_DIAG_DESTROY it says EOPNOTSUPP.
    return words.includes("ENOENT") ? undefined : words;
  }
}
