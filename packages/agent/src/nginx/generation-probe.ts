// Asks nginx which generation serves, on the unix socket that each generation has for itself and
// answers with its id. Given that socket's path. It speaks to nothing else: never to a port of a
// user.

import { connect } from "node:net";

/** Longest answer that is read; an id is a few dozen characters. */
const ANSWER_BYTES_MAX = 256;
/** What is read at once. */
const READ_BYTES = 64;
/** A worker answers within a millisecond; one that is stopped never does. */
const ANSWER_MS_MAX = 500;

/** The server of a rendered file that answers probes. */
const PROBED = /listen unix:([^;\s]+);\s+return [^;]+;/;

/** The socket that the workers of a rendered file answer on; undefined when it has none. */
export function probeSocketOf(text: string): string | undefined {
  return PROBED.exec(text)?.[1];
}

/** The id of the generation that answers now; undefined when none does, for whatever reason. */
export function probeGeneration(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = "";
    const finish = (id: string): void => {
      socket.destroy();
      resolve(id === "" ? undefined : id);
    };
    const none = (): void => finish("");
    // It is asked five times a second: a stream's own buffers would cost as much as the question.
    const callback = (length: number, bytes: Uint8Array): boolean => {
      answer += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
      if (answer.length > ANSWER_BYTES_MAX) none();
      return !socket.destroyed;
    };
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const socket = connect({ path: socketPath, onread: { buffer, callback } });
    socket.setTimeout(ANSWER_MS_MAX, none);
    socket.once("end", () => finish(answer.trim()));
    socket.once("error", none);
    socket.once("close", none);
  });
}
