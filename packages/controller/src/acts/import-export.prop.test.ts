// What an export promises, whatever happened to a store before: it is allowed where it was made and
// changes nothing there, and gives the same rows where there are none, but for what no pool gives
// and for two addresses of one claim that both serve nobody. Given random histories with pools of
// all modes, an IPAM that gives addresses, moves under way and edited pools.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Address,
  type AddressPool,
  familyOf,
  type LeasedAddress,
  type Plan,
  type World,
} from "@fairlead/model";
import { createPlanMemory, plan } from "@fairlead/planner";
import {
  address,
  arbHappening,
  arbPools,
  arbWorld,
  type Happening,
  happening,
  type History,
  makePool,
  makeRevisionOf,
  nextWorld,
  playHistory,
  propertyRuns,
} from "@fairlead/testkit";
import fc from "fast-check";

import { createActQueue } from "./act-queue.ts";
import { emptied, imported, throughFile, whyNot } from "./import-cases.ts";

/** Histories of one property. */
const RUNS = 300;

const URL = "http://ipam.example";
const GIVEN = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(address);

/** A pool whose addresses an IPAM gives; preferred to all others. */
const OUTSIDE: AddressPool = {
  ...makePool("outside", GIVEN[0] ?? "", { priority: 9 }),
  ranges: [],
  external: { url: URL, class: "edge", families: ["ipv4"], renewMs: 60_000 },
};

const arbAllPools = fc
  .tuple(arbPools, fc.boolean())
  .map(([pools, hasOutside]) => (hasOutside ? [...pools, OUTSIDE] : pools));

/** The IPAM answers whoever asked: one address each, while it has any. */
const ipamAnswers = happening("the IPAM answers", (world, planned) => {
  const registrations = new Map(world.ipam?.registrations);
  const taken = new Set(planned.intents.map((one) => one.kind === "register" && one.address));
  for (const one of planned.intents) {
    if (one.kind !== "register" || one.address !== undefined) continue;
    const free = GIVEN.find((given) => !taken.has(given));
    const refused = { kind: "refused", detail: "none is free" } as const;
    const sight = free === undefined ? refused : ({ kind: "granted", address: free } as const);
    registrations.set(one.uuid, sight);
    taken.add(free ?? false);
  }
  return nextWorld(world, planned, { ipam: { registrations, troubles: new Map() } });
});

const arbAny: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 20, arbitrary: arbHappening },
  {
    weight: 2,
    arbitrary: arbAllPools.map((pools) =>
      happening("pools are edited", (world, planned) => nextWorld(world, planned, { pools })),
    ),
  },
  { weight: 3, arbitrary: fc.constant(ipamAnswers) },
);

const arbStory: fc.Arbitrary<History> = fc.record({
  world: fc.tuple(arbWorld, arbAllPools).map(([world, pools]) => ({ ...world, pools })),
  happenings: fc.array(arbAny, { minLength: 1, maxLength: 8 }),
});

/** Calls `see` with each world of the history, with what was planned for it in its store. */
function playStores(history: History, see: (stored: World, planned: Plan) => void): void {
  const options = { revisionOf: makeRevisionOf(), memory: createPlanMemory() };
  playHistory(
    history,
    (world) => plan(world, options),
    (world, planned) => see(nextWorld(world, planned), planned),
  );
}

test("an export is allowed where it was made, and changes nothing", () => {
  fc.assert(
    fc.property(arbStory, (history) => {
      playStores(history, (stored) => {
        const { leases, did } = imported(stored, throughFile(stored));
        assert.deepEqual(leases, []);
        const count = stored.leases.size;
        assert.deepEqual(did, [`0 of ${count} leases came in; the others were here already`]);
      });
    }),
    propertyRuns(RUNS),
  );
});

test("an export gives the same rows where there are none, as far as pools give them", () => {
  fc.assert(
    fc.property(arbStory, (history) => {
      playStores(history, (stored, planned) => {
        const empty = emptied(stored);
        const file = throughFile(stored);
        const problems = whyNot(empty, file);
        const named = file.filter(({ address: at }) => problems.some(isOf(at)));
        for (const lease of named) {
          const why = problems.find(isOf(lease.address));
          assert.ok(isOutside(planned, lease) || isIdle(file, lease), why);
        }
        const given = file.filter((lease) => !named.includes(lease));
        assert.deepEqual(imported(empty, given).leases, given);
        assert.deepEqual(ownersOf(plannedAfter(empty, given)), ownersOf(given));
      });
    }),
    propertyRuns(RUNS),
  );
});

/** The leases after the import was planned, while no source shows any owner. */
function plannedAfter(world: World, leases: readonly LeasedAddress[]): Iterable<LeasedAddress> {
  const queue = createActQueue();
  void queue.ask({ kind: "import", leases, isDryRun: false }, { lead: { leads: true } });
  const { world: next } = queue.begin({ ...world, claims: new Map() });
  return plan(next, { revisionOf: makeRevisionOf() }).leases.values();
}

function ownersOf(leases: Iterable<LeasedAddress>): ReadonlyMap<Address, readonly string[]> {
  const held = Array.from(leases).filter(({ owners }) => owners.length > 0);
  return new Map(held.map(({ address: at, owners }) => [at, owners.map(({ claim }) => claim)]));
}

function isOf(at: Address): (problem: string) => boolean {
  return (problem) => problem.replace(/:? .*/, "") === at;
}

/**
 * Whether neither it nor another one of the same owner serves: a move both of whose ends were lost,
 * while no source shows who moved. Nothing of it is to be seen in the file.
 */
function isIdle(file: readonly LeasedAddress[], { address: at, owners }: LeasedAddress): boolean {
  const isOwn = (lease: LeasedAddress): boolean =>
    familyOf(lease.address) === familyOf(at) &&
    lease.owners.some(({ claim }) => claim === owners[0]?.claim);
  const idle = file.filter((lease) => isOwn(lease) && !lease.published);
  return idle.length > 1 && idle.some((lease) => lease.address === at);
}

/** Whether an operator is told that the pool which gave it has it no more. */
function isOutside({ findings }: Plan, { address: at, pool }: LeasedAddress): boolean {
  return findings.some(({ reason, name, detail }) => {
    if (reason !== "HeldOutside" || name !== pool || /no longer serves/.test(detail)) return false;
    return detail.split(/[ ,;]+/).includes(at);
  });
}
