// What every store of the IPAM service has to do, as tests that a store's own test file plays.
// Given a place that stores are opened over one after the other.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { IpamChange, IpamStore, StoredIpam, Uuid } from "@fairlead/controller";
import { type LeasedAddress, parseClaimId, parsePoolName, present } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";

import { makeRanges } from "./builders.ts";
import { address } from "./node-plan-builders.ts";

/** A place with one store at a time. */
export interface IpamStorePlace extends AsyncDisposable {
  /** Makes the next store over the place. */
  store(): IpamStore;
  /** Until it is disposed of writes fail; where answers can get lost they are made all the same. */
  fail(): Disposable;
}

const [LAB, BLOCK, FIRST, SECOND, OTHER] = [1, 2, 3, 4, 5].map(uuidOf) as [
  Uuid,
  Uuid,
  Uuid,
  Uuid,
  Uuid,
];
const TIMES = { createdMs: 1, modifiedMs: 2 };
const CLASS: IpamChange = { kind: "put-class", class: { uuid: LAB, name: "lab", ...TIMES } };
const [RANGE] = makeRanges("192.0.2.0/29");
const NETBLOCK: IpamChange = {
  kind: "put-netblock",
  netblock: { uuid: BLOCK, class: LAB, range: present(RANGE, "a range"), ...TIMES },
};

/** Plays the contract. */
export function testIpamStoreContract(
  name: string,
  makePlace: () => Promise<IpamStorePlace>,
): void {
  suite(name, () => {
    test("an empty one holds nothing", async () => {
      await using place = await makePlace();
      await using store = place.store();
      assert.deepEqual(await store.open(), NOTHING);
    });

    test("what was committed is there after opening it again, and what was deleted is not", async () => {
      await using place = await makePlace();
      const held = [...registered(FIRST, "192.0.2.1"), ...registered(SECOND, "192.0.2.2", "me")];
      await write(place, [CLASS, NETBLOCK, ...held]);
      const stored = await read(place);
      assert.deepEqual(stored, rowsOf([CLASS, NETBLOCK, ...held]));
      await write(place, [
        { kind: "delete-registration", uuid: FIRST },
        { kind: "delete-address", class: LAB, address: address("192.0.2.1") },
      ]);
      assert.deepEqual(await read(place), rowsOf([CLASS, NETBLOCK, ...held.slice(2)]));
      await write(place, [
        { kind: "delete-class", uuid: LAB },
        { kind: "delete-netblock", uuid: BLOCK },
        { kind: "delete-registration", uuid: SECOND },
        { kind: "delete-address", class: LAB, address: address("192.0.2.2") },
      ]);
      assert.deepEqual(await read(place), NOTHING);
    });

    const refused: readonly { readonly name: string; readonly changes: readonly IpamChange[] }[] = [
      {
        name: "two registrations of one address",
        changes: [...registered(FIRST, "192.0.2.1"), ...registered(SECOND, "192.0.2.1")],
      },
      {
        name: "a registration whose address is free",
        changes: registered(FIRST, "192.0.2.1").slice(1),
      },
      { name: "a class that still has a netblock", changes: [{ kind: "delete-class", uuid: LAB }] },
      {
        name: "two classes of one name",
        changes: [{ kind: "put-class", class: { uuid: FIRST, name: "lab", ...TIMES } }],
      },
    ];
    for (const { name: what, changes } of refused) {
      test(`${what}: is not stored, and nothing of the same commit is`, async () => {
        await using place = await makePlace();
        await write(place, [CLASS, NETBLOCK]);
        const other: IpamChange = {
          kind: "put-class",
          class: { uuid: SECOND, name: "other", ...TIMES },
        };
        await assert.rejects(write(place, [other, ...changes]));
        assert.deepEqual(await read(place), rowsOf([CLASS, NETBLOCK]));
      });
    }

    testFailing(makePlace);

    test("a closed one refuses to write", async () => {
      await using place = await makePlace();
      const store = place.store();
      await store.open();
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.commit([CLASS]), { code: "CLOSED" });
    });
  });
}

function testFailing(makePlace: () => Promise<IpamStorePlace>): void {
  const nexts: readonly { readonly of: string; readonly changes: readonly IpamChange[] }[] = [
    { of: "without changes", changes: [] },
    { of: "of other rows", changes: registered(SECOND, "192.0.2.2") },
  ];
  for (const { of, changes } of nexts) {
    test(`what failed is not there after the next commit, one ${of}`, async () => {
      await using place = await makePlace();
      const before = [CLASS, NETBLOCK, ...registered(FIRST, "192.0.2.1", "me")];
      {
        await using store = place.store();
        await store.open();
        await store.commit(before);
        {
          using _trouble = place.fail();
          const renamed = registered(FIRST, "192.0.2.1", "you");
          for (const failed of [renamed, registered(OTHER, "192.0.2.3"), renamed]) {
            await assert.rejects(store.commit(failed), (error) => isEdgeError(error));
          }
        }
        await store.commit(changes);
      }
      assert.deepEqual(await read(place), rowsOf([...before, ...changes]));
    });
  }
}

const NOTHING: StoredIpam = { classes: [], netblocks: [], registrations: [], addresses: [] };

function uuidOf(n: number): Uuid {
  return `00000000-0000-4000-8000-00000000000${n}` as Uuid;
}

function registered(uuid: Uuid, text: string, owner?: string): readonly IpamChange[] {
  const claim = present(parseClaimId(`registration/ipam/${uuid}`), "a claim's id");
  const lease: LeasedAddress = {
    address: address(text),
    pool: present(parsePoolName(BLOCK), "a pool"),
    owners: [{ claim, uid: uuid, ports: [] }],
    lastClaim: claim,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: { kind: "held" },
    published: false,
    sinceMs: 3,
  };
  const registration = {
    uuid,
    class: LAB,
    address: lease.address,
    ...(owner === undefined ? {} : { owner }),
    createdMs: 3,
    renewedMs: 4,
  };
  return [
    { kind: "put-address", class: LAB, lease },
    { kind: "put-registration", registration },
  ];
}

function rowsOf(changes: readonly IpamChange[]): StoredIpam {
  return {
    classes: changes.flatMap((one) => (one.kind === "put-class" ? [one.class] : [])),
    netblocks: changes.flatMap((one) => (one.kind === "put-netblock" ? [one.netblock] : [])),
    registrations: changes.flatMap((one) =>
      one.kind === "put-registration" ? [one.registration] : [],
    ),
    addresses: changes.flatMap((one) =>
      one.kind === "put-address" ? [{ class: one.class, lease: one.lease }] : [],
    ),
  };
}

async function write(place: IpamStorePlace, changes: readonly IpamChange[]): Promise<void> {
  await using store = place.store();
  await store.open();
  await store.commit(changes);
}

async function read(place: IpamStorePlace): Promise<StoredIpam> {
  await using store = place.store();
  return await store.open();
}
