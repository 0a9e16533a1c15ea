// Asks nginx which generation serves, on the unix socket that each generation has for itself and
// answers with its id. Given that socket's path. It speaks to nothing else: never to a port of a
// user.

import { connect } from "node:net";

/** Longest answer that is read; an id is a few dozen characters. */
const ANSWER_BYTES_MAX = 256;
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
    const socket = connect({ path: socketPath });
    let answer = "";
    const finish = (id: string | undefined): void => {
      socket.destroy();
      resolve(id === "" ? undefined : id);
    };
    socket.setTimeout(ANSWER_MS_MAX, () => finish(undefined));
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
      if (answer.length > ANSWER_BYTES_MAX) finish(undefined);
    });
    socket.once("end", () => finish(answer.trim()));
    socket.once("error", () => finish(undefined));
    socket.once("close", () => finish(undefined));
  });
}
