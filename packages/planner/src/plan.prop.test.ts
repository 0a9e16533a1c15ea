// What planning promises, for any world and anything that happens to it. Given random small
// worlds of testkit; a failure prints its seed and the shortest history that breaks the promise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import {
  type Address,
  type AgentName,
  type Plan,
  type World,
  addressFromValue,
  familyOf,
  rangeContains,
  vipName,
} from "@fairlead/model";
import {
  arbClaim,
  arbHistory,
  arbHistoryWithLosses,
  arbWorld,
  makeRevisionOf,
  nextWorld,
  playHistory,
  proveAll,
  shuffleWorld,
  propertyRuns,
} from "@fairlead/testkit";
import fc from "fast-check";

import { OWN_KEY, OWN_POOL } from "./own-address.ts";
import { type PoolView, checkPools } from "./pools.ts";
import { findOwned } from "./unusable.ts";
import { plan } from "./index.ts";

const revisionOf = makeRevisionOf();
/** Histories of one property. */
const RUNS = 200;
const planAlone = (world: World): Plan => plan(world, { revisionOf });

function everyPlan(see: (world: World, planned: Plan) => void): void {
  fc.assert(
    fc.property(arbHistory, (history) => {
      playHistory(history, planAlone, see);
    }),
    propertyRuns(RUNS),
  );
}

function ownersByClaim(leases: Plan["leases"]): Map<string, string[]> {
  const owned = new Map<string, string[]>();
  for (const row of leases.values()) {
    for (const owner of row.owners) {
      const key = `${owner.claim} ${owner.uid}`;
      owned.set(key, [...(owned.get(key) ?? []), row.address].sort());
    }
  }
  return owned;
}

/** Pools that are used while these leases stand: between two of one age their use decides. */
function poolsUsed(world: World, leases: Plan["leases"]): readonly PoolView[] {
  const owned = [...leases.values()].filter(({ owners }) => owners.length > 0);
  return checkPools(world.pools, (name) => owned.some(({ pool }) => pool === name)).usable;
}

test("a new address is of a pool that is used, and not a reserved one", () => {
  everyPlan((world, planned) => {
    const usable = [world, planned].flatMap(({ leases }) => poolsUsed(world, leases));
    for (const row of planned.leases.values()) {
      if (world.leases.has(row.address)) continue;
      if (row.pool === OWN_POOL) {
        assert.equal(world.pools.length, 0);
        assert.ok(findOwned([...world.agents.values()]).has(row.address));
        continue;
      }
      const pool = usable.find((view) =>
        view.pool.ranges.some((range) => rangeContains(range, row.address)),
      )?.pool;
      assert.equal(pool?.name, row.pool);
      assert.ok(!pool?.reserved.some((range) => rangeContains(range, row.address)));
    }
  });
});

test("who comes to hold an address by himself is an agent of its pool, on a device of it", () => {
  everyPlan((world, planned) => {
    for (const { address, pool: name, placement } of planned.leases.values()) {
      const before = world.leases.get(address)?.placement;
      if (placement.kind !== "host" || isDeepStrictEqual(before, placement)) continue;
      const pool = world.pools.find((one) => one.name === name);
      if (pool === undefined) continue;
      const { agent, link } = placement;
      assert.ok(pool.agents.length === 0 || pool.agents.includes(agent), `${address} on ${agent}`);
      assert.equal(link, pool.link ?? link, `${address} on ${agent}`);
    }
  });
});

test("an address of a node or an API server becomes nobody's who had it not", () => {
  everyPlan((world, planned) => {
    for (const address of world.barred?.keys() ?? []) {
      const row = planned.leases.get(address);
      if (row === undefined || row.pool === OWN_POOL) continue;
      // It goes on among those who share it, and back to who has just left it.
      const before = world.leases.get(address);
      if (before?.state.kind === "held" || before?.state.kind === "draining") continue;
      // In mode link who asks for a host's own address has it where it is.
      if (findOwned([...world.agents.values()]).has(address)) continue;
      for (const { claim } of row.owners) {
        const { statusAddresses = [] } = world.claims.get(claim) ?? {};
        assert.ok(statusAddresses.includes(address), `${claim} was given ${address}`);
      }
    }
  });
});

test("no two claims have one port of one address, nor one address without one key", () => {
  everyPlan((world, planned) => {
    for (const row of planned.leases.values()) {
      const ports = row.owners.flatMap((owner) =>
        owner.ports.map((port) => `${port.protocol}/${port.port}`),
      );
      assert.equal(new Set(ports).size, ports.length);
      if (row.owners.length > 1) assert.notEqual(row.sharingKey, undefined);
      for (const owner of row.owners) {
        const isNew = !world.leases.get(row.address)?.owners.some((one) => one.uid === owner.uid);
        const key = world.claims.get(owner.claim)?.sharingKey;
        if (row.sharingKey === OWN_KEY) continue;
        if (isNew && row.owners.length > 1) assert.equal(key, row.sharingKey);
      }
    }
  });
});

test("every listener of a plan belongs to a lease that names its port", () => {
  everyPlan((_world, planned) => {
    for (const { resources } of planned.nodePlans.values()) {
      for (const resource of resources.values()) {
        if (resource.kind !== "listener") continue;
        const owner = planned.leases
          .get(resource.address)
          ?.owners.find(({ claim }) => claim === resource.claim);
        const isNamed = owner?.ports.some(
          ({ port, protocol }) => port === resource.port && protocol === resource.protocol,
        );
        assert.ok(isNamed, resource.name);
        assert.ok(resources.has(resource.members), resource.members);
      }
    }
  });
});

test("the order of maps and lists does not matter", () => {
  fc.assert(
    fc.property(arbHistoryWithLosses, fc.nat(), (history, seed) => {
      playHistory(history, planAlone, (world, planned) => {
        assert.deepEqual(planAlone(shuffleWorld(world, seed)), planned);
      });
    }),
    propertyRuns(RUNS / 2),
  );
});

test("no two agents of a lane speak from one address", () => {
  everyPlan((_world, planned) => {
    for (const { id, peers = [] } of planned.lanes.values()) {
      assert.equal(new Set(peers.map(({ address }) => address)).size, peers.length, id);
    }
  });
});

test("planning its own result changes nothing", () => {
  everyPlan((world, planned) => {
    const again = planAlone(nextWorld(world, planned));
    assert.deepEqual(again.leases, planned.leases);
    assert.deepEqual(again.lanes, planned.lanes);
    assert.deepEqual(again.nodePlans, planned.nodePlans);
    assert.deepEqual(again.verdicts, planned.verdicts);
  });
});

test("an added claim moves no lease", () => {
  fc.assert(
    fc.property(arbHistory, arbClaim, (history, added) => {
      playHistory(history, planAlone, (world, planned) => {
        if (world.claims.has(added.id) || world.absent.has(added.id)) return;
        const claims = [...world.claims.values(), added];
        const grown = planAlone(nextWorld(world, planned, { claims }));
        const before = ownersByClaim(planned.leases);
        for (const [owner, addresses] of ownersByClaim(grown.leases)) {
          const known = before.get(owner);
          if (known !== undefined) assert.deepEqual(addresses, known);
        }
        for (const row of planned.leases.values()) {
          if (row.owners.length === 0) continue;
          assert.deepEqual(grown.leases.get(row.address)?.placement, row.placement);
        }
      });
    }),
    propertyRuns(RUNS / 2),
  );
});

/** The world and its plan once everything is served and nobody waits for what another leaves. */
function settled(start: World): readonly [World, Plan] {
  let world = start;
  let planned = planAlone(world);
  for (;;) {
    world = nextWorld(world, planned, { agents: proveAll(world, planned) });
    const next = planAlone(world);
    const isSettled = isDeepStrictEqual(next.leases, planned.leases);
    planned = next;
    if (isSettled) return [world, planned];
  }
}

test("an agent that is lost moves nothing but what was its own to hold", () => {
  fc.assert(
    fc.property(arbWorld, (world) => {
      const [served, before] = settled(world);
      const agents = proveAll(served, before, { dead: ["lb-1"], atMs: served.nowMs + 300 });
      const after = planAlone(nextWorld(served, before, { agents }));
      assert.deepEqual(ownersByClaim(after.leases), ownersByClaim(before.leases));
      for (const [id, lane] of before.lanes) {
        const now = after.lanes.get(id);
        // Who holds it now comes first; the others stay in their order.
        const isOther = (agent: string): boolean => agent !== now?.holder;
        assert.deepEqual(now?.order.filter(isOther), lane.order.filter(isOther));
        if (lane.holder !== "lb-1") assert.equal(now?.holder, lane.holder);
      }
      for (const [name, nodePlan] of before.nodePlans) {
        const now = after.nodePlans.get(name);
        assert.deepEqual(new Set(now?.resources.keys()), new Set(nodePlan.resources.keys()));
      }
    }),
    propertyRuns(RUNS),
  );
});

test("one verdict for every claim, with the addresses that it holds", () => {
  everyPlan((world, planned) => {
    assert.deepEqual(new Set(planned.verdicts.keys()), new Set(world.claims.keys()));
    const owned = ownersByClaim(planned.leases);
    for (const verdict of planned.verdicts.values()) {
      const held = owned.get(`${verdict.claim} ${verdict.uid}`) ?? [];
      const said = verdict.addresses.map(({ address }) => address);
      // What its status has, while it is not known whether it is still another's.
      const { statusAddresses = [] } = world.claims.get(verdict.claim) ?? {};
      const isWaiting = verdict.main?.reason === "Releasing" && held.length === 0;
      if (isWaiting) assert.ok(said.every((address) => statusAddresses.includes(address)));
      else assert.deepEqual(said.map(String).sort(), held);
      if (verdict.state !== "ready") assert.notEqual(verdict.main, undefined);
      assert.equal(verdict.conditions.length, 3);
    }
  });
});

test("one claim at a time leaves what its pool gives no more", () => {
  everyPlan((_world, planned) => {
    const moving = new Set<string>();
    const families = new Set<string>();
    for (const { address, owners, placement } of planned.leases.values()) {
      // In mode host each agent has one for the claim.
      const agent = placement.kind === "host" ? placement.agent : "";
      for (const { claim } of owners) {
        const key = `${claim} ${familyOf(address)} ${agent}`;
        if (families.has(key)) moving.add(claim);
        families.add(key);
      }
    }
    assert.ok(moving.size <= 1, [...moving].join());
  });
});

test("an edit of pools takes no address that clients know before another one serves", () => {
  let before: World | undefined;
  everyPlan((world, planned) => {
    const known = before?.claims;
    before = world;
    const strange = strangersIn(world);
    for (const { address, owners, pool, published, sentTo } of world.leases.values()) {
      // What a stranger has and nobody of ours holds any more is left, whatever pools say.
      if (strange.has(address)) continue;
      // A host's own address goes with the host, once an operator has said that it is gone.
      if (pool === OWN_POOL && sentTo.every((agent) => isForgotten(world, agent))) continue;
      // Nor does it serve anybody where an operator withdrew all hosts that had it.
      const isWithdrawn = (agent: AgentName): boolean =>
        world.agents.get(agent)?.withdrawn === true;
      if (sentTo.length > 0 && sentTo.every(isWithdrawn)) continue;
      for (const owner of published ? owners : []) {
        const claim = world.claims.get(owner.claim);
        if (claim === undefined || claim !== known?.get(owner.claim)) continue;
        if (claim.refusals.length > 0) continue;
        const held = [...planned.leases.values()].filter(
          (row) =>
            familyOf(row.address) === familyOf(address) &&
            row.owners.some(({ uid }) => uid === owner.uid),
        );
        const isKept = held.some((row) => row.address === address || row.published);
        assert.ok(isKept, `${owner.claim} lost ${address}`);
      }
    }
  });
});

test("every known agent has a plan", () => {
  everyPlan((world, planned) => {
    assert.deepEqual(new Set(planned.nodePlans.keys()), new Set(world.agents.keys()));
  });
});

test("nobody is refused for want of addresses while one is free", () => {
  everyPlan((world, planned) => {
    const usable = poolsUsed(world, planned.leases);
    const strange = strangersIn(world);
    for (const { main, claim } of planned.verdicts.values()) {
      if (main?.reason !== "PoolExhausted") continue;
      // What was looked for stands in the detail: no ipv4 is free in default (5 of 5 held)
      const [, wanted = "", text = ""] = /^no (\S+) is free in (.*)$/.exec(main.detail) ?? [];
      const names = Array.from(text.matchAll(/(\S+) \(\d+ of \d+ held/g), ([, name]) => name);
      assert.notDeepEqual(names, []);
      for (const view of usable.filter(({ pool }) => names.includes(pool.name))) {
        const family = wanted === "address" ? view.families[0] : wanted;
        const free = givenBy(view, family).filter(
          (address) =>
            !planned.leases.has(address) &&
            !isReported(world, address) &&
            !strange.has(address) &&
            world.barred?.has(address) !== true,
        );
        assert.deepEqual(free, [], `${claim} has none`);
      }
    }
  });
});

function isReported({ agents }: World, address: Address): boolean {
  return [...agents.values()].some(({ report }) => report?.resources.has(vipName(address)));
}

function isForgotten({ intents }: World, name: AgentName): boolean {
  return intents.some((intent) => intent.kind === "forget" && intent.agent === name);
}

/** Addresses that some agent heard a stranger answer for. */
function strangersIn({ agents }: World): ReadonlySet<Address> {
  return new Set([...agents.values()].flatMap(({ strangers }) => [...(strangers?.keys() ?? [])]));
}

function givenBy(view: PoolView, family: string | undefined): readonly Address[] {
  const given: Address[] = [];
  for (const range of view.ranges.filter((one) => one.family === family)) {
    for (let value = range.first; value <= range.last; value++) {
      const isReserved = view.reserved.some(({ first, last }) => first <= value && value <= last);
      if (!isReserved) given.push(addressFromValue(range.family, value));
    }
  }
  return given;
}
