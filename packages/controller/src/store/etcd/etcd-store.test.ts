// The store on a real etcd of three members, each store by another one: the contract, what only
// several controllers meet, rows that somebody damaged, large commits, and writes whose answer
// never comes.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { type EtcdCluster, startEtcdCluster } from "@fairlead/lab";
import { type Address, type LeasedAddress, addressFromValue } from "@fairlead/model";
import { parseClaimId, parsePoolName, present } from "@fairlead/model";
import { createSystemClock, isEdgeError } from "@fairlead/runtime";
import { shareEtcd, testStoreContract } from "@fairlead/testkit";
import fc from "fast-check";

import { toolPath } from "../../../../../test/tools/tool-path.ts";
import { connectStore } from "../../etcd/connect-store.ts";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import { makeEtcdError } from "../../etcd/etcd-errors.ts";
import type { Store, StoreChange } from "../../ports.ts";
import { createEtcdStore } from "./etcd-store.ts";

const PROGRAM = toolPath("etcd", "server");
const BASE = "/fairlead";
const place = shareEtcd(PROGRAM, { members: 3 });

interface Medium extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly base: string;
  readonly client: EtcdClient;
  store(): Store;
  fail(): Disposable;
}

/** One etcd for all tests; each has a base path of its own, and each store asks another member. */
async function makeMedium(): Promise<Medium> {
  const { etcd, base, storeByMember } = await place();
  const clients = storeByMember.map((store) => connectStore(store, createSystemClock()));
  const [client] = clients;
  let isLosing = false;
  let stores = 0;
  return {
    etcd,
    base,
    client: present(client, "an etcd has a member"),
    store: () => {
      const asked = present(clients[stores % clients.length], "an etcd has a member");
      stores += 1;
      const losing = unreliable(asked, () => (isLosing ? "no answer" : "fine"));
      return createEtcdStore({ client: losing, base });
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

testStoreContract("the etcd store", makeMedium);

test("a controller that was overtaken is fenced, and changes nothing", async () => {
  await using medium = await makeMedium();
  await using first = medium.store();
  await using second = medium.store();
  const { epoch } = await first.open();
  await first.commit(epoch, [put(1)]);
  const state = await second.open();
  assert.deepEqual(state.leases, [lease(1)]);
  assert.deepEqual(await first.commit(epoch, [put(2)]), { kind: "fenced", epoch: state.epoch });
  assert.deepEqual(await first.outrank(epoch, 50), { kind: "fenced", epoch: state.epoch });
  assert.deepEqual(await second.commit(state.epoch, [put(3)]), { kind: "committed" });
  assert.deepEqual(
    await addresses(medium),
    [lease(1), lease(3)].map((one) => one.address),
  );
});

test("controllers that open at the same moment take different epochs, and one can write", async () => {
  await using medium = await makeMedium();
  const stores = Array.from({ length: 5 }, () => medium.store());
  const states = await Promise.all(stores.map((store) => store.open()));
  assert.deepEqual(new Set(states.map(({ epoch }) => epoch)), new Set([1, 2, 3, 4, 5]));
  const results = await Promise.all(
    stores.map((store, index) => store.commit(states[index]?.epoch ?? 0, [put(index)])),
  );
  assert.equal(results.filter(({ kind }) => kind === "committed").length, 1);
  assert.equal((await addresses(medium)).length, 1);
});

/** Far longer than members need for a new leader. */
const ELECTED = { timeout: 20_000 };

test(
  "what was told outlives the member that took it, and another one goes on",
  ELECTED,
  async ({ signal }) => {
    await using etcd = await startEtcdCluster({ program: PROGRAM, members: 3 });
    const leader = await etcd.leader();
    const others = etcd.urls.filter((url) => url !== leader.url);
    const clock = createSystemClock();
    using client = connectStore(`etcd:${[leader.url, ...others].join(",")}`, clock);
    await using store = createEtcdStore({ client, base: BASE });
    const { epoch } = await store.open();
    assert.deepEqual(await store.commit(epoch, [put(1)]), { kind: "committed" });
    await leader.kill();
    // Until the others have a leader a commit may fail; then nothing of it is there.
    let written: unknown;
    while (written === undefined && !signal.aborted) {
      written = await store.commit(epoch, [put(2)]).catch(unanswered);
    }
    assert.deepEqual(written, { kind: "committed" });
    const beside = async (url: string): Promise<readonly LeasedAddress[]> => {
      using other = connectStore(`etcd:${url}`, clock);
      return (await createEtcdStore({ client: other, base: BASE }).open()).leases;
    };
    for (const url of others) assert.deepEqual(await beside(url), [lease(1), lease(2)]);
    await leader.start();
    assert.deepEqual(await beside(leader.url), [lease(1), lease(2)], "it has caught up");
  },
);

function unanswered(error: unknown): undefined {
  assert.ok(isEdgeError(error, "TIMEOUT") || isEdgeError(error, "UNREACHABLE"), String(error));
}

test("an address that somebody else took is not given, and named", async () => {
  await using medium = await makeMedium();
  await using store = medium.store();
  const { epoch } = await store.open();
  const key = `${medium.base}/store/leases/${lease(2).address}`;
  await medium.etcd.put(key, JSON.stringify({ ...lease(2), sinceMs: 7 }));
  await assert.rejects(store.commit(epoch, [put(1), put(2)]), (error) => {
    assert.ok(isEdgeError(error, "CONFLICT"));
    assert.match(error.message, new RegExp(`: somebody else made ${key}$`));
    return true;
  });
  assert.deepEqual(await addresses(medium), [lease(2).address]);
  await medium.etcd.remove(key);
  assert.deepEqual(await store.commit(epoch, [put(1), put(2)]), { kind: "committed" });
});

test("an etcd that was put back under a running controller takes no write", async () => {
  await using medium = await makeMedium();
  await using store = medium.store();
  const { epoch } = await store.open();
  const key = `${medium.base}/store/term`;
  const [old] = await medium.etcd.keys(key);
  await store.commit(epoch, [put(1)]);
  await medium.etcd.put(key, present(old, "the term").value);
  for (const prepare of [() => Promise.resolve(), () => medium.etcd.remove(key)]) {
    await prepare();
    await assert.rejects(store.commit(epoch, [put(2)]), (error) => {
      assert.ok(isEdgeError(error, "CONFLICT"));
      assert.match(error.message, /put back to an older state while it is in use$/);
      return true;
    });
  }
  assert.deepEqual(await addresses(medium), [lease(1).address]);
});

suite("rows that are not those of this release are refused in words, and nothing is taken", () => {
  const cases = [
    { name: "a lease that is not JSON", row: "leases/10.1.0.1", text: "{", says: /not JSON$/ },
    {
      name: "a lease that stands under another address",
      row: "leases/10.1.0.1",
      text: JSON.stringify(lease(2)),
      says: /damaged row of lease 10\.1\.0\.1: it holds 10\.1\.0\.2$/,
    },
    { name: "a term without a number", row: "term", text: '{"version":1}', says: /store\/term/ },
    {
      name: "one that a newer release wrote",
      row: "term",
      text: '{"version":2,"colour":"red"}',
      code: "TOO_NEW",
      says: /has version 2; this release reads 1$/,
    },
  ];
  for (const { name, row, text, code = "CORRUPT", says } of cases) {
    test(name, async () => {
      await using medium = await makeMedium();
      await medium.etcd.put(`${medium.base}/store/${row}`, text);
      const before = await medium.etcd.keys(`${medium.base}/`);
      await assert.rejects(medium.store().open(), (error) => {
        assert.ok(isEdgeError(error, code), String(error));
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(await medium.etcd.keys(`${medium.base}/`), before);
    });
  }
});

suite("writes whose answer never comes", () => {
  test("a commit that broke off in the middle is put back by the next one", async () => {
    await using medium = await makeMedium();
    let left = 1;
    const client = unreliable(medium.client, () => (left-- > 0 ? "fine" : "no request"));
    await using store = createEtcdStore({ client, base: medium.base });
    left = 3;
    const { epoch } = await store.open();
    await store.commit(epoch, [put(0)]);
    const many = Array.from({ length: 300 }, (_, index) => put(index + 1));
    await assert.rejects(store.commit(epoch, [...many, drop(0)]), (error) =>
      isEdgeError(error, "TIMEOUT"),
    );
    const half = await medium.etcd.keys(`${medium.base}/store/leases/`);
    assert.equal(half.length, 128, "the beginning is there, and what comes last is not gone yet");
    left = 10;
    assert.deepEqual(await store.commit(epoch, [put(500)]), { kind: "committed" });
    assert.deepEqual(
      await addresses(medium),
      [lease(0), lease(500)].map((one) => one.address),
    );
  });

  test("a commit without changes asks nothing while no answer is missing", async () => {
    await using medium = await makeMedium();
    let asked = 0;
    let fate: Fate = "fine";
    const client = unreliable(medium.client, () => {
      asked += 1;
      return fate;
    });
    await using store = createEtcdStore({ client, base: medium.base });
    const { epoch } = await store.open();
    fate = "no answer";
    await assert.rejects(store.commit(epoch, [put(1)]));
    fate = "fine";
    await store.commit(epoch, []);
    asked = 0;
    assert.deepEqual(await store.commit(epoch, []), { kind: "committed" });
    assert.equal(asked, 0);
  });

  test("whatever gets lost or is late, the store comes to hold what was acknowledged", async () => {
    const change = fc
      .nat(9)
      .chain((index) =>
        fc.constantFrom<StoreChange>(
          put(index),
          { kind: "put-lease", lease: { ...lease(index), sinceMs: index + 1 } },
          drop(index),
        ),
      );
    const fate = fc.constantFrom<Fate>(
      "fine",
      "fine",
      "no request",
      "no answer",
      "late",
      "too late",
    );
    const story = fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.array(change, { maxLength: 4 }) },
        { weight: 1, arbitrary: fc.constant("outrank" as const) },
      ),
      { maxLength: 14 },
    );
    const property = fc.asyncProperty(
      story,
      fc.array(fate, { maxLength: 30 }),
      async (steps, fates) => {
        await using medium = await makeMedium();
        const coming = [...fates];
        const client = unreliable(medium.client, () => coming.shift() ?? "fine");
        coming.unshift("fine");
        const table = new Map<Address, LeasedAddress>();
        await using store = createEtcdStore({ client, base: medium.base });
        let { epoch } = await store.open();
        for (const step of steps) {
          try {
            if (step === "outrank") {
              const result = await store.outrank(epoch, epoch);
              assert.equal(result.kind, "outranked");
              assert.ok(result.epoch > epoch);
              ({ epoch } = result);
              continue;
            }
            assert.deepEqual(await store.commit(epoch, step), { kind: "committed" });
            for (const one of step) {
              if (one.kind === "put-lease") table.set(one.lease.address, one.lease);
              if (one.kind === "delete-lease") table.delete(one.address);
            }
          } catch (error) {
            assert.ok(isEdgeError(error, "TIMEOUT"), String(error));
          }
        }
        coming.length = 0;
        assert.deepEqual(await store.commit(epoch, []), { kind: "committed" });
        await client.arrive();
        const { leases } = await createEtcdStore({ client, base: medium.base }).open();
        assert.deepEqual(new Map(leases.map((one) => [one.address, one])), table);
      },
    );
    await fc.assert(property, { numRuns: 40 });
  });
});

/** What becomes of a write: `late` happens right before the next one, `too late` at the end. */
type Fate = "fine" | "no request" | "no answer" | "late" | "too late";

interface Unreliable extends EtcdClient {
  /** Lets all late writes arrive. */
  arrive(): Promise<void>;
}

function unreliable(client: EtcdClient, fateOf: () => Fate): Unreliable {
  const late: Parameters<EtcdClient["transact"]>[0][] = [];
  const tooLate: typeof late = [];
  const arrive = async (): Promise<void> => {
    for (const one of [...late.splice(0), ...tooLate.splice(0)]) await client.transact(one);
  };
  return {
    ...client,
    arrive,
    transact: async (transaction) => {
      const fate = fateOf();
      if (fate === "fine" || fate === "no answer") {
        for (const one of late.splice(0)) await client.transact(one);
        const result = await client.transact(transaction);
        if (fate === "fine") return result;
      }
      if (fate === "late") late.push(transaction);
      if (fate === "too late") tooLate.push(transaction);
      throw makeEtcdError({ code: "TIMEOUT", message: `lost: ${fate}` });
    },
  };
}

/** Lease number `index`, as the contract has them. */
function lease(index: number): LeasedAddress {
  const claim = present(parseClaimId(`service/default/web-${index}`), "a claim");
  return {
    address: addressFromValue("ipv4", BigInt(0x0a_01_00_00 + index)),
    pool: present(parsePoolName("default"), "a pool"),
    owners: [],
    lastClaim: claim,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: { kind: "quarantined", untilMs: 5 },
    published: false,
    sinceMs: 1,
  };
}

function put(index: number): StoreChange {
  return { kind: "put-lease", lease: lease(index) };
}

function drop(index: number): StoreChange {
  return { kind: "delete-lease", address: lease(index).address };
}

/** The addresses in etcd, by its own word. */
async function addresses({ etcd, base }: Medium): Promise<readonly string[]> {
  const prefix = `${base}/store/leases/`;
  return (await etcd.keys(prefix)).map(({ key }) => key.slice(prefix.length));
}
