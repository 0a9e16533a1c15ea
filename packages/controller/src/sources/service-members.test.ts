// Who the members of a Service are: endpoints of its slices, or nodes and their NodePort.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Claim } from "@fairlead/model";

import {
  type Fields,
  oursOf,
  saidOf,
  sampleNode,
  sampleService,
  sampleSlice,
} from "./sample-objects.ts";
import type { TranslateSettings } from "./translate-service.ts";

/** Members of the first listener as `address:port`, draining ones marked. */
function membersOf(claim: Claim): readonly string[] {
  return (claim.listeners[0]?.members ?? []).map(
    ({ address, port, state }) => `${address}:${port}${state === "draining" ? " draining" : ""}`,
  );
}

interface MemberCase {
  readonly name: string;
  readonly spec?: Fields;
  readonly metadata?: Fields;
  readonly others: readonly Fields[];
  readonly settings?: Partial<TranslateSettings>;
  readonly want: readonly string[];
  readonly remarks?: readonly string[];
}

const endpoint = (address: string, conditions: Fields = {}): Fields => ({
  addresses: [address],
  conditions,
});

/** A pod that ends and still answers. */
const ENDING: Fields = { serving: true, terminating: true };

const BAD_MEMBERS = ["127.0.0.1", "169.254.0.9", "0.0.0.0", "224.0.0.1", "255.255.255.255", "web"];

const endpointCases: readonly MemberCase[] = [
  { name: "no slice, no member, and nothing to say", others: [], want: [] },
  {
    name: "several slices are merged, sorted, none twice",
    others: [
      sampleSlice({ endpoints: [endpoint("10.0.0.9"), endpoint("10.0.0.2")] }),
      sampleSlice({ endpoints: [endpoint("10.0.0.10"), endpoint("10.0.0.2")] }, "web-2"),
    ],
    want: ["10.0.0.2:8080", "10.0.0.9:8080", "10.0.0.10:8080"],
  },
  {
    name: "both families are members",
    others: [
      sampleSlice({ addressType: "IPv6", endpoints: [endpoint("2001:DB8::1")] }, "web-6"),
      sampleSlice({ endpoints: [endpoint("10.0.0.1")] }),
    ],
    want: ["10.0.0.1:8080", "2001:db8::1:8080"],
  },
  {
    name: "conditions decide: not ready is out, one that ends while serving drains",
    others: [
      sampleSlice({
        endpoints: [
          endpoint("10.0.0.1", { ready: true, serving: true, terminating: false }),
          endpoint("10.0.0.2", { ready: false }),
          endpoint("10.0.0.3", { ready: false, serving: true, terminating: true }),
          endpoint("10.0.0.4", { ready: false, serving: false, terminating: true }),
        ],
      }),
    ],
    want: ["10.0.0.1:8080", "10.0.0.3:8080 draining"],
  },
  {
    name: "where all end, those that still serve get connections",
    others: [
      sampleSlice({
        endpoints: [
          endpoint("10.0.0.1", { ready: false, ...ENDING }),
          endpoint("10.0.0.2", { ready: false, serving: false, terminating: true }),
        ],
      }),
      sampleSlice({ endpoints: [endpoint("10.0.0.3", { ready: false, ...ENDING })] }, "web-2"),
      sampleSlice({ endpoints: [endpoint("10.0.0.4", { ready: false })] }, "web-3"),
    ],
    want: ["10.0.0.1:8080", "10.0.0.3:8080"],
  },
  {
    name: "one that is ready in another slice ends that",
    others: [
      sampleSlice({ endpoints: [endpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ endpoints: [endpoint("10.0.0.2")] }, "web-2"),
    ],
    want: ["10.0.0.1:8080 draining", "10.0.0.2:8080"],
  },
  {
    name: "who is ready for another port alone ends it not",
    spec: {
      ports: [
        { name: "http", port: 80 },
        { name: "admin", port: 81 },
      ],
    },
    others: [
      sampleSlice({ endpoints: [endpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ ports: [{ name: "admin", port: 9000 }] }, "web-2"),
    ],
    want: ["10.0.0.1:8080"],
  },
  {
    name: "an endpoint that is published though it ends is active, as publishNotReadyAddresses asks",
    others: [
      sampleSlice({
        endpoints: [
          endpoint("10.0.0.1", { ready: true, serving: false, terminating: true }),
          endpoint("10.0.0.2", { ready: true, serving: true, terminating: true }),
        ],
      }),
    ],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "ready in one slice wins over draining in another",
    others: [
      sampleSlice({ endpoints: [endpoint("10.0.0.1", { ready: false, ...ENDING })] }),
      sampleSlice({ endpoints: [endpoint("10.0.0.1")] }, "web-2"),
      sampleSlice({ endpoints: [endpoint("10.0.0.1", { ready: false, ...ENDING })] }, "web-3"),
    ],
    want: ["10.0.0.1:8080"],
  },
  {
    name: "the slice's port of the Service port's name counts, whatever its number",
    spec: { ports: [{ name: "http", port: 80, targetPort: "web-port" }] },
    others: [
      sampleSlice({
        ports: [
          { name: "admin", port: 9000 },
          { name: "http", port: 8443 },
        ],
      }),
    ],
    want: ["10.0.0.1:8443", "10.0.0.2:8443"],
  },
  {
    name: "a slice by hand may name the target port instead",
    spec: { ports: [{ port: 80, targetPort: "web" }] },
    others: [sampleSlice({ ports: [{ name: "web", port: 8443 }] })],
    want: ["10.0.0.1:8443", "10.0.0.2:8443"],
  },
  {
    name: "or have its number alone",
    spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }] },
    others: [sampleSlice({ ports: [{ port: 8080 }, { port: 9090 }] })],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "ports without names are told apart by their numbers",
    spec: { ports: [{ port: 80, targetPort: 8080 }] },
    others: [sampleSlice({ ports: [{ port: 8443 }, { port: 8080 }] })],
    want: ["10.0.0.1:8080", "10.0.0.2:8080"],
  },
  {
    name: "the protocol must fit",
    others: [sampleSlice({ ports: [{ name: "http", protocol: "UDP", port: 8080 }] })],
    want: [],
    remarks: ['UnknownTargetPort: no EndpointSlice has a port for port "http"'],
  },
  {
    name: "a port that no slice has is named",
    spec: { ports: [{ name: "metrics", port: 90, targetPort: "metrics" }] },
    others: [sampleSlice()],
    want: [],
    remarks: ['UnknownTargetPort: no EndpointSlice has a port for port "metrics"'],
  },
  {
    name: "addresses that are never a member's are left out and named",
    others: [
      sampleSlice({ endpoints: [...BAD_MEMBERS, "10.0.0.1"].map((each) => endpoint(each)) }),
      sampleSlice({ addressType: "IPv6", endpoints: [endpoint("fe80::1"), endpoint("::1")] }, "w6"),
    ],
    want: ["10.0.0.1:8080"],
    remarks: [
      'BadMember: left out, as they are no unicast addresses: "0.0.0.0", "127.0.0.1", "169.254.0.9", "224.0.0.1", "255.255.255.255" and 3 more',
    ],
  },
  {
    name: "a slice of names has no members",
    others: [sampleSlice({ addressType: "FQDN", endpoints: [endpoint("web.example.org")] })],
    want: [],
    remarks: ["BadMember: an EndpointSlice of addressType FQDN has no member addresses"],
  },
  {
    name: "more members than a listener may have are cut",
    others: [0, 1].map((part) =>
      sampleSlice(
        {
          endpoints: Array.from({ length: 600 }, (_, index) =>
            endpoint(`10.1.${part * 4 + Math.floor(index / 200)}.${(index % 200) + 1}`),
          ),
        },
        `web-${part}`,
      ),
    ),
    want: [],
    remarks: ['BadMember: port "http": 176 members above 1024 left out'],
  },
];

for (const c of endpointCases) {
  test(`endpoints: ${c.name}`, () => {
    const claim = oursOf([sampleService(c.spec), ...c.others]);
    if (c.name.includes("are cut")) assert.equal(membersOf(claim).length, 1024);
    else assert.deepEqual(membersOf(claim), c.want);
    assert.deepEqual(saidOf(claim), { refusals: [], remarks: c.remarks ?? [] });
  });
}

const SWAPPED = [
  { name: "http", port: 80, targetPort: "tohttps" },
  { name: "https", port: 443, targetPort: "http" },
  { name: "metrics", port: 8080, targetPort: 2443 },
];

test("a slice's port of another Service port's name is never taken for its target or number", () => {
  const slice = sampleSlice({
    ports: [{ name: "http", port: 2443 }],
    endpoints: [endpoint("10.0.0.1")],
  });
  const claim = oursOf([sampleService({ ports: SWAPPED }), slice]);
  assert.deepEqual(
    claim.listeners.map(({ port, members }) => `${port} ${members.map((one) => one.port).join()}`),
    ["80 2443", "443 ", "8080 "],
  );
  assert.deepEqual(saidOf(claim).remarks, [
    'UnknownTargetPort: no EndpointSlice has a port for port "https"',
    'UnknownTargetPort: no EndpointSlice has a port for port "metrics"',
  ]);
});

test("1024 pods that end do not push out the two that took over from them", () => {
  const old = Array.from({ length: 1024 }, (_, index) =>
    endpoint(`10.0.${Math.floor(index / 200)}.${(index % 200) + 1}`, { ready: false, ...ENDING }),
  );
  const young = [endpoint("10.9.0.2"), endpoint("10.9.0.1")];
  const members = membersOf(
    oursOf([sampleService(), sampleSlice({ endpoints: [...old, ...young] })]),
  );
  assert.equal(members.length, 1024);
  assert.equal(members[0], "10.0.0.1:8080 draining");
  assert.deepEqual(members.slice(-2), ["10.9.0.1:8080", "10.9.0.2:8080"]);
});

test("a slice with one number 20000 times has each member once, and nothing bursts", () => {
  const endpoints = Array.from({ length: 1000 }, (_, index) => ({
    addresses: [0, 1, 2, 3].map((net) => `10.${net}.${Math.floor(index / 250)}.${index % 250}`),
  }));
  const ports = Array.from({ length: 20_000 }, (_, index) => ({ name: `p${index}`, port: 8080 }));
  const claim = oursOf([sampleService(), sampleSlice({ ports, endpoints })]);
  assert.equal(membersOf(claim).length, 1024);
  assert.deepEqual(saidOf(claim).remarks, [
    'BadMember: port "http": 2976 members above 1024 left out',
  ]);
});

test("a slice with 20000 numbers of one name gives members of the lowest 16", () => {
  const endpoints = Array.from({ length: 1000 }, (_, index) => ({
    addresses: [`10.0.${Math.floor(index / 250)}.${index % 250}`],
  }));
  const ports = Array.from({ length: 20_000 }, (_, index) => ({
    name: "http",
    port: 40_000 - index,
  }));
  const targetPort = "web";
  const service = sampleService({ ports: [{ name: "http", port: 80, targetPort }] });
  const claim = oursOf([service, sampleSlice({ ports, endpoints })]);
  assert.deepEqual(
    membersOf(claim)
      .slice(0, 17)
      .map((one) => one.split(":")[1]),
    [...Array.from({ length: 16 }, (_, index) => `${20_001 + index}`), "20001"],
  );
  assert.deepEqual(saidOf(claim).remarks, [
    'BadMember: an EndpointSlice has 20000 numbers for port "http"; those after the first 16 left out',
    'BadMember: port "http": 14976 members above 1024 left out',
  ]);
});

const NODE_PORT = { ports: [{ name: "http", port: 80, nodePort: 30_080 }] };

const excludedNode = (name: string, labels: Fields = {}): Fields => {
  const excluded = { ...labels, "node.kubernetes.io/exclude-from-external-load-balancers": "" };
  return sampleNode(name, { InternalIP: "10.0.0.1" }, { labels: excluded });
};

const nodeCases: readonly MemberCase[] = [
  {
    name: "external addresses come before internal ones",
    others: [
      sampleNode("b", { InternalIP: "10.0.0.2", ExternalIP: "203.0.113.2" }),
      sampleNode("a", { InternalIP: "10.0.0.1" }),
      sampleNode("c", { Hostname: "10.0.0.3" }),
    ],
    want: ["10.0.0.1:30080", "10.0.0.3:30080", "203.0.113.2:30080"],
  },
  {
    name: "a host name is no address",
    others: [sampleNode("a", { Hostname: "a.example.org" })],
    want: [],
    remarks: ['BadMember: nodes without a usable address: "a"'],
  },
  {
    name: "nodes that are not ready, excluded or not selected are left out",
    others: [
      {
        ...sampleNode("a", {}),
        status: { conditions: [{ type: "Ready", status: "Unknown" }] },
      },
      sampleNode(
        "b",
        { InternalIP: "10.0.0.2" },
        {
          labels: { role: "worker", "node.kubernetes.io/exclude-from-external-load-balancers": "" },
        },
      ),
      sampleNode("c", { InternalIP: "10.0.0.3" }, { labels: { role: "worker" } }),
      sampleNode("d", { InternalIP: "10.0.0.4" }, { labels: { role: "control" } }),
    ],
    settings: { nodeSelector: { role: "worker" } },
    want: ["10.0.0.3:30080"],
  },
  {
    name: "a key alone selects nodes that have the label with any value, as kubectl's -l does",
    others: [
      sampleNode("a", { InternalIP: "10.0.0.1" }, { labels: { role: "worker" } }),
      sampleNode("b", { InternalIP: "10.0.0.2" }, { labels: { role: "" } }),
      sampleNode("c", { InternalIP: "10.0.0.3" }),
    ],
    settings: { nodeSelector: { role: undefined } },
    want: ["10.0.0.1:30080", "10.0.0.2:30080"],
  },
  {
    name: "an empty value selects nodes whose label is empty",
    others: [
      sampleNode("a", { InternalIP: "10.0.0.1" }, { labels: { role: "worker" } }),
      sampleNode("b", { InternalIP: "10.0.0.2" }, { labels: { role: "" } }),
    ],
    settings: { nodeSelector: { role: "" } },
    want: ["10.0.0.2:30080"],
  },
  {
    name: "a selector that no node matches is told as the cause",
    others: [sampleNode("a", { InternalIP: "10.0.0.1" }, { labels: { role: "worker" } })],
    settings: { nodeSelector: { role: "lb", rack: undefined } },
    want: [],
    remarks: [
      "NoMembers: no Ready node matches --node-selector role=lb,rack; label one, or correct it",
    ],
  },
  {
    name: "where no node is Ready the selector is not the cause",
    others: [
      {
        ...sampleNode("a", {}),
        status: { conditions: [{ type: "Ready", status: "False" }] },
      },
    ],
    settings: { nodeSelector: { role: "lb" } },
    want: [],
    remarks: ["NoMembers: no node is Ready"],
  },
  {
    name: "no node at all is told",
    others: [],
    want: [],
    remarks: ["NoMembers: there is no node"],
  },
  {
    name: "nodes that are all kept out of load balancers are told as the cause",
    others: [excludedNode("a"), excludedNode("b")],
    want: [],
    remarks: [
      "NoMembers: every Ready node has the label node.kubernetes.io/exclude-from-external-load-balancers; remove it from one",
    ],
  },
  {
    name: "so are those that a selector takes, whoever else is there",
    others: [
      excludedNode("a", { role: "lb" }),
      sampleNode("b", { InternalIP: "10.0.0.2" }, { labels: { role: "worker" } }),
    ],
    settings: { nodeSelector: { role: "lb" } },
    want: [],
    remarks: [
      "NoMembers: every Ready node that matches --node-selector role=lb has the label node.kubernetes.io/exclude-from-external-load-balancers; remove it from one",
    ],
  },
  {
    name: "a dual-stack Service has one member a node and family",
    spec: { ...NODE_PORT, ipFamilies: ["IPv6", "IPv4"] },
    others: [
      {
        ...sampleNode("a", {}),
        status: {
          addresses: ["10.0.0.1", "10.0.0.2", "2001:db8::1"].map((address) => ({
            type: "InternalIP",
            address,
          })),
        },
      },
    ],
    want: ["10.0.0.1:30080", "2001:db8::1:30080"],
  },
  {
    name: "a port without NodePort is said",
    spec: { ports: [{ name: "http", port: 80 }], allocateLoadBalancerNodePorts: false },
    others: [sampleNode("a", { InternalIP: "10.0.0.1" })],
    want: [],
    remarks: ['NoNodePort: port "http" has no nodePort, as allocateLoadBalancerNodePorts is false'],
  },
  {
    name: "nodes obey externalTrafficPolicy Local, so those without a pod are said to drop",
    spec: { ...NODE_PORT, externalTrafficPolicy: "Local" },
    others: [sampleNode("a", { InternalIP: "10.0.0.1" })],
    want: ["10.0.0.1:30080"],
    remarks: [
      "PolicyNotServed: externalTrafficPolicy Local is not served: members are nodes, and those without a pod of it drop what they get; set Cluster, or use --members endpoints",
    ],
  },
  {
    name: "a NodePort that is there counts, allocated or not",
    spec: { ...NODE_PORT, allocateLoadBalancerNodePorts: false },
    others: [sampleNode("a", { InternalIP: "10.0.0.1" })],
    want: ["10.0.0.1:30080"],
  },
];

for (const c of nodeCases) {
  test(`nodes: ${c.name}`, () => {
    const service = sampleService({ ...NODE_PORT, ...c.spec }, c.metadata);
    const claim = oursOf([service, ...c.others], { members: "nodes", ...c.settings });
    assert.deepEqual(membersOf(claim), c.want);
    assert.deepEqual(saidOf(claim), { refusals: [], remarks: c.remarks ?? [] });
  });
}

test("max-nodes: when a chosen node goes, one other replaces it and nobody else moves", () => {
  const annotations = { "fairlead.io/max-nodes": "3" };
  const service = sampleService(NODE_PORT, { annotations });
  const nodes = Array.from({ length: 9 }, (_, index) =>
    sampleNode(`n${index}`, { InternalIP: `10.0.0.${index + 1}` }),
  );
  const before = membersOf(oursOf([service, ...nodes], { members: "nodes" }));
  assert.equal(before.length, 3);
  const gone = nodes.filter((_, index) => before[0] !== `10.0.0.${index + 1}:30080`);
  const after = membersOf(oursOf([service, ...gone], { members: "nodes" }));
  assert.equal(after.length, 3);
  assert.deepEqual(
    before.slice(1).filter((member) => !after.includes(member)),
    [],
  );
});
