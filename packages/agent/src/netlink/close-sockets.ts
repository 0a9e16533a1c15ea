// The one way to close netlink sockets. The package's native part runs on after it has handed over
// an answer: whoever closes the socket in the same turn of the loop, as code that waited for that
// answer may, ends the whole process by SIGSEGV (measured). A turn later it is safe.

import { setImmediate } from "node:timers/promises";

/** Closes them a turn of the loop later. What was asked and not answered never is. */
export async function closeSockets(
  ...sockets: readonly { readonly close: () => void }[]
): Promise<void> {
  await setImmediate();
  for (const socket of sockets) socket.close();
}
