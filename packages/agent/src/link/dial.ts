// How a stream to the controller is opened. The link needs a call that it can write to and close,
// and to be told what comes of it; over the network that is a call of grpc-js.

import { Client } from "@grpc/grpc-js";
import {
  AgentService,
  channelCredentials,
  channelOptions,
  type Credentials,
  serviceDefinition,
  type SyncRequest,
  type SyncResponse,
} from "@fairlead/wire";

/** One open call. */
export interface DialedCall {
  /** False when there is no more room; `onDrain` tells when there is. */
  write(message: SyncRequest): boolean;
  /** Ends the call and everything below it. */
  close(): void;
}

/** Who is told what comes of a call; never before `Dial` has returned. */
export interface DialEvents {
  onMessage(message: SyncResponse): void;
  onDrain(): void;
  /** The controller ended it well. */
  onEnd(): void;
  /** It ended otherwise: `code` is the number of gRPC's status. */
  onError(error: Error & { readonly code?: number; readonly details?: string }): void;
}

/** Opens a call. Never throws: what fails comes as `onError`. */
export type Dial = (events: DialEvents) => DialedCall;

/** Dials a controller at `host:port`, each time by a connection of its own. */
export function createGrpcDial(options: {
  readonly address: string;
  readonly credentials: Credentials;
}): Dial {
  const { sync } = serviceDefinition(AgentService);
  return (events) => {
    // A client of its own for each try: a shared channel would add its waits to ours.
    const credentials = channelCredentials(options.credentials);
    const client = new Client(options.address, credentials, channelOptions());
    const call = client.makeBidiStreamRequest<SyncRequest, SyncResponse>(
      sync.path,
      (message) => sync.requestSerialize(message),
      sync.responseDeserialize,
    );
    // In the same tick as the call: an unread stream takes data in without limit.
    call.on("data", (message: SyncResponse) => events.onMessage(message));
    call.on("error", (error) => events.onError(error));
    call.on("end", () => events.onEnd());
    call.on("drain", () => events.onDrain());
    return {
      write: (message) => call.write(message),
      close: () => {
        call.cancel();
        client.close();
      },
    };
  };
}
