// The IPAM service's store on a real etcd of three members, each store by another one: the
// contract, two controllers, a commit that is too large for one transaction and breaks off, and
// rows that somebody damaged.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { EtcdCluster } from "@fairlead/lab";
import { parseRange, present } from "@fairlead/model";
import { createFakeClock, createLogger, createSystemClock, isEdgeError } from "@fairlead/runtime";
import { shareEtcd, testIpamStoreContract } from "@fairlead/testkit";

import { toolPath } from "../../../../../test/tools/tool-path.ts";
import { connectStore } from "../../etcd/connect-store.ts";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import { makeEtcdError } from "../../etcd/etcd-errors.ts";
import { createClass } from "../../ipam/class-commands.ts";
import { type StoredIpam, type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import { createIpamService, type IpamService } from "../../ipam/ipam-service.ts";
import { openState } from "../../ipam/ipam-state.ts";
import { release } from "../../ipam/keep.ts";
import { createNetblock } from "../../ipam/netblock-commands.ts";
import type { IpamStore } from "../../ipam/ports.ts";
import { register } from "../../ipam/register.ts";
import { createEtcdIpamStore } from "./etcd-ipam-store.ts";
import { createEtcdStore } from "./etcd-store.ts";

const placeInEtcd = shareEtcd(toolPath("etcd", "server"), { members: 3 });

interface Place extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly base: string;
  readonly client: EtcdClient;
  store(): IpamStore;
  fail(): Disposable;
}

/** One etcd for all tests; each has a base path of its own, and each store asks another member. */
async function makePlace(): Promise<Place> {
  const { etcd, base, storeByMember } = await placeInEtcd();
  const clients = storeByMember.map((store) => connectStore(store, createSystemClock()));
  let isLosing = false;
  let stores = 0;
  const losing = (client: EtcdClient): EtcdClient => ({
    ...client,
    transact: async (transaction) => {
      const result = await client.transact(transaction);
      if (!isLosing) return result;
      throw makeEtcdError({ code: "TIMEOUT", message: "nobody answered" });
    },
  });
  return {
    etcd,
    base,
    client: present(clients[0], "an etcd has a member"),
    store: () => {
      const asked = present(clients[stores % clients.length], "an etcd has a member");
      stores += 1;
      return createEtcdIpamStore({ client: losing(asked), base });
    },
    fail: () => {
      isLosing = true;
      return { [Symbol.dispose]: () => void (isLosing = false) };
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of clients) one[Symbol.dispose]();
      await Promise.resolve();
    },
  };
}

const LAB = uuidOf("a", 1);
const MANY = Array.from({ length: 200 }, (_, index) => uuidOf("d", index));
const [FIRST = LAB, SECOND = LAB, THIRD = LAB] = MANY;

testIpamStoreContract("the IPAM store in etcd", makePlace);

test("a controller that was overtaken is fenced, and what it was told is the successor's", async () => {
  await using place = await makePlace();
  await using first = await serve(place.store());
  const told = await addressOf(first, FIRST);
  await using second = await serve(place.store());
  assert.equal(await addressOf(second, FIRST), told, "the same uuid gets the same address");
  const other = await addressOf(second, SECOND);
  await assert.rejects(addressOf(first, THIRD), (error) => isEdgeError(error, "FENCED"));
  await assert.rejects(first.run(release(FIRST)), (error) => isEdgeError(error, "FENCED"));
  await using third = await serve(place.store());
  assert.deepEqual(
    heldIn(third),
    new Map([
      [FIRST, told],
      [SECOND, other],
    ]),
  );
});

test("leases and the service's rows are beside each other, each with a term of its own", async () => {
  await using place = await makePlace();
  await using service = await serve(place.store());
  await using leases = createEtcdStore({ client: place.client, base: place.base });
  const { epoch } = await leases.open();
  await addressOf(service, FIRST);
  assert.deepEqual(await leases.commit(epoch, []), { kind: "committed" });
  await leases.open();
  assert.equal(typeof (await addressOf(service, SECOND)), "string");
});

test("whatever beginning of a large commit is there, the store is good and nothing is doubled", async () => {
  for (const sent of [1, 2, 3, 4]) {
    await using place = await makePlace();
    let left = Infinity;
    const client = breaking(place.client, () => left-- > 0);
    const store = createEtcdIpamStore({ client, base: place.base });
    await using service = await serve(store);
    // Some are there already, so that the commit takes away as well as it gives.
    await Promise.all(MANY.slice(0, 100).map((uuid) => addressOf(service, uuid)));
    const before = heldIn(service);
    left = sent;
    const results = await Promise.allSettled([
      ...MANY.slice(0, 100).map((uuid) => service.run(release(uuid))),
      ...MANY.slice(100).map((uuid) => addressOf(service, uuid)),
    ]);
    const isBroken = results.every(({ status }) => status === "rejected");
    assert.equal(isBroken, sent < 4, "100 releases and 100 registrations are four transactions");
    assertWhole(await place.store().open(), before);
    if (!isBroken) continue;
    await using successor = await serve(place.store());
    await Promise.all(MANY.map((uuid) => addressOf(successor, uuid)));
    assert.equal(new Set(heldIn(successor).values()).size, MANY.length);
  }
});

test("what a commit left that broke off is put back by the next one", async () => {
  await using place = await makePlace();
  let left = Infinity;
  const client = breaking(place.client, () => left-- > 0);
  await using service = await serve(createEtcdIpamStore({ client, base: place.base }));
  left = 1;
  const all = MANY.map((uuid) => addressOf(service, uuid));
  const results = await Promise.allSettled(all);
  assert.ok(results.every(({ status }) => status === "rejected"));
  const prefix = `${place.base}/ipam/registrations/`;
  assert.ok((await place.etcd.keys(prefix)).length > 0, "the beginning is there");
  left = Infinity;
  const address = await addressOf(service, SECOND);
  const { registrations, addresses } = await place.store().open();
  assert.deepEqual(
    registrations.map((one) => [one.uuid, one.address]),
    [[SECOND, address]],
  );
  assert.deepEqual(
    addresses.map(({ lease }) => lease.address),
    [address],
  );
});

suite("rows that do not fit together are refused in words, and nothing is taken", () => {
  const cases = [
    {
      name: "a registration whose address is gone",
      damage: async ({ etcd, base }: Place) => {
        await etcd.remove(`${base}/ipam/addresses/${LAB}/192.0.2.0`);
      },
      says: /^damaged rows of the IPAM: registration d.* needs address a.*\/192\.0\.2\.0, which is not there$/,
    },
    {
      name: "a row that is not JSON",
      damage: async ({ etcd, base }: Place) => {
        await etcd.put(`${base}/ipam/classes/${LAB}`, "{");
      },
      says: /^damaged row of class a.*: it is not JSON$/,
    },
    {
      name: "an address under no class",
      damage: async ({ etcd, base }: Place) => {
        await etcd.put(`${base}/ipam/addresses/lab/192.0.2.0`, "{}");
      },
      says: /^damaged row of address lab\/192\.0\.2\.0: no class$/,
    },
  ];
  for (const { name, damage, says } of cases) {
    test(name, async () => {
      await using place = await makePlace();
      {
        await using service = await serve(place.store());
        await addressOf(service, FIRST);
      }
      await damage(place);
      const before = await place.etcd.keys(`${place.base}/`);
      await assert.rejects(place.store().open(), (error) => {
        assert.ok(isEdgeError(error, "CORRUPT"), String(error));
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(await place.etcd.keys(`${place.base}/`), before);
    });
  }
});

/** A service with a class of two /24 that is made where it is missing. */
async function serve(store: IpamStore): Promise<IpamService> {
  const service = await createIpamService({
    store,
    clock: createFakeClock(),
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: 60_000,
    graceMs: 60_000,
  });
  await service.run(createClass({ uuid: LAB, name: "lab" }));
  const range = parseRange("192.0.2.0-192.0.3.255");
  assert.ok(range.kind === "ok");
  await service.run(createNetblock({ uuid: uuidOf("b", 1), class: "lab", range: range.value }));
  return service;
}

async function addressOf(service: IpamService, uuid: Uuid): Promise<string> {
  const answer = await service.run(register({ class: "lab", uuid }));
  assert.ok(answer.kind === "done");
  return answer.value.address;
}

function heldIn(service: IpamService): ReadonlyMap<string, string> {
  return new Map([...service.view().registrations].map(([uuid, one]) => [uuid, one.address]));
}

/** Every registration holds its address by both rows, and those of before keep it. */
function assertWhole(stored: StoredIpam, before: ReadonlyMap<string, string>): void {
  openState(stored);
  const owners = new Map(
    stored.addresses.map(({ lease }) => [lease.address, lease.owners.map(({ uid }) => uid)]),
  );
  for (const { uuid, address } of stored.registrations) {
    assert.deepEqual(owners.get(address), [uuid]);
    assert.equal(address, before.get(uuid) ?? address);
  }
  const held = [...owners.values()].filter((uids) => uids.length > 0);
  assert.equal(held.length, stored.registrations.length, "nothing is held by nobody");
}

/** A client whose writes are not sent any more once `goesOn` says so. */
function breaking(client: EtcdClient, goesOn: () => boolean): EtcdClient {
  return {
    ...client,
    transact: async (transaction) => {
      if (goesOn()) return await client.transact(transaction);
      throw makeEtcdError({ code: "TIMEOUT", message: "lost" });
    },
  };
}

function uuidOf(first: string, index: number): Uuid {
  const last = String(index).padStart(12, "0");
  return present(parseUuid(`${first}0000000-0000-4000-8000-${last}`), "a uuid");
}
