// A server that answers every connection with the same bytes, in pieces of the test's choice, for
// what no HTTP server would send. Given the pieces. It reads what it is asked and minds none of it.

import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A server that says one thing. Disposing ends its connections too. */
export interface RawServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly server: string;
  /** Resolves when the first connection was sent all pieces. */
  readonly sent: Promise<void>;
}

/** How it answers. */
export interface RawServerOptions {
  /** Sent one by one, each when the one before has left. */
  readonly pieces: readonly (Buffer | string)[];
  /** Leaves the connection open then. Default: it ends it. */
  readonly stays?: boolean;
}

/** The pieces of a good answer, in lines or not, whose chunks are these. */
export function chunkedAnswer(chunks: readonly (Buffer | string)[]): readonly Buffer[] {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  const framed = chunks.map((chunk) => {
    const bytes = Buffer.from(chunk);
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
    return Buffer.concat([size, bytes, Buffer.from("\r\n")]);
  });
  return [Buffer.from(head), ...framed, Buffer.from("0\r\n\r\n")];
}

/** Starts it. */
export async function startRawServer(options: RawServerOptions): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const sent = Promise.withResolvers<void>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    // Of a client that has gone.
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    socket.once("data", () => void answer(socket, options).then(sent.resolve));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new TypeError("it has no port");
  return {
    server: `http://127.0.0.1:${address.port}`,
    sent: sent.promise,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  };
}

async function answer(socket: Socket, { pieces, stays = false }: RawServerOptions): Promise<void> {
  for (const piece of pieces) {
    await new Promise<void>((resolve) => {
      socket.write(piece, () => resolve());
    });
  }
  if (!stays) socket.end();
}
