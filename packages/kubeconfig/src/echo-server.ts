// For tests: a server that answers each request with what it saw of it, over http or https, and the
// other side of it. Given a server certificate for https. It listens on loopback alone.

import { createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import { createServer as createHttpsServer, request as requestHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { TLSSocket } from "node:tls";
import type { KubeAccess } from "./kube-access.ts";
import type { MadeCertificate } from "./made-certificates.ts";

/** What the server saw of one request. */
export interface Seen {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The common name of the client's certificate; empty without one. */
  readonly client: string;
  /** The name that TLS was asked for; empty without one. */
  readonly servername: string;
  /** The client's port: the same one is the same connection. */
  readonly port: number;
}

/** A server that runs. */
export interface EchoServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server: https when a certificate is given. */
export async function startEchoServer(tls?: MadeCertificate): Promise<EchoServer> {
  const answer = (message: IncomingMessage): string => JSON.stringify(see(message));
  const server =
    tls === undefined
      ? createHttpServer((message, response) => response.end(answer(message)))
      : createHttpsServer(
          { cert: tls.certificate, key: tls.key, requestCert: true, rejectUnauthorized: false },
          (message, response) => response.end(answer(message)),
        );
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Makes one request of an access, to `path` below its server. */
export async function ask(access: KubeAccess, path = "/version"): Promise<Seen> {
  const options = await access.requestOptions();
  const url = new URL(`${access.server}${path}`);
  const make = url.protocol === "https:" ? requestHttps : request;
  return new Promise((resolve, reject) => {
    const sent = make(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => resolve(JSON.parse(text) as Seen));
    });
    sent.once("error", reject);
    sent.end();
  });
}

function see(message: IncomingMessage): Seen {
  const { socket } = message;
  const peer = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
  const asked: unknown = socket instanceof TLSSocket ? socket.servername : undefined;
  const names = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
  return {
    path: message.url ?? "",
    headers: Object.fromEntries(names) as Record<string, string>,
    client: String(peer?.subject?.CN ?? ""),
    servername: typeof asked === "string" ? asked : "",
    port: socket.remotePort ?? 0,
  };
}
