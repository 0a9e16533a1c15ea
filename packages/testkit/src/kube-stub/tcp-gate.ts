// A gate on the way to a server: closed, it refuses connections and resets those that there are;
// frozen, it carries nothing more of those and says so to nobody. Given where it leads. What goes
// through is not looked at, so that it may be TLS.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

import { ownLoopback } from "./own-loopback.ts";

/** A gate that is open at first. Disposing closes it. */
export interface TcpGate extends AsyncDisposable {
  readonly host: string;
  /** Stays the same over `close` and `open`. */
  readonly port: number;
  close(): Promise<void>;
  open(): Promise<void>;
  /** Connections that there are stay, and nothing comes through any more. New ones work. */
  freeze(): void;
}

/** Opens a gate that leads to this address. */
export async function openTcpGate(to: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpGate> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const host = ownLoopback();
  let server: Server | undefined;
  let port = 0;

  function carry(client: Socket): void {
    const target = connect({ ...to, noDelay: true });
    const pair = [client, target] as const;
    pairs.add(pair);
    for (const [from, onto] of [pair, [target, client] as const]) {
      from.on("error", () => undefined);
      from.on("close", () => {
        pairs.delete(pair);
        onto.destroy();
      });
      from.pipe(onto);
    }
  }

  async function open(): Promise<void> {
    if (server !== undefined) return;
    server = createServer({ noDelay: true }, carry);
    server.listen(port, host);
    await once(server, "listening");
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  }

  async function close(): Promise<void> {
    const closing = server;
    server = undefined;
    for (const [client, target] of pairs) {
      client.resetAndDestroy();
      target.destroy();
    }
    await closing?.[Symbol.asyncDispose]();
  }

  await open();
  return {
    host,
    port,
    open,
    close,
    freeze: () => {
      for (const [client, target] of pairs) {
        client.unpipe(target);
        target.unpipe(client);
        client.pause();
        target.pause();
      }
    },
    [Symbol.asyncDispose]: close,
  };
}
