// Which families a Service gets addresses of, by ipFamilies, ipFamilyPolicy and what pools have.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  verdictLine,
  type WorldOptions,
} from "@fairlead/testkit";

import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();

interface Story {
  readonly name: string;
  readonly world: WorldOptions;
  readonly later?: WorldOptions;
  /** State, addresses and reason by name after the last plan. */
  readonly expect: Readonly<Record<string, string>>;
}

const dual = { policy: "RequireDualStack", families: [] } as const;
const preferred = { policy: "PreferDualStack", families: [] } as const;
const both = [makePool("default", "192.0.2.100-192.0.2.101, 2001:db8::100-2001:db8::101")];
const one = [makePool("default", "192.0.2.100")];
const WAITING = "WaitingForAgent";

const stories: readonly Story[] = [
  {
    name: "RequireDualStack gets one address of each family",
    world: { claims: [makeClaim("web", { families: dual })], pools: both },
    expect: { web: `pending 192.0.2.100 2001:db8::100 ${WAITING}` },
  },
  {
    name: "the order of families is the Service's own",
    world: {
      claims: [
        makeClaim("web", { families: { policy: "PreferDualStack", families: ["ipv6", "ipv4"] } }),
      ],
      pools: both,
    },
    expect: { web: `pending 2001:db8::100 192.0.2.100 ${WAITING}` },
  },
  {
    name: "RequireDualStack without an IPv6 range is refused and takes nothing",
    world: { claims: [makeClaim("web", { families: dual }), makeClaim("b")], pools: one },
    expect: { web: "refused FamilyUnavailable", b: `pending 192.0.2.100 ${WAITING}` },
  },
  {
    name: "PreferDualStack takes what there is, and the rest when there is more",
    world: { claims: [makeClaim("web", { families: preferred })], pools: one },
    later: { pools: both },
    expect: { web: `pending 192.0.2.100 2001:db8::100 ${WAITING}` },
  },
  {
    name: "a wish of the family that the Service has not is a conflict",
    world: {
      claims: [
        makeClaim("web", {
          wishes: ["2001:db8::100"],
          families: { policy: "SingleStack", families: ["ipv4"] },
        }),
      ],
      pools: both,
    },
    expect: { web: "refused ConflictingWishes" },
  },
  {
    name: "the first range of the pool decides for a Service that names no family",
    world: {
      claims: [makeClaim("web")],
      pools: [makePool("default", "2001:db8::100, 192.0.2.100")],
    },
    expect: { web: `pending 2001:db8::100 ${WAITING}` },
  },
  {
    name: "wishes of both families are both served",
    world: {
      claims: [makeClaim("web", { wishes: ["2001:db8::101", "192.0.2.101"] })],
      pools: both,
    },
    expect: { web: `pending 2001:db8::101 192.0.2.101 ${WAITING}` },
  },
  {
    name: "an edit to SingleStack gives the second address back",
    world: { claims: [makeClaim("web", { families: dual })], pools: both, agents: [] },
    later: {
      claims: [makeClaim("web", { families: { policy: "SingleStack", families: ["ipv6"] } })],
    },
    expect: { web: "pending 2001:db8::100 NoAgents" },
  },
  {
    name: "an edit to a family that no pool has leaves the Service on what it holds",
    world: { claims: [makeClaim("web")], pools: one },
    later: { claims: [makeClaim("web", { families: dual })] },
    expect: { web: "pending 192.0.2.100 FamilyUnavailable" },
  },
];

for (const { name, world: given, later, expect } of stories) {
  test(name, () => {
    const world = makeWorld(given);
    const first = plan(world, { revisionOf });
    const last = later === undefined ? first : plan(nextWorld(world, first, later), { revisionOf });
    const said = Object.keys(expect).map((claim) => [claim, verdictLine(last, claim)]);
    assert.deepEqual(Object.fromEntries(said), expect);
  });
}
