// Connections through proxies that behave: HTTP with CONNECT, and SOCKS5.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, startEchoServer } from "./echo-server.ts";
import { toBase64, writeKubeconfig } from "./kubeconfig-text.ts";
import { loadKubeAccess } from "./load-kube-access.ts";
import { makeAuthority } from "./made-certificates.ts";

const ROOT = mkdtempSync(join(tmpdir(), "fairlead-kubeconfig-"));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const AUTHORITY = makeAuthority(ROOT);
const SERVER = AUTHORITY.issue({ name: "apiserver" });

interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Where it was asked to connect to, with the credentials it was given. */
  readonly asked: readonly string[];
}

async function startProxy(make: (asked: string[], sockets: Set<Socket>) => Server): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = make(asked, sockets);
  server.on("connection", (socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function splice(from: Socket, to: Socket): void {
  from.on("error", () => to.destroy());
  to.on("error", () => from.destroy());
  from.pipe(to).pipe(from);
}

/** Refuses who has no credentials. */
const startHttpProxy = (): Promise<Proxy> =>
  startProxy((asked, sockets) =>
    createHttpServer().on("connect", (message, socket: Socket) => {
      const credentials = message.headers["proxy-authorization"] ?? "";
      asked.push(`${message.url} ${credentials}`);
      if (credentials === "") {
        socket.end("HTTP/1.1 407 Who\r\n\r\n");
        return;
      }
      const [host = "", port] = (message.url ?? "").split(":");
      const onward = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connected\r\n\r\n");
        splice(socket, onward);
      });
      sockets.add(onward);
    }),
  );

/** The least of SOCKS5: no credentials, IPv4 addresses. */
const startSocksProxy = (): Promise<Proxy> =>
  startProxy((asked, sockets) =>
    createServer((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.from([5, 0]));
        socket.once("data", (wish: Buffer) => {
          const host = wish.subarray(4, 8).join(".");
          const port = wish.readUInt16BE(8);
          asked.push(`${host}:${port}`);
          const onward = connect(port, host, () => {
            socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
            splice(socket, onward);
          });
          sockets.add(onward);
        });
      });
    }),
  );

const cases = [
  { name: "an HTTP proxy", start: startHttpProxy, url: "http://me:pw@", credentials: "me:pw" },
  { name: "a SOCKS proxy", start: startSocksProxy, url: "socks5://", credentials: undefined },
];
for (const c of cases) {
  for (const scheme of ["https", "http"]) {
    test(`${scheme} through ${c.name}, on one connection`, async () => {
      await using server = await startEchoServer(scheme === "https" ? SERVER : undefined);
      await using proxy = await c.start();
      const admin = AUTHORITY.issue({ name: "admin" });
      const kubeconfig = writeKubeconfig(ROOT, {
        cluster: {
          server: `${scheme}://127.0.0.1:${server.port}`,
          "certificate-authority-data": toBase64(AUTHORITY.ca),
          "proxy-url": `${c.url}127.0.0.1:${proxy.port}`,
        },
        user: {
          "client-certificate-data": toBase64(admin.certificate),
          "client-key-data": toBase64(admin.key),
        },
      });
      const access = loadKubeAccess({ kubeconfig });
      const first = await ask(access);
      const second = await ask(access);
      access.close();
      assert.equal(first.client, scheme === "https" ? "admin" : "");
      assert.equal(second.port, first.port);
      const basic = c.credentials === undefined ? "" : ` Basic ${toBase64(c.credentials)}`;
      assert.deepEqual(proxy.asked, [`127.0.0.1:${server.port}${basic}`]);
    });
  }
}

test("a proxy that refuses ends the request", async () => {
  await using proxy = await startHttpProxy();
  const kubeconfig = writeKubeconfig(ROOT, {
    cluster: { server: "https://10.0.0.1", "proxy-url": `http://127.0.0.1:${proxy.port}` },
  });
  const access = loadKubeAccess({ kubeconfig });
  await assert.rejects(ask(access), /407/);
  access.close();
});

test("a proxy of the environment is not used, and is told where none is named", () => {
  const server = "https://10.0.0.1";
  const named = { server, "proxy-url": "http://10.0.0.2:3128" };
  const unused = (cluster: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv): unknown => {
    const access = loadKubeAccess({ kubeconfig: writeKubeconfig(ROOT, { cluster }), env });
    access.close();
    return access.unusedProxy;
  };
  const env = { HTTPS_PROXY: "http://10.0.0.3:3128", http_proxy: "http://10.0.0.3:3128" };
  assert.equal(unused({ server }, env), "HTTPS_PROXY");
  assert.equal(unused({ server: "http://10.0.0.1" }, env), "http_proxy");
  assert.equal(unused(named, env), undefined);
  assert.equal(unused({ server }, { HTTPS_PROXY: "" }), undefined);
});
