// Who the members of a Service are where these are nodes and their NodePort: which nodes, at which
// of their addresses, and why there is none.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Fields,
  type MemberCase,
  membersOf,
  oursOf,
  saidOf,
  sampleNode,
  sampleService,
} from "./sample-objects.ts";

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
    name: "internal addresses come before host names that are one, wherever they stand",
    others: [
      sampleNode("a", { Hostname: "10.0.9.1", InternalIP: "10.0.0.1" }),
      sampleNode("b", { Hostname: "10.0.9.2", InternalIP: "10.0.0.2", ExternalIP: "203.0.113.2" }),
    ],
    want: ["10.0.0.1:30080", "203.0.113.2:30080"],
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
