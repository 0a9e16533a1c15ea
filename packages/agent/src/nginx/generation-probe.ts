// Asks nginx which generation serves, on the unix socket that each generation has for itself and
// answers with its id. Given that socket's path. It speaks to nothing else: never to a port of a
// user.

import { once } from "node:events";
import { Socket, connect } from "node:net";

/** Longest answer that is read; an id is a few dozen characters. */
const ANSWER_BYTES_MAX = 256;
/** What is read at once. */
const READ_BYTES = 64;
/** The whole id of a generation of ours: there is no need to wait until nginx has closed. */
const WHOLE_ID = /^[0-9a-f]{16}$/;
/** A worker answers within a millisecond; one that is stopped never does. */
const ANSWER_MS_MAX = 500;

/** The server of a rendered file that answers probes, itself or by another socket of its own. */
const PROBED = /listen unix:([^;\s]+);\s+(?:return [^;]+|proxy_pass unix:([^;\s]+));/;

/** The socket that the workers of a rendered file answer on; undefined when it has none. */
export function probeSocketOf(text: string): string | undefined {
  return PROBED.exec(text)?.[1];
}

/** That socket, and the one that it leads to. */
export function unixSocketsOf(text: string): readonly string[] {
  return (PROBED.exec(text) ?? []).slice(1).filter((socket) => socket !== undefined);
}

/** Who is asked again and again on one socket. */
export interface GenerationProbe {
  /** The id of the generation that answers now; undefined when none does, for whatever reason. */
  ask(): Promise<string | undefined>;
}

/** Whether somebody listens on the socket, and be it that there is no time for an answer. */
export async function isListenedTo(path: string | undefined): Promise<boolean> {
  if (path === undefined) return false;
  const socket = connect({ path });
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    // Or so many have asked that there is no room for another.
    return error instanceof Error && "code" in error && error.code === "EAGAIN";
  } finally {
    socket.destroy();
  }
}

/** Asks once. */
export function probeGeneration(socketPath: string): Promise<string | undefined> {
  return createGenerationProbe(socketPath).ask();
}

/**
 * Makes it; nothing is asked yet. It is asked five times a second: the streams of a connection are
 * used again for the next one, as to make them would cost as much as the question.
 */
export function createGenerationProbe(socketPath: string): GenerationProbe {
  let idle: Line | undefined;
  return {
    ask: () => {
      const line = idle ?? new Line(socketPath, (free) => (idle = free));
      idle = undefined;
      return line.ask();
    },
  };
}

/** One connection after another, each with a question. */
class Line {
  readonly #path: string;
  readonly #socket: Socket;
  #answer = "";
  #late: NodeJS.Timeout | undefined;
  #resolve: (id: string | undefined) => void = () => undefined;

  /** @param onFree called when another question may be asked. */
  constructor(path: string, onFree: (line: Line) => void) {
    this.#path = path;
    const onread = { buffer: Buffer.allocUnsafe(READ_BYTES), callback: this.#read.bind(this) };
    // What the other one has ended is destroyed: to end it too would be one more call.
    this.#socket = new Socket({ allowHalfOpen: true, onread });
    this.#socket.on("end", () => this.#finish(this.#answer.trim()));
    this.#socket.on("error", () => this.#finish(""));
    this.#socket.on("close", () => {
      this.#finish("");
      onFree(this);
    });
  }

  ask(): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#answer = "";
    this.#resolve = resolve;
    this.#socket.connect({ path: this.#path });
    // That of a socket which is used again stays in Node's list, and wakes the process for nothing.
    this.#late = setTimeout(() => this.#finish(""), ANSWER_MS_MAX);
    return promise;
  }

  #read(length: number, bytes: Uint8Array): boolean {
    this.#answer += Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
    if (WHOLE_ID.test(this.#answer)) this.#finish(this.#answer);
    else if (this.#answer.length > ANSWER_BYTES_MAX) this.#finish("");
    return !this.#socket.destroyed;
  }

  /** Whatever comes after the first is late. */
  #finish(id: string): void {
    clearTimeout(this.#late);
    this.#socket.destroy();
    this.#resolve(id === "" ? undefined : id);
  }
}
