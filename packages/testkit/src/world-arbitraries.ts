// Random worlds for properties of planning. Small on purpose: few addresses, names and ports, so
// that claims collide, pools run dry and everything is met in a few hundred runs.

import {
  type AddressPool,
  type AgentView,
  type Claim,
  type FamilyWish,
  type World,
  compareText,
} from "@fairlead/model";
import fc from "fast-check";

import { makeAgent, makeClaim, makePool, makeRanges, makeWorld } from "./builders.ts";
import { address, agentName, device } from "./node-plan-builders.ts";

/** The namespace and name of a claim: few, so that names are used again. */
const arbTitle: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom("default", "shop"), fc.constantFrom("a", "b", "c", "d", "e"))
  .map(([namespace, name]) => `${namespace}/${name}`);

/** Addresses worth wishing for: in pools, reserved, at their edges, outside, unservable. */
const WISHES = [
  "192.0.2.100",
  "192.0.2.101",
  "192.0.2.103",
  "192.0.2.110",
  "192.0.2.11",
  "198.51.100.7",
  "203.0.113.9",
  "2001:db8::100",
  "2001:db8::101",
  "224.0.0.5",
];

const arbFamilies: fc.Arbitrary<FamilyWish> = fc.record({
  policy: fc.constantFrom("SingleStack", "SingleStack", "PreferDualStack", "RequireDualStack"),
  families: fc.constantFrom([], ["ipv4"], ["ipv6"], ["ipv4", "ipv6"], ["ipv6", "ipv4"]),
});

const PROTECTED: Claim["refusals"] = [{ reason: "SourceRangesNotEnforced", detail: "10.0.0.0/8" }];

/** One claim, of any of the few names. */
export const arbClaim: fc.Arbitrary<Claim> = fc
  .record({
    title: arbTitle,
    life: fc.integer({ min: 1, max: 3 }),
    createdAtMs: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    ports: fc.uniqueArray(fc.constantFrom("tcp/53", "tcp/80", "udp/53"), { minLength: 1 }),
    members: fc.uniqueArray(
      fc.constantFrom("10.1.0.1:80", "10.1.0.2:80", "127.0.0.1:80", "192.0.2.100:80"),
    ),
    wishes: fc.oneof(
      { weight: 3, arbitrary: fc.constant<string[]>([]) },
      { weight: 2, arbitrary: fc.uniqueArray(fc.constantFrom(...WISHES), { maxLength: 2 }) },
    ),
    wishedPool: fc.option(fc.constantFrom("default", "small", "lost"), { nil: undefined, freq: 4 }),
    sharingKey: fc.option(fc.constantFrom("x", "y"), { nil: undefined, freq: 1 }),
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.constantFrom(...WISHES), { maxLength: 2 }) },
    ),
    families: arbFamilies,
    refusals: fc.oneof(
      { weight: 6, arbitrary: fc.constant<Claim["refusals"]>([]) },
      { weight: 1, arbitrary: fc.constant(PROTECTED) },
    ),
  })
  .map(({ title, life, createdAtMs, wishedPool, sharingKey, ports, status, ...rest }) => {
    const made = makeClaim(title, {
      ...rest,
      ports: ports.sort(compareText),
      ...(wishedPool === undefined ? {} : { wishedPool }),
      ...(sharingKey === undefined ? {} : { sharingKey }),
      ...(status.length === 0 ? {} : { statusAddresses: status.map(address) }),
      uid: `uid-${title}-${life}`,
    });
    const { createdAtMs: _, ...ageless } = made;
    return createdAtMs === undefined ? ageless : { ...made, createdAtMs };
  });

const arbMode: fc.Arbitrary<AddressPool["mode"]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant("vrrp") },
  { weight: 1, arbitrary: fc.constant("host") },
  { weight: 1, arbitrary: fc.constant("link") },
);

/** Mostly any agent and device; at times some agents, or what is nowhere. */
const arbRule: fc.Arbitrary<Pick<AddressPool, "agents" | "link">> = fc
  .record({
    names: fc.oneof(
      { weight: 4, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.constantFrom<string[]>(["lb-1"], ["lb-2", "lb-3"], ["lost"]) },
    ),
    link: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom("eth0", "eth1") },
    ),
  })
  .map(({ names, link }) => ({
    agents: names.map(agentName),
    ...(link === undefined ? {} : { link: device(link) }),
  }));

/** Pools: small ones, of both families, at times one that overlaps and is newer or as old. */
export const arbPools: fc.Arbitrary<readonly AddressPool[]> = fc
  .record({
    size: fc.integer({ min: 1, max: 5 }),
    hasSmall: fc.boolean(),
    hasIpv6: fc.boolean(),
    rival: fc.constantFrom("none", "newer", "as old"),
    priority: fc.integer({ min: -1, max: 1 }),
    sharing: fc.constantFrom<AddressPool["sharing"]>("ports", "never"),
    onShrink: fc.constantFrom<AddressPool["onShrink"]>("keep", "reassign"),
    reserved: fc.constantFrom("", "192.0.2.101"),
    namespaces: fc.constantFrom<string[]>([], ["shop"]),
    quarantineMs: fc.constantFrom(0, 60_000),
    mode: arbMode,
    smallMode: arbMode,
    rule: arbRule,
    smallRule: arbRule,
    isNone: fc.oneof(
      { weight: 9, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  })
  .map((given): readonly AddressPool[] => {
    if (given.isNone) return [];
    const ranges = `192.0.2.100-192.0.2.${99 + given.size}`;
    const { sharing, onShrink, quarantineMs, mode, smallMode } = given;
    const common = { sharing, onShrink, quarantineMs };
    const reserved = given.reserved === "" ? [] : makeRanges(given.reserved);
    const ipv6 = given.hasIpv6 ? ", 2001:db8::100-2001:db8::102" : "";
    const pools = [
      makePool("default", ranges + ipv6, { ...common, reserved, mode, ...given.rule }),
    ];
    if (given.hasSmall) {
      const { priority, namespaces, smallRule } = given;
      const own = { priority, namespaces, mode: smallMode, ...smallRule };
      pools.push(makePool("small", "198.51.100.7", { ...common, ...own }));
    }
    if (given.rival === "none") return pools;
    const createdAtMs = given.rival === "newer" ? 2000 : 1000;
    return [...pools, makePool("another", "192.0.2.99-192.0.2.100", { ...common, createdAtMs })];
  });

/**
 * Agents of one segment, with or without IPv6, and at times one that is elsewhere, or one that was
 * cloned from another with its addresses.
 */
export const arbAgents: fc.Arbitrary<readonly AgentView[]> = fc
  .record({
    count: fc.integer({ min: 0, max: 5 }),
    hasIpv6: fc.boolean(),
    hasStray: fc.boolean(),
    hasClone: fc.oneof(
      { weight: 7, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  })
  .map(({ count, hasIpv6, hasStray, hasClone }) => {
    const agents = Array.from({ length: count }, (_, i) => {
      const host = hasClone && i === count - 1 ? 0 : i;
      const ipv6 = hasIpv6 ? [`2001:db8::${host + 1}/64`, "fe80::1/64"] : [];
      return makeAgent(`lb-${i + 1}`, { prefixes: [`192.0.2.${host + 11}/24`, ...ipv6] });
    });
    return hasStray ? [...agents, makeAgent("stray", { prefixes: ["203.0.113.5/24"] })] : agents;
  });

/** A world before anything was planned. No claim stands in it twice. */
export const arbWorld: fc.Arbitrary<World> = fc
  .record({
    claims: fc.uniqueArray(arbClaim, { selector: (claim) => claim.id, maxLength: 8 }),
    pools: arbPools,
    agents: arbAgents,
    sharesOwnAddress: fc.boolean(),
  })
  .map(({ sharesOwnAddress, ...given }) =>
    makeWorld({ ...given, settings: { ...makeWorld().settings, sharesOwnAddress } }),
  );

/** The same world with all its maps and lists in another order. */
export function shuffleWorld(world: World, seed: number): World {
  const turn = <T>(items: Iterable<T>): T[] =>
    Array.from(items, (item, i) => ({
      item,
      key: ((i + 1) * 2654435761 * (seed + 1)) % 4294967291,
    }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  return {
    ...world,
    claims: new Map(turn(world.claims)),
    absent: new Set(turn(world.absent)),
    pools: turn(world.pools),
    agents: new Map(turn(world.agents)),
    leases: new Map(turn(world.leases)),
    lanes: new Map(turn(world.lanes)),
    intents: turn(world.intents),
    ...(world.barred === undefined ? {} : { barred: new Map(turn(world.barred)) }),
  };
}
