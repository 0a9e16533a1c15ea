// What a place to listen on means, with real sockets: both families by one port, IPv4 alone, and a
// kernel without IPv6, which a server plays that refuses every address of it.

import assert from "node:assert/strict";
import { createServer, Server } from "node:http";
import { createServer as createTcpServer, type ListenOptions } from "node:net";
import { once } from "node:events";
import { suite, test } from "node:test";

import { isEdgeError } from "./errors.ts";
import { type HostPort, parseHostPort } from "./host-port.ts";
import { closeHttp, listenHttp, namingFlag } from "./http-listen.ts";

const at = (text: string): HostPort => parseHostPort(text) ?? assert.fail(text);
const listen = (server: Server, text: string): Promise<HostPort> =>
  listenHttp(server, at(text), () => undefined);

/** Which of the loopback's addresses answer at a port. */
async function answering(port: number): Promise<readonly string[]> {
  const hosts = ["127.0.0.1", "[::1]"];
  const asked = hosts.map(async (host) => {
    const answer = await fetch(`http://${host}:${port}`).catch(() => undefined);
    return answer === undefined ? [] : [await answer.text()];
  });
  return (await Promise.all(asked)).flat();
}

/** Says who it takes the caller for. */
const tellCaller = (server: Server): Server =>
  server.on("request", ({ socket }, response) => response.end(`to ${socket.localAddress}`));

const places = [
  { place: ":0", host: "::", answers: ["to ::ffff:127.0.0.1", "to ::1"] },
  { place: "0", host: "::", answers: ["to ::ffff:127.0.0.1", "to ::1"] },
  { place: "[::]:0", host: "::", answers: ["to ::ffff:127.0.0.1", "to ::1"] },
  { place: "0.0.0.0:0", host: "0.0.0.0", answers: ["to 127.0.0.1"] },
  { place: "[::1]:0", host: "::1", answers: ["to ::1"] },
];

for (const { place, host, answers } of places) {
  const families = answers.length === 1 ? "one family" : "both families";
  test(`who listens on ${place} answers ${families} on its port`, async () => {
    const server = tellCaller(createServer());
    const bound = await listen(server, place);
    assert.equal(bound.host, host);
    assert.deepEqual(await answering(bound.port), answers);
    await closeHttp(server);
  });
}

/** A server of a kernel that says `errno` to every address of IPv6. */
class OldServer extends Server {
  readonly tried: string[] = [];
  readonly #errno: string;

  constructor(errno: string) {
    super();
    this.#errno = errno;
  }

  override listen(...given: readonly unknown[]): this {
    const { host = "", port } = given[0] as ListenOptions;
    this.tried.push(host);
    if (!host.includes(":")) return super.listen({ host, port, exclusive: true });
    const error = Object.assign(new Error(`listen ${this.#errno}`), { code: this.#errno });
    process.nextTick(() => this.emit("error", error));
    return this;
  }
}

suite("a kernel without IPv6", () => {
  for (const errno of ["EAFNOSUPPORT", "EADDRNOTAVAIL"]) {
    test(`is served over IPv4 when it says ${errno}`, async () => {
      const server = new OldServer(errno);
      tellCaller(server);
      const ownCount = server.listenerCount("listening");
      const bound = await listen(server, ":0");
      assert.deepEqual(server.tried, ["::", "0.0.0.0"]);
      assert.equal(bound.host, "0.0.0.0");
      assert.deepEqual(await answering(bound.port), ["to 127.0.0.1"]);
      await closeHttp(server);
      assert.equal(server.listenerCount("listening"), ownCount, "nothing of the first try is left");
    });
  }

  test("does not make IPv4 of an address of IPv6 that was asked for", async () => {
    const server = new OldServer("EAFNOSUPPORT");
    await assert.rejects(listen(server, "[::]:7704"), (error) => {
      assert.ok(isEdgeError(error, "NO_SUCH_ADDRESS"));
      assert.equal(error.message, "cannot listen on [::]:7704: this host has no IPv6");
      return true;
    });
    assert.deepEqual(server.tried, ["::"]);
  });
});

for (const { host, ipv6Only } of [
  { host: "0.0.0.0", ipv6Only: false },
  { host: "127.0.0.1", ipv6Only: false },
  { host: "::", ipv6Only: true },
  { host: "::1", ipv6Only: true },
]) {
  test(`a port that another program has on ${host} alone is taken for all addresses`, async () => {
    const other = createTcpServer().listen({ host, port: 0, ipv6Only });
    await once(other, "listening");
    const address = other.address();
    assert.ok(address !== null && typeof address === "object");
    const place = `:${address.port}`;
    await assert.rejects(
      namingFlag({ flag: "--listen-metrics", at: at(place) }, () => listen(createServer(), place)),
      (error) => {
        assert.ok(isEdgeError(error, "PORT_TAKEN"));
        const [start, end] = error.message.split(/(?<=: )\S+ (?=\(pid)/);
        assert.equal(start, `cannot listen on ${place} of --listen-metrics: `);
        assert.equal(end, `(pid ${process.pid}) holds the port`);
        return true;
      },
    );
    other.close();
  });
}
