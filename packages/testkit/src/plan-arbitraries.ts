// Plans' resources for property tests: anything that the model's types allow, small enough to read
// when a property fails. Given nothing; the seed is the test's.

import {
  type Address,
  addressFromValue,
  type AgentName,
  type DeviceName,
  laneId,
  laneName,
  type LaneResource,
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
  type Resource,
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
/** Devices of hosts. */
export const anyLink: fc.Arbitrary<DeviceName> = fc
  .constantFrom("eth0", "bond0.100", "enp3s0f1")
  .map((text) => present(parseDeviceName(text), "a device"));
const anyClaim = fc
  .constantFrom("service/default/web", "service/shop/db.primary", "virtualip/a/b")
  .map((text) => present(parseClaimId(text), "a claim"));
/** Ids as they are in plans and reports. */
export const anyId: fc.Arbitrary<string> = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
/** Hardware addresses; empty: nobody answered. */
export const anyMac: fc.Arbitrary<string> = fc.constantFrom("02:00:00:00:00:01", "");

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
