// What a declared VIP may say, in our words and in those of the older systems, and the claim that
// it becomes.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { Claim } from "@fairlead/model";

import { readObjects } from "./objects.ts";
import {
  SAMPLE_SETTINGS,
  saidOf,
  sampleNode,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";
import type { ServiceBackend } from "./service-backends.ts";
import type { TranslateSettings } from "./translate-service.ts";
import { translateVirtualIp } from "./translate-virtual-ip.ts";
import { readVirtualIp, type VirtualIp } from "./virtual-ip.ts";

function vipOf(fields: object, name = "webby"): VirtualIp {
  const read = readVirtualIp(name, JSON.stringify(fields));
  assert.ok(read.kind === "ok", read.kind === "bad" ? read.detail : "");
  return read.vip;
}

function claimOf(
  fields: object,
  backend?: ServiceBackend,
  settings: Partial<TranslateSettings> = {},
): Claim {
  return translateVirtualIp(
    { vip: vipOf(fields), backend, origin: "etcd /fairlead/vips/webby" },
    { ...SAMPLE_SETTINGS, ...settings },
  );
}

/** The sample Service with its slice, as sources hand it on. */
function web(spec: object = {}): ServiceBackend {
  const [service] = readObjects(sampleService({ ...spec }), "web.yaml").objects;
  const [slice] = readObjects(sampleSlice(), "web.yaml").objects;
  assert.ok(service?.kind === "Service" && slice?.kind === "EndpointSlice");
  return { service: service.value, slices: [slice.value], nodes: [] };
}

/** The sample Service with a NodePort, before one dual-stack node. */
function nodesOf(spec: object): ServiceBackend {
  const ports = [{ name: "http", port: 80, targetPort: 8080, nodePort: 30_080 }];
  const addresses = { ExternalIP: "10.0.0.1", InternalIP: "2001:db8::1" };
  const [node] = readObjects(sampleNode("a", addresses), "web.yaml").objects;
  assert.ok(node?.kind === "Node");
  return { ...web({ ports, ...spec }), nodes: [node.value] };
}

const shown = ({ listeners }: Claim): readonly string[] =>
  listeners.map(
    ({ protocol, port, members }) =>
      `${protocol} ${port} -> ${members.map((one) => `${one.address}:${one.port}`).join(" ")}`,
  );

suite("a declaration becomes a claim", () => {
  test("with members that are written out", () => {
    const claim = claimOf({
      namespace: "shop",
      port: 443,
      members: ["10.0.0.2:8443", { address: "10.0.0.1", port: 8080 }, "[2001:db8::1]:80"],
      addresses: ["192.0.2.7"],
      pool: "lan",
      sharingKey: "k",
      annotations: { "fairlead.io/balance": "least-conn" },
    });
    assert.equal(claim.id, "virtualip/shop/webby");
    assert.equal(claim.kind, "virtualip");
    assert.deepEqual(shown(claim), ["tcp 443 -> 10.0.0.1:8080 10.0.0.2:8443 2001:db8::1:80"]);
    assert.deepEqual(claim.wishedAddresses, ["192.0.2.7"]);
    assert.equal(claim.wishedPool, "lan");
    assert.equal(claim.sharingKey, "k");
    assert.equal(claim.policy.balance, "least-conn");
    assert.deepEqual([claim.refusals, claim.remarks], [[], []]);
  });

  test("with the members of a Service, whatever port clients connect to", () => {
    const claim = claimOf({ port: 8000, service: "web", servicePort: "http" }, web());
    assert.equal(claim.namespace, "default");
    assert.deepEqual(shown(claim), ["tcp 8000 -> 10.0.0.1:8080 10.0.0.2:8080"]);
    const only = claimOf({ port: 8000, service: "web" }, web());
    assert.deepEqual(shown(only), shown(claim), "the only port needs no name");
    const byNumber = claimOf({ port: 8000, service: "web", servicePort: 80 }, web());
    assert.deepEqual(shown(byNumber), shown(claim));
    assert.deepEqual(claim.remarks, []);
  });

  test("with no member of another port of its Service, though its target has that name", () => {
    const backend = web({
      ports: [
        { name: "http", port: 80, targetPort: "tohttps" },
        { name: "https", port: 443, targetPort: "http" },
      ],
    });
    const claim = claimOf({ port: 443, service: "web", servicePort: "https" }, backend);
    assert.deepEqual(shown(claim), ["tcp 443 -> "]);
  });

  test("in the words of the older systems", () => {
    const claim = claimOf(
      {
        name: "webby",
        frontend_ip_class: "lan",
        frontend_ip: "192.0.2.9",
        frontend_ip_uuid: "b1946ac9",
        frontend_port: 80,
        frontend_protocol: "TCP",
        frontend_profiles: [],
        pool_members: [],
        pool_member_protocols: "",
        kube_namespace: "",
        kube_service_name: "web",
        kube_service_port_name: "http",
      },
      web(),
    );
    assert.deepEqual(shown(claim), ["tcp 80 -> 10.0.0.1:8080 10.0.0.2:8080"]);
    assert.deepEqual(claim.wishedAddresses, ["192.0.2.9"]);
    assert.equal(claim.wishedPool, "lan");
    const listed = claimOf({
      frontend_port: 53,
      frontend_protocol: "udp",
      pool_members: [{ IP: "10.0.0.1", Port: 5353, Protocol: "udp" }],
    });
    assert.deepEqual(shown(listed), ["udp 53 -> 10.0.0.1:5353"]);
    const silent = claimOf({
      port: 80,
      pool_members: [
        { IP: "10.0.0.1", Port: 80, Protocol: "" },
        { IP: "10.0.0.2", Port: 80, Protocol: "tcp" },
      ],
    });
    assert.deepEqual(shown(silent), ["tcp 80 -> 10.0.0.1:80 10.0.0.2:80"]);
  });

  test("the same one each time, and another one in another namespace", () => {
    const fields = { port: 80, members: ["10.0.0.1:80"] };
    assert.deepEqual(claimOf(fields), claimOf(fields));
    assert.notEqual(claimOf(fields).uid, claimOf({ ...fields, namespace: "shop" }).uid);
  });
});

suite("a declaration whose Service has nodes for members", () => {
  for (const { said, wished, member } of [
    { said: ["IPv4"], wished: ["IPv6"], member: "10.0.0.1" },
    { said: ["IPv6"], wished: undefined, member: "2001:db8::1" },
    { said: undefined, wished: ["IPv6"], member: "2001:db8::1" },
  ]) {
    test(`wishes for ${wished?.[0] ?? "any family"}, and reaches a Service of ${said?.[0] ?? "any"}`, () => {
      const backend = nodesOf({ ipFamilies: said });
      const fields = { port: 8000, service: "web", ...(wished && { ipFamilies: wished }) };
      const claim = claimOf(fields, backend, { members: "nodes" });
      assert.deepEqual(shown(claim), [`tcp 8000 -> ${member}:30080`]);
      assert.deepEqual(
        claim.families.families,
        (wished ?? []).map((one) => one.toLowerCase()),
      );
    });
  }

  test("says that nodes without a pod drop what they get, where the Service is Local", () => {
    const backend = nodesOf({ externalTrafficPolicy: "Local" });
    const claim = claimOf({ port: 8000, service: "web" }, backend, { members: "nodes" });
    assert.deepEqual(shown(claim), ["tcp 8000 -> 10.0.0.1:30080"]);
    assert.deepEqual(saidOf(claim).remarks, [
      "PolicyNotServed: externalTrafficPolicy Local of Service default/web is not served: members are nodes, and those without a pod of it drop what they get; set Cluster, or use --members endpoints",
    ]);
    assert.deepEqual(saidOf(claimOf({ port: 8000, service: "web" }, backend)).remarks, []);
  });
});

const lacking = [
  {
    name: "no Service",
    fields: { port: 80, service: "web" },
    says: "there is no Service default/web",
  },
  {
    name: "no such port",
    fields: { port: 80, service: "web", servicePort: "https" },
    backend: web(),
    says: 'Service default/web has no port "https"',
  },
  {
    name: "the port of another protocol",
    fields: { port: 53, protocol: "UDP", service: "web" },
    backend: web(),
    says: "Service default/web has no UDP port",
  },
  {
    name: "a choice of ports",
    fields: { port: 80, service: "web" },
    backend: web({
      ports: [
        { name: "a", port: 1 },
        { name: "b", port: 2 },
      ],
    }),
    says: "Service default/web has several; servicePort names one",
  },
];

for (const { name, fields, backend, says } of lacking) {
  test(`a reference to ${name} keeps its address and says so`, () => {
    const claim = claimOf(fields, backend);
    assert.deepEqual(shown(claim), [
      `${fields.protocol?.toLowerCase() ?? "tcp"} ${fields.port} -> `,
    ]);
    assert.deepEqual(claim.remarks, [{ reason: "UnknownTargetPort", detail: says }]);
    assert.deepEqual(claim.refusals, []);
  });
}

test("profiles, which may be what encrypts, refuse the claim until they are served", () => {
  const claim = claimOf({ port: 443, members: ["10.0.0.1:80"], profiles: ["ssl"] });
  assert.deepEqual(claim.refusals, [
    { reason: "PolicyNotServed", detail: 'profiles are not served yet: "ssl"' },
  ]);
});

test("an address that is none refuses the claim as it does for a Service", () => {
  const claim = claimOf({ port: 80, members: ["10.0.0.1:80"], address: "192.0.2.300" });
  assert.equal(claim.refusals[0]?.reason, "BadAddress");
});

const bad: readonly {
  readonly name?: string;
  readonly text: string;
  readonly says: RegExp;
  readonly namespace?: string;
}[] = [
  { text: "{", says: /^it is not JSON$/ },
  { text: "[1]", says: /^it is not a JSON object$/ },
  { text: '{"port":80}', says: /^either service or members/, namespace: "default" },
  { text: '{"port":0,"service":"web"}', says: /^port: /, namespace: "default" },
  { text: '{"namespace":"shop","port":"80"}', says: /^port: /, namespace: "shop" },
  { text: '{"namespace":"a b"}', says: /^namespace "a b" is no namespace$/ },
  { text: '{"port":80,"frontend_port":80}', says: /^"port" stands there in two spellings$/ },
  {
    text: '{"port":80,"service":"web","color":1}',
    says: /unknown field "color"/,
    namespace: "default",
  },
  {
    text: '{"port":80,"service":"web","members":["10.0.0.1:80"]}',
    says: /^service and members cannot both/,
    namespace: "default",
  },
  {
    text: '{"port":80,"members":["10.0.0.1"]}',
    says: /^member "10\.0\.0\.1" is not ADDRESS:PORT$/,
    namespace: "default",
  },
  // Its last part was taken for a port, and the rest for an address.
  {
    text: '{"port":80,"members":["2001:db8::1"]}',
    says: /^member "2001:db8::1" is not \[ADDRESS\]:PORT$/,
    namespace: "default",
  },
  {
    text: '{"port":80,"members":["2001:db8::1:8080"]}',
    says: /^member "2001:db8::1:8080" is not \[ADDRESS\]:PORT$/,
    namespace: "default",
  },
  {
    text: '{"port":80,"members":["[10.0.0.1:80"]}',
    says: /^member "\[10\.0\.0\.1:80" is not ADDRESS:PORT$/,
    namespace: "default",
  },
  {
    text: '{"port":80,"members":[{"address":"10.0.0.1"}]}',
    says: /^members\[0\]: expected ADDRESS:PORT, or address and port$/,
    namespace: "default",
  },
  {
    text: '{"port":80,"pool_members":[{"IP":"10.0.0.1","Port":53,"Protocol":"udp"}]}',
    says: /^member "10\.0\.0\.1 port 53" is "udp", and the VIP TCP$/,
    namespace: "default",
  },
  {
    text: '{"port":80,"service":"web","name":"x"}',
    says: /^it is called "x"/,
    namespace: "default",
  },
  { text: '{"port":80,"service":"web","protocol":"SCTP"}', says: /"SCTP"/, namespace: "default" },
  { name: "../x", text: "{}", says: /^"\.\.\/x" is no name$/ },
  { text: `{"name":"${"x".repeat(300_000)}"}`, says: /more than 262144 characters/ },
];

for (const { name = "webby", text, says, namespace } of bad) {
  test(`${name} with ${text.slice(0, 60)} is refused in words`, () => {
    const read = readVirtualIp(name, text);
    assert.ok(read.kind === "bad");
    assert.match(read.detail, says);
    assert.equal(read.namespace, namespace);
  });
}
