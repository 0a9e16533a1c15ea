// What allotting promises: it gives the very addresses that planning gives, memory changes nothing,
// and no address has two owners. Given random histories of claims that come, go and return.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Address, AddressPool, Claim, ClaimId, LeasedAddress } from "@fairlead/model";
import { makeClaim, makePool, makeRevisionOf, makeWorld, propertyRuns } from "@fairlead/testkit";
import fc from "fast-check";

import { type AllotWorld, allot, createAllotMemory, plan } from "./index.ts";

/** Histories of one property. */
const RUNS = 200;
const revisionOf = makeRevisionOf();

/** Two small pools, so that histories exhaust them; the second comes and goes. */
const POOLS: readonly (readonly AddressPool[])[] = [
  [makePool("a", "192.0.2.1-192.0.2.5", { sharing: "never" })],
  [
    makePool("a", "192.0.2.1-192.0.2.5", { sharing: "never" }),
    makePool("b", "192.0.2.8-192.0.2.9,2001:db8::/127", { sharing: "never" }),
  ],
  [makePool("b", "192.0.2.9,2001:db8::/127", { sharing: "never" })],
];

type Step =
  | { readonly kind: "come"; readonly name: number; readonly wish: string | undefined }
  | { readonly kind: "go"; readonly name: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "pools"; readonly index: number };

const WISHES = ["192.0.2.2", "192.0.2.9", "2001:db8::1", "198.51.100.1"];
const arbName = fc.nat(5);
const arbStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("come" as const),
      name: arbName,
      wish: fc.oneof(
        { weight: 4, arbitrary: fc.constant(undefined) },
        { weight: 1, arbitrary: fc.constantFrom(...WISHES) },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("go" as const), name: arbName }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(59_000, 61_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("pools" as const),
      index: fc.nat(POOLS.length - 1),
    }),
  },
);

test("it gives what planning gives, and memory changes no result", () => {
  fc.assert(
    fc.property(fc.array(arbStep, { maxLength: 40, size: "max" }), (steps) => {
      const memory = createAllotMemory();
      let world: AllotWorld = {
        nowMs: 1_000_000,
        claims: new Map(),
        pools: POOLS[0] ?? [],
        leases: new Map(),
      };
      for (const step of steps) {
        world = { ...after(world, step), nowMs: world.nowMs + 1000 };
        const allotted = allot(world, memory);
        assert.deepEqual(ownersOf(allot(world).leases), ownersOf(allotted.leases));
        const planned = plan(
          makeWorld({ ...world, claims: [...world.claims.values()], agents: [] }),
          { revisionOf },
        );
        assert.deepEqual(ownersOf(planned.leases), ownersOf(allotted.leases));
        assertOneOwner(allotted.leases);
        world = { ...world, leases: allotted.leases, claims: withoutRefused(world, allotted) };
      }
    }),
    propertyRuns(RUNS),
  );
});

function after(world: AllotWorld, step: Step): AllotWorld {
  if (step.kind === "wait") return { ...world, nowMs: world.nowMs + step.ms };
  if (step.kind === "pools") return { ...world, pools: POOLS[step.index] ?? [] };
  const claims = new Map<ClaimId, Claim>(world.claims);
  const wishes = step.kind === "come" && step.wish !== undefined ? [step.wish] : [];
  const claim = makeClaim(`c${step.name}`, { createdAtMs: world.nowMs, wishes });
  if (step.kind === "go") claims.delete(claim.id);
  else if (!claims.has(claim.id)) claims.set(claim.id, claim);
  return { ...world, claims };
}

function withoutRefused(
  { claims }: AllotWorld,
  { refused }: ReturnType<typeof allot>,
): AllotWorld["claims"] {
  return new Map([...claims].filter(([id]) => !refused.has(id)));
}

function ownersOf(leases: ReadonlyMap<Address, LeasedAddress>): ReadonlyMap<Address, unknown> {
  return new Map(
    [...leases].map(([address, { owners, state, lastClaim, pool }]) => [
      address,
      { owners, state, lastClaim, pool },
    ]),
  );
}

function assertOneOwner(leases: ReadonlyMap<Address, LeasedAddress>): void {
  for (const { address, owners } of leases.values()) {
    assert.ok(owners.length <= 1, `${address} has ${owners.length} owners`);
  }
}
