// What the service promises whatever happens: no address twice in a class, every registration holds
// one of its class's netblocks, what is answered is stored, and a restart changes nothing. Given
// random commands over small classes, with a disk that fails and restarts in between.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type AddressRange,
  parseAddress,
  parseRange,
  present,
  rangeContains,
  rangesOverlap,
} from "@fairlead/model";
import { type FakeClock, createFakeClock, createLogger } from "@fairlead/runtime";
import {
  type MemoryIpamMedium,
  createMemoryIpamMedium,
  createMemoryIpamStore,
  propertyRuns,
} from "@fairlead/testkit";
import fc from "fast-check";

import { createClass, deleteClass } from "./class-commands.ts";
import { type Uuid, parseUuid } from "./ipam-model.ts";
import { type IpamService, createIpamService } from "./ipam-service.ts";
import { type Command, type IpamState, openState } from "./ipam-state.ts";
import { release, renewMany } from "./keep.ts";
import { changeNetblock, createNetblock, deleteNetblock } from "./netblock-commands.ts";
import { register } from "./register.ts";

const RUNS = 150;
const LEASE_MS = 100_000;

const RANGES = [
  "192.0.2.0/31",
  "192.0.2.0/30",
  "192.0.2.2-192.0.2.4",
  "2001:db8::/127",
  "2001:db8::1",
].map(range);
const WISHES = ["192.0.2.0", "192.0.2.3", "2001:db8::1", "198.51.100.1"];
const CLASSES = ["a", "b"];

const arbClass = fc.constantFrom(...CLASSES);
const arbRange = fc.constantFrom(...RANGES);
const arbClient = fc.nat(5).map((n) => uuid("d", n));
const arbBlock = fc.nat(3).map((n) => uuid("b", n));

const arbCommand: fc.Arbitrary<Command<unknown>> = fc.oneof(
  { weight: 1, arbitrary: arbClass.map((name) => createClass({ uuid: classId(name), name })) },
  { weight: 1, arbitrary: arbClass.map((name) => deleteClass(name)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(arbBlock, arbClass, arbRange)
      .map(([block, name, to]) => createNetblock({ uuid: block, class: name, range: to })),
  },
  { weight: 2, arbitrary: fc.tuple(arbBlock, arbRange).map((args) => changeNetblock(...args)) },
  { weight: 1, arbitrary: arbBlock.map((block) => deleteNetblock(block)) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(arbClient, arbClass, fc.option(fc.constantFrom(...WISHES), { nil: undefined }))
      .map(([client, name, wish]) => {
        const address = wish === undefined ? undefined : parseAddress(wish);
        const wished = address === undefined ? {} : { address };
        return register({ class: name, uuid: client, ...wished });
      }),
  },
  { weight: 3, arbitrary: arbClient.map((client) => release(client)) },
  { weight: 2, arbitrary: fc.array(arbClient, { maxLength: 4 }).map((all) => renewMany(all)) },
);

/** Commands that come together, and what happens before them. */
const arbTurn = fc.record({
  commands: fc.array(arbCommand, { minLength: 1, maxLength: 5 }),
  waitMs: fc.constantFrom(0, 1000, 66_000, LEASE_MS),
  isFailing: fc.nat(3).map((n) => n === 0),
  isRestarted: fc.nat(4).map((n) => n === 0),
});

test("no address is held twice, and what is answered is what is stored", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbTurn, { maxLength: 12, size: "max" }), async (turns) => {
      const medium = createMemoryIpamMedium();
      const clock = createFakeClock({ settleRounds: 2 });
      let isFailing = false;
      let service = await start(medium, clock, () => isFailing);
      // A class to begin with, or most histories are of nothing.
      await service.run(createClass({ uuid: classId("a"), name: "a" }));
      await service.run(
        createNetblock({ uuid: uuid("b", 0), class: "a", range: range("192.0.2.0/30") }),
      );
      for (const turn of turns) {
        if (turn.isRestarted) {
          await service[Symbol.asyncDispose]();
          service = await start(medium, clock, () => isFailing);
        }
        await clock.advance(turn.waitMs);
        const before = service.view();
        isFailing = turn.isFailing;
        const answers = await Promise.allSettled(turn.commands.map((one) => service.run(one)));
        isFailing = false;
        const isRefused = answers.some(({ status }) => status === "rejected");
        if (isRefused) assert.equal(service.view(), before, "all of it is stored, or none");
        judge(service.view());
        assert.deepEqual(plain(service.view()), plain(await stored(medium)));
      }
      await service[Symbol.asyncDispose]();
    }),
    propertyRuns(RUNS),
  );
});

function judge(state: IpamState): void {
  const held = new Set<string>();
  for (const { class: of, address, uuid: name } of state.registrations.values()) {
    const world = present(state.classes.get(of), "its class is there");
    assert.ok(!held.has(`${of} ${address}`), `${address} is held twice`);
    held.add(`${of} ${address}`);
    const blocks = world.netblocks.filter((one) => rangeContains(one.range, address));
    const row = world.leases.get(address);
    assert.deepEqual(
      blocks.map((one) => String(one.uuid)),
      [row?.pool],
      `${address} is in the netblock that gave it`,
    );
    const owners = row?.owners.map((owner) => owner.uid);
    assert.deepEqual(owners, [name]);
  }
  for (const { class: one, leases, netblocks } of state.classes.values()) {
    for (const { address, owners } of leases.values()) {
      assert.equal(owners.length, Number(held.has(`${one.uuid} ${address}`)), "none is leaked");
    }
    for (const [index, { range: a }] of netblocks.entries()) {
      const rival = netblocks.slice(index + 1).find(({ range: b }) => rangesOverlap(a, b));
      assert.equal(rival, undefined, "no two netblocks of a class overlap");
    }
  }
}

async function start(
  medium: MemoryIpamMedium,
  clock: FakeClock,
  failing: () => boolean,
): Promise<IpamService> {
  return await createIpamService({
    store: createMemoryIpamStore({ medium, failing }),
    clock,
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: LEASE_MS,
    graceMs: 1000,
  });
}

async function stored(medium: MemoryIpamMedium): Promise<IpamState> {
  await using store = createMemoryIpamStore({ medium });
  return openState(await store.open());
}

/** Without the order of maps, which says nothing. */
function plain(state: IpamState): unknown {
  const entries = <Key extends string, Value>(
    map: ReadonlyMap<Key, Value>,
  ): readonly (readonly [Key, Value])[] => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return {
    classes: entries(state.classes).map(([key, { claims, leases, ...rest }]) => {
      return [key, { ...rest, claims: entries(claims), leases: entries(leases) }];
    }),
    netblocks: entries(state.netblocks),
    registrations: entries(state.registrations),
  };
}

function uuid(kind: string, n: number): Uuid {
  return present(parseUuid(`${kind}0000000-0000-4000-8000-00000000000${n}`), "a uuid");
}

function classId(name: string): Uuid {
  return uuid("c", CLASSES.indexOf(name));
}

function range(text: string): AddressRange {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}
