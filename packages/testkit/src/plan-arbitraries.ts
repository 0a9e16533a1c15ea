// Values of the model for property tests: anything that its types allow, small enough to read when
// a property fails. Given nothing; the seed is the test's.

import {
  type Address,
  addressFromValue,
  type AgentName,
  type AgentReport,
  type Evidence,
  type HeardRouter,
  laneId,
  laneName,
  type LaneHearing,
  type LaneReport,
  type LaneResource,
  type Link,
  listenerName,
  type ListenerResource,
  type Member,
  memberSetName,
  type MemberSetResource,
  networkText,
  present,
  parseAgentName,
  parseClaimId,
  parseDeviceName,
  type Protocol,
  REASONS,
  type Reason,
  type Remark,
  type Resource,
  type ResourceReport,
  type Revision,
  vipName,
  type VipResource,
} from "@fairlead/model";
import fc from "fast-check";

/** Names of agents. */
export const anyAgent: fc.Arbitrary<AgentName> = fc
  .constantFrom("lb1", "lb2", "lb-3.example.org", "a", "0")
  .map((text) => present(parseAgentName(text), "a name"));

/** Addresses of both families, 16 of each, so that some are drawn twice. */
export const anyAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.integer({ min: 1, max: 16 }).map((n) => addressFromValue("ipv4", 0xc000_0200n + BigInt(n))),
  fc
    .integer({ min: 1, max: 16 })
    .map((n) => addressFromValue("ipv6", (0xfd00n << 112n) + BigInt(n))),
);

const anyPort = fc.integer({ min: 1, max: 65_535 });
const anyMs = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const anyProtocol = fc.constantFrom<Protocol>("tcp", "udp");
const anyLink = fc
  .constantFrom("eth0", "bond0.100", "enp3s0f1")
  .map((text) => present(parseDeviceName(text), "a device"));
const anyClaim = fc
  .constantFrom("service/default/web", "service/shop/db.primary", "virtualip/a/b")
  .map((text) => present(parseClaimId(text), "a claim"));
const anyId = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const anyMac = fc.constantFrom("02:00:00:00:00:01", "");

/** Hashes. */
export const anyRevision: fc.Arbitrary<Revision> = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex") as Revision);

/** Lanes on two segments. */
export const anyLane: fc.Arbitrary<LaneResource> = fc
  .record(
    {
      network: fc.constantFrom("192.0.2.0", "fd00::"),
      routerId: fc.integer({ min: 1, max: 255 }),
      link: anyLink,
      agents: fc.uniqueArray(anyAgent, { minLength: 1, maxLength: 3 }),
      hosts: fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 3, maxLength: 3 }),
      holder: anyAgent,
      preempt: fc.boolean(),
      intentId: anyId,
      yields: fc.constant(true as const),
      listens: fc.constant(true as const),
      advertIntervalMs: fc.integer({ min: 30, max: 10_000 }),
    },
    {
      requiredKeys: [
        "network",
        "routerId",
        "link",
        "agents",
        "hosts",
        "preempt",
        "advertIntervalMs",
      ],
    },
  )
  .map(({ network, routerId, agents, hosts, ...rest }): LaneResource => {
    const isV4 = network === "192.0.2.0";
    const segment = networkText({
      address: addressFromValue(isV4 ? "ipv4" : "ipv6", isV4 ? 0xc000_0200n : 0xfd00n << 112n),
      length: isV4 ? 24 : 64,
    });
    const lane = laneId(segment, routerId);
    const order = agents.map((agent, i) => ({
      agent,
      address: addressFromValue("ipv4", 0x0a00_0000n + BigInt(hosts[i] ?? 1)),
    }));
    return { kind: "lane", name: laneName(lane), lane, segment, routerId, order, ...rest };
  });

/** VIPs in lanes and on links. */
export const anyVip: fc.Arbitrary<VipResource> = fc
  .record({
    address: anyAddress,
    prefixLength: fc.integer({ min: 1, max: 32 }),
    carrier: fc.oneof(
      anyLane.map(({ lane, name: resource }) => ({ kind: "lane" as const, lane, resource })),
      fc.record({ kind: fc.constant("link" as const), link: anyLink, adopts: fc.boolean() }),
    ),
    claims: fc.array(anyClaim, { maxLength: 3 }),
  })
  .map((fields): VipResource => ({ kind: "vip", name: vipName(fields.address), ...fields }));

/** Listeners with every policy. */
export const anyListener: fc.Arbitrary<ListenerResource> = fc
  .record(
    {
      address: anyAddress,
      protocol: anyProtocol,
      port: anyPort,
      claim: anyClaim,
      balance: fc.constantFrom("round-robin", "least-conn", "hash", "random"),
      affinity: fc.oneof(
        fc.constant({ kind: "none" as const }),
        fc
          .integer({ min: 0, max: 86_400 })
          .map((timeoutSeconds) => ({ kind: "client-ip" as const, timeoutSeconds })),
      ),
      proxyProtocol: fc.constantFrom("none", "v1", "v2"),
      acceptProxyProtocol: fc.boolean(),
      connectTimeoutMs: anyMs,
      idleTimeoutMs: anyMs,
      drainTimeoutMs: anyMs,
      connectionsMax: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    },
    {
      requiredKeys: [
        "address",
        "protocol",
        "port",
        "claim",
        "balance",
        "affinity",
        "proxyProtocol",
        "acceptProxyProtocol",
        "connectTimeoutMs",
        "idleTimeoutMs",
        "drainTimeoutMs",
      ],
    },
  )
  .map((fields): ListenerResource => ({
    kind: "listener",
    name: listenerName(fields.address, fields.protocol, fields.port),
    members: memberSetName(fields.address, fields.protocol, fields.port),
    ...fields,
  }));

const anyMember: fc.Arbitrary<Member> = fc.record({
  address: anyAddress,
  port: anyPort,
  weight: fc.integer({ min: 1, max: 256 }),
  state: fc.constantFrom("active", "draining"),
});

/** Member sets, empty ones among them. */
export const anyMemberSet: fc.Arbitrary<MemberSetResource> = fc
  .record({
    address: anyAddress,
    protocol: anyProtocol,
    port: anyPort,
    members: fc.array(anyMember, { maxLength: 4 }),
  })
  .map(({ address, protocol, port, members }) => ({
    kind: "members",
    name: memberSetName(address, protocol, port),
    members,
  }));

/** Any resource. */
export const anyResource: fc.Arbitrary<Resource> = fc.oneof(
  anyLane,
  anyVip,
  anyListener,
  anyMemberSet,
);

/** Remarks; their words hold what a daemon may say, but for control characters. */
export const anyRemark: fc.Arbitrary<Remark> = fc.record({
  reason: fc.constantFrom(...(Object.keys(REASONS) as Reason[])),
  detail: fc.stringMatching(/^[ -~äß→]{0,40}$/),
});

const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  anyLink.map((link) => ({ kind: "kernel-address" as const, link })),
  fc.constant({ kind: "generation" as const }),
  fc.record({ kind: fc.constant("neighbour" as const), mac: anyMac, seenBy: anyAgent }),
);

/** What an agent proves of one resource. */
export const anyResourceReport: fc.Arbitrary<ResourceReport> = fc.record(
  {
    name: anyResource.map((resource) => resource.name),
    revision: anyRevision,
    step: fc.constantFrom("received", "validated", "applied", "serving"),
    evidence: fc.array(anyEvidence, { maxLength: 3 }),
    problem: fc
      .tuple(anyRemark, anyRevision)
      .map(([remark, revision]) => ({ ...remark, revision })),
  },
  { requiredKeys: ["name", "revision", "step", "evidence"] },
);

/** Links with prefixes of both families. */
export const anyHostLink: fc.Arbitrary<Link> = fc.record({
  name: anyLink,
  mac: anyMac,
  up: fc.boolean(),
  primary: fc.boolean(),
  prefixes: fc.array(fc.record({ address: anyAddress, length: fc.integer({ min: 0, max: 32 }) }), {
    maxLength: 3,
  }),
});

const anyLaneReport: fc.Arbitrary<LaneReport> = fc.record(
  {
    name: anyLane.map((lane) => lane.name),
    state: fc.constantFrom("holder", "successor", "fault", "absent"),
    order: anyLane.map((lane) => lane.order),
  },
  { requiredKeys: ["name", "state"] },
);

const anyHearing: fc.Arbitrary<LaneHearing> = fc.record(
  {
    lane: anyLane.map((lane) => lane.name),
    state: fc.constantFrom("heard", "unheard", "unable"),
    holder: anyAgent,
  },
  { requiredKeys: ["lane", "state"] },
);

const anyHeardRouter: fc.Arbitrary<HeardRouter> = fc.record({
  routerId: fc.integer({ min: 1, max: 255 }),
  source: anyAddress,
  link: anyLink,
});

const anyCount = fc.integer({ min: 0, max: 2 ** 31 });

/** Whole reports of the agent lb1. */
export const anyReport: fc.Arbitrary<AgentReport> = fc.record(
  {
    agent: fc.constant(present(parseAgentName("lb1"), "a name")),
    sequence: anyCount,
    epoch: anyCount,
    planRevision: anyRevision,
    links: fc.array(anyHostLink, { maxLength: 2 }),
    resources: fc
      .array(anyResourceReport, { maxLength: 6 })
      .map((all) => new Map(all.map((one) => [one.name, one]))),
    lanes: fc.array(anyLaneReport, { maxLength: 3 }),
    dataPlane: fc.record(
      {
        generation: anyId,
        udpGeneration: anyId,
        generationsAlive: anyCount,
        generationsBytes: fc.constantFrom(1, 16_777_216),
        keepalivedAlive: fc.boolean(),
        reloads: anyCount,
      },
      { requiredKeys: ["generationsAlive", "keepalivedAlive", "reloads"] },
    ),
    remarks: fc.array(anyRemark, { maxLength: 2 }),
    heardRouters: fc.array(anyHeardRouter, { minLength: 1, maxLength: 2 }),
    hearing: fc.array(anyHearing, { minLength: 1, maxLength: 2 }),
  },
  {
    requiredKeys: [
      "agent",
      "sequence",
      "epoch",
      "links",
      "resources",
      "lanes",
      "dataPlane",
      "remarks",
    ],
  },
);
