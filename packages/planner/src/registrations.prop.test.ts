// What registrations promise, whatever an IPAM answers and in whatever order: no address of an
// external pool that was not given, none that is being given back, and at last nothing is left.
// Given random short histories of claims and of an IPAM with few addresses.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AddressPool,
  type Claim,
  type Plan,
  type Registration,
  type RegistrationSight,
  type World,
  ipamLineId,
} from "@fairlead/model";
import {
  address,
  makeClaim,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
  propertyRuns,
} from "@fairlead/testkit";
import fc from "fast-check";

import { createPlanMemory, plan } from "./index.ts";

/** Histories of one property. */
const RUNS = 200;
const URL = "http://ipam.example";
const GIVEN = ["192.0.2.100", "192.0.2.101", "192.0.2.102"];
/** Long enough for all that rests. */
const REST_MS = 61_000;

/** What happens between two plannings. */
type Event =
  | { readonly kind: "claims"; readonly names: readonly string[]; readonly wish: boolean }
  | { readonly kind: "answer"; readonly how: "grant" | "refuse" | "lose"; readonly count: number }
  | { readonly kind: "release" | "outage" | "wait" | "restart" };

const arbEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    kind: fc.constant("claims" as const),
    names: fc.subarray(["a", "b", "c", "d"]),
    wish: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("answer" as const),
    how: fc.constantFrom("grant", "grant", "grant", "refuse", "lose"),
    count: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ kind: fc.constantFrom("release", "outage", "wait", "restart") }),
);

/** An IPAM that gives its few addresses, one to each uuid, and what is seen of it. */
class PlayedIpam {
  readonly #held = new Map<string, string>();
  readonly seen = new Map<string, RegistrationSight>();
  troubles = new Map<string, string>();

  answer(registrations: readonly Registration[], how: "grant" | "refuse" | "lose"): void {
    for (const { uuid, wish, address: had, ending } of registrations.filter((one) => !one.ending)) {
      const taken = new Set(this.#held.values());
      const known = this.#held.get(uuid);
      // What was taken back is asked for again as it was: another address would be of no use.
      const exact = had ?? wish;
      const free = known ?? GIVEN.find((one) => !taken.has(one) && (exact ?? one) === one);
      if (how === "lose" && known !== undefined) {
        this.#held.delete(uuid);
        this.seen.set(uuid, { kind: "lost", detail: "taken back" });
      } else if (how === "grant" && free !== undefined && ending !== true) {
        this.#held.set(uuid, free);
        this.seen.set(uuid, { kind: "granted", address: address(free) });
      } else if (known === undefined) {
        const kind = had === undefined ? "refused" : "lost";
        this.seen.set(uuid, { kind, detail: "none is free" });
      }
    }
  }

  release(registrations: readonly Registration[]): void {
    for (const { uuid } of registrations.filter((one) => one.ending)) {
      this.#held.delete(uuid);
      this.seen.set(uuid, { kind: "released" });
    }
  }

  get count(): number {
    return this.#held.size;
  }
}

test("registrations keep their promises, whatever an IPAM answers", () => {
  fc.assert(
    fc.property(fc.array(arbEvent, { minLength: 3, maxLength: 14 }), (events) => {
      const revisionOf = makeRevisionOf();
      let memory = createPlanMemory();
      const ipam = new PlayedIpam();
      // Agents would have to report before anything rests: that is release's property.
      let world = makeWorld({ pools: [externalPool()], agents: [] });
      let planned: Plan = plan(world, { revisionOf, memory });
      const turn = (changes: { readonly claims?: readonly Claim[]; readonly ms?: number } = {}) => {
        const { ms = 10, ...rest } = changes;
        const sights = { registrations: new Map(ipam.seen), troubles: ipam.troubles };
        world = nextWorld(world, planned, { nowMs: world.nowMs + ms, ipam: sights, ...rest });
        planned = plan(world, { revisionOf, memory });
        assert.deepEqual(planned, plan(world, { revisionOf }), "memory changes no result");
        check(world, planned);
      };
      for (const event of events) {
        const registrations = registered(planned);
        if (event.kind === "claims") turn({ claims: claimsOf(event) });
        else if (event.kind === "wait") turn({ ms: REST_MS });
        else {
          if (event.kind === "restart") {
            memory = createPlanMemory();
            ipam.troubles = new Map();
          }
          if (event.kind === "release") ipam.release(registrations);
          if (event.kind === "outage") {
            ipam.troubles = new Map([[ipamLineId(externalPool().name, URL), "away"]]);
          }
          if (event.kind === "answer") {
            ipam.troubles = new Map();
            ipam.answer(registrations.slice(0, event.count), event.how);
          }
          turn();
        }
      }
      // Everybody goes: what was registered is given back, all of it.
      turn({ claims: [] });
      turn({ ms: REST_MS });
      ipam.release(registered(planned));
      turn();
      assert.deepEqual(registered(planned), []);
      assert.equal(ipam.count, 0, "nothing is left there");
    }),
    propertyRuns(RUNS),
  );
});

function check(world: World, { leases, intents }: Plan): void {
  const registrations = intents.filter((intent) => intent.kind === "register");
  assert.equal(new Set(registrations.map(({ uuid }) => uuid)).size, registrations.length);
  for (const row of leases.values()) {
    const own = registrations.filter((one) => one.address === row.address && !one.ending);
    assert.ok(own.length > 0, `${row.address} is held and registered`);
  }
  for (const one of registrations.filter(({ ending }) => ending)) {
    const isHeld = one.address !== undefined && leases.has(one.address);
    assert.ok(!isHeld || registrations.some((other) => other.address === one.address));
    const before = world.intents.find(({ id }) => id === one.id);
    assert.ok(before !== undefined, "what ends had begun");
  }
}

function registered({ intents }: Plan): readonly Registration[] {
  return intents.filter((intent) => intent.kind === "register");
}

function externalPool(): AddressPool {
  const rule = { url: URL, class: "lab", families: ["ipv4"], renewMs: 300_000 } as const;
  return { ...makePool("ext", GIVEN.join(",")), ranges: [], external: rule };
}

function claimsOf({ names, wish }: Extract<Event, { readonly kind: "claims" }>): readonly Claim[] {
  return names.map((name, index) =>
    makeClaim(name, { createdAtMs: index, ...(wish && index === 0 ? { wishes: GIVEN } : {}) }),
  );
}
