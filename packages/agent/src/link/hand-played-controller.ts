// A controller that a test plays by hand on real gRPC: it takes streams, says what it is told to,
// and keeps what it hears until it is asked for. For tests alone.

import {
  AgentService,
  decodeFromAgent,
  encodeToAgent,
  type FromAgent,
  serverCredentials,
  serverOptions,
  serviceDefinition,
  type SyncRequest,
  type SyncResponse,
  type ToAgent,
} from "@fairlead/wire";
import { Server, type ServerDuplexStream } from "@grpc/grpc-js";

/** One stream of an agent. */
export class HandPlayedStream {
  readonly call: ServerDuplexStream<SyncRequest, SyncResponse>;
  readonly heard: FromAgent[] = [];
  readonly ended: Promise<void>;
  #wake: () => void = () => {};

  constructor(call: ServerDuplexStream<SyncRequest, SyncResponse>) {
    this.call = call;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    call.on("cancelled", resolve);
    call.on("error", () => resolve());
    call.on("data", (message: SyncRequest) => {
      const decoded = decodeFromAgent(message);
      if (decoded.kind === "ok") this.heard.push(decoded.value);
      this.#wake();
    });
  }

  /** Sends a message. */
  say(message: ToAgent): void {
    this.call.write(encodeToAgent(message));
  }

  /** Says welcome, and that it knows no report. */
  welcome(reportKnown = false): void {
    const welcome = { epoch: 1, version: "0.1.0", heartbeatIntervalMs: 10_000, reportKnown };
    this.say({ kind: "welcome", welcome });
  }

  /** The next message of this kind; everything before it is skipped. */
  async next<K extends FromAgent["kind"]>(kind: K): Promise<Extract<FromAgent, { kind: K }>> {
    for (;;) {
      const message = await this.any();
      if (message.kind === kind) return message as Extract<FromAgent, { kind: K }>;
    }
  }

  /** The next message. */
  async any(): Promise<FromAgent> {
    for (;;) {
      const message = this.heard.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** The server; disposing ends all its streams. */
export class HandPlayedController implements AsyncDisposable {
  readonly streams: HandPlayedStream[] = [];
  readonly #server = new Server(serverOptions());
  #taken = 0;
  #wake: () => void = () => {};
  port = 0;

  /** Listens on loopback; port 0 is a free one. */
  async start(port = 0): Promise<this> {
    const sync = (call: ServerDuplexStream<SyncRequest, SyncResponse>): void => {
      this.streams.push(new HandPlayedStream(call));
      this.#wake();
    };
    this.#server.addService(serviceDefinition(AgentService), { sync });
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const credentials = serverCredentials({ kind: "insecure" });
    this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
    this.port = await promise;
    return this;
  }

  /** The next stream that an agent opens. */
  async stream(): Promise<HandPlayedStream> {
    for (;;) {
      const stream = this.streams[this.#taken];
      if (stream === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else {
        this.#taken += 1;
        return stream;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
    await Promise.resolve();
  }
}
