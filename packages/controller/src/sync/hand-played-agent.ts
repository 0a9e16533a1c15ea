// An agent that a test plays by hand on real gRPC: it says what it is told to, and keeps what it
// hears until it is asked for. For tests alone.

import {
  AgentService,
  channelCredentials,
  channelOptions,
  decodeFromController,
  encodeFromAgent,
  type FromAgent,
  type FromController,
  serviceDefinition,
  type SyncRequest,
  type SyncResponse,
} from "@fairlead/wire";
import { Client, type ClientDuplexStream, type ServiceError } from "@grpc/grpc-js";

/** The agent's side of one stream, with what it heard. */
export class HandPlayedAgent {
  readonly #client: Client;
  readonly call: ClientDuplexStream<SyncRequest, SyncResponse>;
  readonly heard: FromController[] = [];
  readonly ended: Promise<ServiceError>;
  #wake: () => void = () => {};

  constructor(address: string) {
    const { sync } = serviceDefinition(AgentService);
    this.#client = new Client(address, channelCredentials({ kind: "insecure" }), channelOptions());
    this.call = this.#client.makeBidiStreamRequest<SyncRequest, SyncResponse>(
      sync.path,
      (message) => sync.requestSerialize(message),
      sync.responseDeserialize,
    );
    const { promise, resolve } = Promise.withResolvers<ServiceError>();
    this.ended = promise;
    this.call.on("error", (error: ServiceError) => resolve(error));
    this.call.on("data", (message: SyncResponse) => {
      const decoded = decodeFromController(message);
      if (decoded.kind === "ok") this.heard.push(decoded.value);
      this.#wake();
    });
  }

  /** Sends a message. */
  say(message: FromAgent): void {
    this.call.write(encodeFromAgent(message));
  }

  /** The next message of this kind; everything before it is skipped. */
  async next<K extends FromController["kind"]>(
    kind: K,
  ): Promise<Extract<FromController, { kind: K }>> {
    for (;;) {
      const message = await this.any();
      if (message.kind === kind) return message as Extract<FromController, { kind: K }>;
    }
  }

  /** The next message. */
  async any(): Promise<FromController> {
    for (;;) {
      const message = this.heard.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Breaks the stream. */
  close(): void {
    this.call.cancel();
    this.#client.close();
  }
}
