// Where a gRPC server of the controller listens: on all addresses when its place has no host, and
// on those of IPv4 where the kernel, played by a socket that refuses, has none of IPv6.

import assert from "node:assert/strict";
import { connect } from "node:http2";
import { type ListenOptions, Server as Sockets } from "node:net";
import { test, type TestContext } from "node:test";

import { Server } from "@grpc/grpc-js";
import { type HostPort, isEdgeError } from "@fairlead/runtime";

import { bindServer, closeServer } from "./bind-server.ts";

const INSECURE = { kind: "insecure" } as const;
const HOSTS = ["127.0.0.1", "[::1]"];

/** Which of the loopback's addresses speak HTTP/2, as gRPC does, at a port. */
async function answering(port: number): Promise<readonly string[]> {
  const asked = HOSTS.map(async (host) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const session = connect(`http://${host}:${port}`);
    session.once("remoteSettings", () => resolve(true)).once("error", () => resolve(false));
    const isAnswered = await promise;
    session.destroy();
    return isAnswered ? [host] : [];
  });
  return (await Promise.all(asked)).flat();
}

/** Lets every socket of IPv6 be refused as by a kernel that has none. */
function refuseIpv6(t: TestContext): void {
  const listen = Reflect.get(Sockets.prototype, "listen") as (...given: unknown[]) => Sockets;
  t.mock.method(Sockets.prototype, "listen", function (this: Sockets, ...given: unknown[]) {
    const { host = "", port } = given[0] as ListenOptions;
    if (!host.includes(":")) return listen.apply(this, given);
    const errno = "EAFNOSUPPORT";
    const message = `listen ${errno}: address family not supported ${host}:${port}`;
    process.nextTick(() => this.emit("error", Object.assign(new Error(message), { code: errno })));
    return this;
  });
}

test("agents come by both families to one port", async () => {
  const server = new Server();
  const bound = await bindServer(server, { host: "", port: 0 }, INSECURE);
  assert.equal(bound.host, "::");
  assert.deepEqual(await answering(bound.port), HOSTS);
  await closeServer(server);
});

test("without IPv6 in the kernel agents come by IPv4", async (t) => {
  refuseIpv6(t);
  const server = new Server();
  const bound = await bindServer(server, { host: "", port: 0 }, INSECURE);
  assert.equal(bound.host, "0.0.0.0");
  assert.deepEqual(await answering(bound.port), ["127.0.0.1"]);
  await closeServer(server);
});

test("without IPv6 in the kernel an address of it that was asked for is not to be had", async (t) => {
  refuseIpv6(t);
  const message = "cannot listen on [::]:7702: this host has no IPv6";
  await assert.rejects(bindServer(new Server(), { host: "::", port: 7702 }, INSECURE), (error) => {
    assert.ok(isEdgeError(error, "NO_SUCH_ADDRESS"));
    assert.equal(error.message, message);
    return true;
  });
});

test("a port that another server has in one family is taken", async () => {
  const first = new Server();
  const held = await bindServer(first, { host: "127.0.0.1", port: 0 }, INSECURE);
  const place: HostPort = { host: "", port: held.port };
  await assert.rejects(bindServer(new Server(), place, INSECURE), (error) => {
    assert.ok(isEdgeError(error, "PORT_TAKEN"));
    assert.equal(error.message, `cannot listen on :${held.port}: another program holds the port`);
    return true;
  });
  await closeServer(first);
});
