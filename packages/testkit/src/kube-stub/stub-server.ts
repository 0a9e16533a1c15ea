// The listening socket of the stub and its connections: closed and reset at once, and opened again
// on the same port. Given who answers. Plain HTTP on a loopback address of its own.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";

import { assert } from "@fairlead/model";

import { ownLoopback } from "./own-loopback.ts";

/** API servers leave connections open so long between two requests, in ms. */
const IDLE_MS_MAX = 90_000;

/** A server that can go and come back. */
export class StubServer {
  readonly #onRequest: RequestListener;
  readonly #connections = new Set<Socket>();
  readonly #host = ownLoopback();
  #server: Server | undefined;
  #port = 0;

  constructor(onRequest: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#onRequest = onRequest;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Listens, after the first time on the port that it had. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ keepAliveTimeout: IDLE_MS_MAX }, this.#onRequest);
    server.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      // Of a connection that the other side has reset.
      socket.on("error", () => undefined);
    });
    this.#server = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject);
    server.listen(this.#port, this.#host, resolve);
    await promise;
    const address: AddressInfo | string | null = server.address();
    assert(typeof address === "object" && address !== null, "a server that listens has a port");
    this.#port = address.port;
  }

  /** Refuses connections, and resets those that there are. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#connections) socket.resetAndDestroy();
    await closed;
  }
}
