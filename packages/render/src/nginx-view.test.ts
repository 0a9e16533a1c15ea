// Decisions about nginx.conf, one by one: balancing, sockets, limits, what is left out, and plans
// that break their own rules.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailure, type ListenerResource } from "@fairlead/model";
import { listenerOf } from "@fairlead/testkit";
import { nginxRefusals } from "./index.ts";
import type { NginxSettings } from "./nginx-input.ts";
import { type NginxView, nginxView } from "./nginx-view.ts";

const settings: NginxSettings = {
  workerProcesses: 2,
  workerConnections: 1024,
  openFilesMax: 4096,
  shutdownTimeoutMs: 60_000,
  paths: { streamModule: "/m.so", pid: "/p", errorLog: "stderr", probeSocket: "/s" },
};
const CLIENT_IP = { kind: "client-ip", timeoutSeconds: 10_800 } as const;

function viewOf(pairs: readonly ReturnType<typeof listenerOf>[]): NginxView {
  return nginxView({
    listeners: pairs.map(([listener]) => listener),
    memberSets: new Map(pairs.map(([, set]) => [set.name, set])),
    generation: "g",
    settings,
  });
}

function proxied(
  endpoint: string,
  change: Partial<ListenerResource> = {},
): NginxView["proxied"][number] {
  const [view] = viewOf([listenerOf(endpoint, ["10.0.0.1:80"], change)]).proxied;
  assert.ok(view);
  return view;
}

const balances: readonly {
  readonly name: string;
  readonly endpoint: string;
  readonly change: Partial<ListenerResource>;
  readonly hashKeys: readonly (readonly string[])[];
  readonly methods: readonly string[];
}[] = [
  { name: "TCP", endpoint: "192.0.2.1:80/tcp", change: {}, hashKeys: [], methods: [] },
  {
    name: "TCP with affinity",
    endpoint: "192.0.2.1:80/tcp",
    change: { affinity: CLIENT_IP, balance: "least-conn" },
    hashKeys: [["remote_addr"]],
    methods: [],
  },
  {
    name: "TCP by hash",
    endpoint: "192.0.2.1:80/tcp",
    change: { balance: "hash" },
    hashKeys: [["remote_addr"]],
    methods: [],
  },
  {
    name: "TCP to the least used",
    endpoint: "192.0.2.1:80/tcp",
    change: { balance: "least-conn" },
    hashKeys: [],
    methods: ["least_conn"],
  },
  {
    name: "TCP at random",
    endpoint: "192.0.2.1:80/tcp",
    change: { balance: "random" },
    hashKeys: [],
    methods: ["random"],
  },
  {
    name: "UDP, whatever the balance",
    endpoint: "192.0.2.1:53/udp",
    change: { balance: "random" },
    hashKeys: [["remote_addr", "remote_port"]],
    methods: [],
  },
  {
    name: "UDP with affinity",
    endpoint: "192.0.2.1:53/udp",
    change: { affinity: CLIENT_IP },
    hashKeys: [["remote_addr"]],
    methods: [],
  },
];
for (const { name, endpoint, change, hashKeys, methods } of balances) {
  test(`${name} chooses its member`, () => {
    const view = proxied(endpoint, change);
    assert.deepEqual(view.hashKeys, hashKeys);
    assert.deepEqual(view.methods, methods);
  });
}

test("TCP shares its socket, UDP has one a worker", () => {
  assert.deepEqual(proxied("192.0.2.1:80/tcp").listenFlags, []);
  assert.deepEqual(proxied("192.0.2.1:53/udp").listenFlags, ["udp", "reuseport"]);
});

test("a UDP session never outlives 20 s of silence, and a shorter wish is kept", () => {
  const long = { idleTimeoutMs: 600_000 };
  assert.equal(proxied("192.0.2.1:53/udp", long).idleTimeoutMs, 20_000);
  assert.equal(proxied("192.0.2.1:53/udp", { idleTimeoutMs: 5000 }).idleTimeoutMs, 5000);
  assert.equal(proxied("192.0.2.1:53/tcp", long).idleTimeoutMs, 600_000);
});

test("a listener whose members all drain closes connections, as one without members does", () => {
  const [listener, set] = listenerOf("192.0.2.1:80/tcp", ["10.0.0.1:80"]);
  const members = set.members.map((member) => ({ ...member, state: "draining" as const }));
  const view = viewOf([[listener, { ...set, members }], listenerOf("192.0.2.1:81/tcp", [])]);
  assert.deepEqual(view.proxied, []);
  assert.deepEqual(
    view.refusing.map((server) => server.endpoint),
    ["192.0.2.1:80", "192.0.2.1:81"],
  );
});

test("connections are counted only where a listener has a limit", () => {
  assert.deepEqual(viewOf([listenerOf("192.0.2.1:80/tcp", ["10.0.0.1:80"])]).limitZones, []);
  const limited = viewOf([listenerOf("192.0.2.1:80/tcp", ["10.0.0.1:80"], { connectionsMax: 5 })]);
  assert.deepEqual(limited.limitZones, ["protocol_server_addr_server_port"]);
  assert.deepEqual(limited.proxied[0]?.connectionLimits, [
    { zone: "protocol_server_addr_server_port", connectionsMax: 5 },
  ]);
  assert.deepEqual(limited.limitLogLevels, []);
});

test("a file for UDP alone does not say each datagram that a limit keeps out", () => {
  const limited = viewOf([listenerOf("192.0.2.1:53/udp", ["10.0.0.1:53"], { connectionsMax: 5 })]);
  assert.deepEqual(limited.limitLogLevels, ["info"]);
});

const refusals: readonly {
  readonly endpoint: string;
  readonly change: Partial<ListenerResource>;
  readonly details: readonly string[];
}[] = [
  { endpoint: "192.0.2.1:80/tcp", change: {}, details: [] },
  { endpoint: "192.0.2.1:80/tcp", change: { proxyProtocol: "v1" }, details: [] },
  { endpoint: "192.0.2.1:80/tcp", change: { acceptProxyProtocol: true }, details: [] },
  {
    endpoint: "192.0.2.1:80/tcp",
    change: { proxyProtocol: "v2" },
    details: ["nginx sends PROXY protocol v1 only, so members get none"],
  },
  {
    endpoint: "192.0.2.1:53/udp",
    change: { proxyProtocol: "v1", acceptProxyProtocol: true },
    details: ["nginx sends no PROXY protocol over UDP", "nginx accepts no PROXY protocol over UDP"],
  },
];
for (const { endpoint, change, details } of refusals) {
  test(`${endpoint} with ${JSON.stringify(change)} leaves out ${details.length}`, () => {
    const [listener] = listenerOf(endpoint, ["10.0.0.1:80"], change);
    assert.deepEqual(
      nginxRefusals(listener).map((remark) => remark.detail),
      details,
    );
  });
}

const web = listenerOf("192.0.2.1:80/tcp", ["10.0.0.1:80"]);
const bugs: readonly { readonly name: string; readonly run: () => unknown }[] = [
  { name: "a listener twice", run: () => viewOf([web, web]) },
  { name: "port 0", run: () => viewOf([listenerOf("192.0.2.1:0/tcp", [])]) },
  {
    name: "no member set",
    run: () => nginxView({ listeners: [web[0]], memberSets: new Map(), generation: "g", settings }),
  },
  {
    name: "a probe socket that cannot be bound",
    run: () => {
      const paths = { ...settings.paths, probeSocket: `/${"a".repeat(107)}` };
      return nginxView({
        listeners: [],
        memberSets: new Map(),
        generation: "g",
        settings: { ...settings, paths },
      });
    },
  },
];
for (const { name, run } of bugs) {
  test(`a plan with ${name} is a bug`, () => assert.throws(run, AssertionFailure));
}
