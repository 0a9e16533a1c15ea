// Those who watch, for tests: one that reads each message as it comes, and one that speaks HTTP/2
// by hand, so that it can leave everything unread: grpc-js reads ahead whether asked to or not.

import { once } from "node:events";
import { connect } from "node:http2";

import { Client, type ServiceError } from "@grpc/grpc-js";
import { type HostPort, formatHostPort } from "@fairlead/runtime";
import {
  AdminService,
  channelCredentials,
  channelOptions,
  type ListKind,
  serviceDefinition,
  type WatchResponse,
} from "@fairlead/wire";

const { watch: WATCH } = serviceDefinition(AdminService);

/** A watcher that reads. */
export interface Reader extends Disposable {
  /** Messages that came and were not taken. */
  readonly waiting: readonly WatchResponse[];
  /** The next message. Rejects when the call ended. */
  next(): Promise<WatchResponse>;
  /** The status that the call ended with. */
  readonly ended: Promise<ServiceError>;
}

/** Starts to watch. */
export function watchAt(at: HostPort, kinds: readonly ListKind[] = []): Reader {
  const credentials = channelCredentials({ kind: "insecure" });
  const client = new Client(formatHostPort(at), credentials, channelOptions());
  const { path, requestSerialize, responseDeserialize } = WATCH;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {
    kinds: [...kinds],
  });
  const waiting: WatchResponse[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<ServiceError>();
  let wake: (() => void) | undefined;
  call.on("data", (message: WatchResponse) => {
    waiting.push(message);
    wake?.();
  });
  call.on("error", (error: ServiceError) => resolve(error));
  return {
    waiting,
    ended,
    next: async () => {
      for (;;) {
        const message = waiting.shift();
        if (message !== undefined) return message;
        const { promise: came, resolve: onCame } = Promise.withResolvers<void>();
        wake = onCame;
        const end = await Promise.race([came, ended]);
        if (end !== undefined) throw end;
      }
    },
    [Symbol.dispose]: () => {
      call.cancel();
      client.close();
    },
  };
}

/** A watcher that takes what fits into one window of 64 KiB, and no more until it is told to. */
export interface IdleReader extends Disposable {
  /** Reads until this many messages came, and gives them. */
  read(count: number): Promise<readonly WatchResponse[]>;
}

/** Starts to watch without reading; resolves once the server has answered. */
export async function watchIdly(at: HostPort): Promise<IdleReader> {
  const session = connect(`http://${formatHostPort(at)}`);
  const stream = session.request({
    ":method": "POST",
    ":path": WATCH.path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  // An empty request in its frame: not compressed, 0 bytes.
  stream.end(Buffer.alloc(5));
  await once(stream, "response");
  return {
    read: async (count) => {
      let bytes = Buffer.alloc(0);
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
        bytes = Buffer.concat([bytes, chunk as Buffer]);
        const messages = messagesOf(bytes);
        if (messages.length >= count) return messages;
      }
      throw new Error("the call ended before that");
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}

/** Whole messages in what came: each after a frame's head of 5 bytes. */
function messagesOf(bytes: Buffer): readonly WatchResponse[] {
  const messages: WatchResponse[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) break;
    messages.push(WATCH.responseDeserialize(bytes.subarray(at + 5, end)));
    at = end;
  }
  return messages;
}
