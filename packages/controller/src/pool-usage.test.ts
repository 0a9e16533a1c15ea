// How full pools are after they were edited: what a pool gives no more does not fill it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AddressPool,
  type LeasedAddress,
  type LeaseState,
  parsePoolName,
  present,
} from "@fairlead/model";
import {
  address,
  makeClaim,
  makeCycleView,
  makePool,
  makeRanges,
  makeWorld,
} from "@fairlead/testkit";

import { createControllerMetrics } from "./metrics.ts";
import { countUsage } from "./pool-usage.ts";

const HELD = { kind: "held" } as const;
const DRAINING = { kind: "draining", sinceMs: 0 } as const;
const RESTING = { kind: "quarantined", untilMs: 0 } as const;

function leaseOf(text: string, state: LeaseState = HELD, pool = "lan"): LeasedAddress {
  return {
    address: address(text),
    pool: present(parsePoolName(pool), "a pool's name"),
    owners: [],
    lastClaim: makeClaim("web").id,
    placement: { kind: "unplaced" },
    sentTo: [],
    state,
    published: false,
    sinceMs: 0,
  };
}

const THREE = [leaseOf("192.0.2.10"), leaseOf("192.0.2.11"), leaseOf("192.0.2.12")];

/** `FAMILY HELD+DRAINING+QUARANTINED of SIZE, OUTSIDE outside`. */
function told(pool: AddressPool, leases: readonly LeasedAddress[]): readonly string[] {
  return countUsage(leases)
    .of(pool)
    .map(({ family, held, draining, quarantined, size, outside }) => {
      const counts = `${held}+${draining}+${quarantined}`;
      return `${family} ${counts} of ${size}, ${outside} outside`;
    });
}

const cases: readonly {
  readonly name: string;
  readonly pool: AddressPool;
  readonly leases: readonly LeasedAddress[];
  readonly told: readonly string[];
}[] = [
  {
    name: "a pool that shrank to one address is full of that one",
    pool: makePool("lan", "192.0.2.10"),
    leases: THREE,
    told: ["ipv4 1+0+0 of 1, 2 outside"],
  },
  {
    name: "what rests is not held",
    pool: makePool("lan", "192.0.2.10-192.0.2.12"),
    leases: [leaseOf("192.0.2.10"), leaseOf("192.0.2.11", RESTING), leaseOf("192.0.2.12", RESTING)],
    told: ["ipv4 1+0+2 of 3, 0 outside"],
  },
  {
    name: "what is reserved since, or avoided, is outside",
    pool: makePool("lan", "192.0.2.0-192.0.2.12", {
      reserved: makeRanges("192.0.2.11"),
      avoidBuggyIPs: true,
    }),
    leases: [leaseOf("192.0.2.0"), ...THREE],
    told: ["ipv4 2+0+0 of 11, 2 outside"],
  },
  {
    name: "what drains outside is counted, and what rests there is missed by nobody",
    pool: makePool("lan", "192.0.2.10"),
    leases: [leaseOf("192.0.2.11", DRAINING), leaseOf("192.0.2.12", RESTING)],
    told: ["ipv4 0+0+0 of 1, 1 outside"],
  },
  {
    name: "a family that the pool has no more is all outside",
    pool: makePool("lan", "2001:db8::1"),
    leases: THREE,
    told: ["ipv4 0+0+0 of 0, 3 outside", "ipv6 0+0+0 of 1, 0 outside"],
  },
];

for (const { name, pool, leases, told: wanted } of cases) {
  test(name, () => assert.deepEqual(told(pool, leases), wanted));
}

/** Values of the gauges about pools. */
async function scraped(
  pools: readonly AddressPool[],
  leases: readonly LeasedAddress[],
): Promise<readonly string[]> {
  const world = makeWorld({ pools });
  const plan = { leases: new Map(leases.map((lease) => [lease.address, lease])) };
  const made = makeCycleView(world, undefined);
  const view = { ...made, plan: plan as unknown as NonNullable<typeof made.plan> };
  const asked = { version: "", view: () => view, syncState: () => assert.fail("not asked") };
  const { metrics } = createControllerMetrics(asked);
  using _ = metrics;
  const names = ["pool_addresses", "pool_addresses_allocated", "pool_addresses_outside"];
  const texts = await Promise.all(
    names.map((name) => metrics.registry.getSingleMetricAsString(`fairlead_${name}`)),
  );
  const lines = texts.join("\n").split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

test("metrics have apart what a pool gives no more, and what is of no pool any more", async () => {
  const old = leaseOf("198.51.100.1", HELD, "old");
  assert.deepEqual(await scraped([makePool("lan", "192.0.2.10")], [...THREE, old]), [
    'fairlead_pool_addresses{pool="lan",family="ipv4"} 1',
    'fairlead_pool_addresses_allocated{pool="lan",family="ipv4",state="held"} 1',
    'fairlead_pool_addresses_outside{pool="lan",family="ipv4"} 2',
    'fairlead_pool_addresses_outside{pool="old",family="ipv4"} 1',
  ]);
});

test("a host's own address, where there is no pool, is allocated as any", async () => {
  const own = leaseOf("192.0.2.11", HELD, "own");
  assert.deepEqual(await scraped([], [own]), [
    'fairlead_pool_addresses_allocated{pool="own",family="ipv4",state="held"} 1',
  ]);
});
