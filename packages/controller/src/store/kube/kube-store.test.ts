// The store in a cluster over a stub of an API server: what it does when writes are cut at any
// point, when others write, and what people find in its objects. The contract itself runs here
// too, and over a real API server in test/e2e.

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isDeepStrictEqual } from "node:util";

import { type LeasedAddress, parseAddress, present } from "@fairlead/model";
import { createSystemClock, isEdgeError } from "@fairlead/runtime";
import { type KubeStub, makeLease, startKubeStub, testStoreContract } from "@fairlead/testkit";

import { guardWrites } from "../../kube/guard-writes.ts";
import { createKubeClient, type KubeClient } from "../../kube/kube-client.ts";
import type { Store, StoreChange } from "../../ports.ts";
import { createKubeStore } from "./kube-store.ts";

const clock = createSystemClock();

testStoreContract("the store in a cluster", async () => {
  const stub = await startKubeStub();
  return {
    store: () => storeOf(stub),
    fail: () => losingAnswers(stub, Number.POSITIVE_INFINITY),
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
});

const put = (lease: LeasedAddress): StoreChange => ({ kind: "put-lease", lease });
const addresses = (leases: readonly LeasedAddress[]): readonly string[] =>
  leases.map(({ address }) => address);

suite("the objects of the store in a cluster", () => {
  test("are named by what they are about, and say who holds it", async () => {
    await using stub = await startKubeStub();
    const six = present(parseAddress("2001:db8::1"), "an address");
    {
      await using store = storeOf(stub);
      const { epoch } = await store.open();
      await store.commit(epoch, [put(makeLease(1)), put({ ...makeLease(2), address: six })]);
    }
    const four = stub.get("AddressLease", "", "10.1.0.1");
    assert.deepEqual(four?.["spec"], makeLease(1));
    assert.equal(four["epoch"], 1);
    const name = "2001-0db8-0000-0000-0000-0000-0000-0001";
    assert.ok(stub.get("AddressLease", "", name) !== undefined);
  });

  test("that a hand has removed come back when their row changes", async () => {
    await using stub = await startKubeStub();
    await using store = storeOf(stub);
    const { epoch } = await store.open();
    await store.commit(epoch, [put(makeLease(1))]);
    await stub.asked({ verb: "create", resource: "addressleases" });
    await until(() => stub.get("AddressLease", "", "10.1.0.1") !== undefined);
    stub.remove("AddressLease", "", "10.1.0.1");
    await store.commit(epoch, [put({ ...makeLease(1), published: true })]);
    await until(() => stub.get("AddressLease", "", "10.1.0.1") !== undefined);
  });

  test("that a hand has damaged keep the store shut, and are named", async () => {
    await using stub = await startKubeStub();
    const metadata = { name: "10.1.0.1" };
    const object = { kind: "AddressLease", metadata, spec: { address: "10.1.0.1" } };
    stub.put(object);
    await using store = storeOf(stub);
    await assert.rejects(store.open(), (error) => {
      assert.ok(isEdgeError(error, "CORRUPT"));
      assert.match(error.message, /lease 10\.1\.0\.1/);
      return true;
    });
    const spec = { ...makeLease(1), address: "10.1.0.9" };
    stub.put({ ...object, spec });
    await assert.rejects(
      store.open(),
      /addressleases 10\.1\.0\.1: it holds the row of 10\.1\.0\.9/,
    );
  });
});

test("a crash after any request of the store in a cluster loses nothing committed", async () => {
  // Opening takes a read, a write and three lists; then come the commits and their rows.
  const lives = Array.from({ length: 22 }, (_, index) => dieAfter(index + 2));
  await Promise.all(lives);
});

/** One store lives for so many requests; the next one has to find what the first acknowledged. */
async function dieAfter(requests: number): Promise<void> {
  await using stub = await startKubeStub();
  await writeBefore(stub);
  let left = requests;
  const client = withBefore(clientOf(stub), () => {
    left -= 1;
    if (left < 0) throw new Error("crashed");
  });
  let acknowledged = -1;
  {
    await using dying = createKubeStore({ client, clock });
    try {
      const { epoch } = await dying.open();
      for (let commit = 0; commit < COMMITS; commit += 1) {
        await dying.commit(epoch, changesOf(commit));
        acknowledged = commit;
      }
    } catch (error) {
      assert.ok(isEdgeError(error), String(error));
    }
  }
  await using next = storeOf(stub);
  const found = addresses((await next.open()).leases);
  // The one under way may have come through as well, and then whole.
  const may = [acknowledged, acknowledged + 1].map((last) => addressesAfter(last));
  assert.ok(
    may.some((expected) => isDeepStrictEqual(found, expected)),
    `after ${requests} requests and commit ${acknowledged}: ${found.join()}`,
  );
}

const COMMITS = 4;

async function writeBefore(stub: KubeStub): Promise<void> {
  await using store = storeOf(stub);
  const { epoch } = await store.open();
  await store.commit(epoch, [put(makeLease(0)), put(makeLease(1))]);
}

/** Two leases come and one goes. */
function changesOf(commit: number): readonly StoreChange[] {
  const { address } = makeLease(commit);
  const come = [put(makeLease(commit + 2)), put(makeLease(commit + 20))];
  return [...come, { kind: "delete-lease", address }];
}

function addressesAfter(lastCommit: number): readonly string[] {
  const left = new Set([makeLease(0).address, makeLease(1).address]);
  for (let commit = 0; commit <= Math.min(lastCommit, COMMITS - 1); commit += 1) {
    left.delete(makeLease(commit).address);
    left.add(makeLease(commit + 2).address).add(makeLease(commit + 20).address);
  }
  return [...left].toSorted();
}

suite("others at the store in a cluster", () => {
  test("fence whoever opened before, also in what it still has to write", async () => {
    await using stub = await startKubeStub();
    const frozen = Promise.withResolvers<void>();
    let isFrozen = false;
    const slow = withBefore(clientOf(stub), async (path) => {
      if (isFrozen && path.includes("addressleases")) await frozen.promise;
    });
    await using first = createKubeStore({ client: slow, clock });
    const opened = await first.open();
    isFrozen = true;
    await first.commit(opened.epoch, [put(makeLease(1)), put(makeLease(2))]);
    await using second = storeOf(stub);
    const { epoch, leases } = await second.open();
    assert.deepEqual(leases, [makeLease(1), makeLease(2)], "the journal tells it");
    await until(() => stub.get("AddressLease", "", "10.1.0.2") !== undefined);
    const mine = { ...makeLease(1), published: true };
    await second.commit(epoch, [
      put(mine),
      { kind: "delete-lease", address: makeLease(2).address },
    ]);
    await until(() => stub.get("AddressLease", "", "10.1.0.2") === undefined);
    frozen.resolve();
    const late = first.commit(opened.epoch, [put(makeLease(3))]);
    assert.deepEqual(await late, { kind: "fenced", epoch });
    await first[Symbol.asyncDispose]();
    await using third = storeOf(stub);
    assert.deepEqual((await third.open()).leases, [mine]);
  });

  test("that put an older copy back end the one that runs", async () => {
    await using stub = await startKubeStub();
    await using store = storeOf(stub);
    const { epoch } = await store.open();
    const snapshot = stub.snapshot();
    await store.commit(epoch, [put(makeLease(1))]);
    stub.restore(snapshot);
    const later = await store.commit(epoch, [put(makeLease(2))]);
    assert.deepEqual(later, { kind: "fenced", epoch });
  });

  test("that lose an answer do not lose the store, nor keep what was not acknowledged", async () => {
    await using stub = await startKubeStub();
    await using store = storeOf(stub);
    const { epoch } = await store.open();
    losingAnswers(stub, 1);
    await assert.rejects(store.commit(epoch, [put(makeLease(1))]));
    assert.deepEqual(await store.commit(epoch, [put(makeLease(2))]), { kind: "committed" });
    await using next = storeOf(stub);
    assert.deepEqual((await next.open()).leases, [makeLease(2)]);
  });

  test("are asked nothing by a commit without changes while no answer is missing", async () => {
    await using stub = await startKubeStub();
    await using store = storeOf(stub);
    const { epoch } = await store.open();
    losingAnswers(stub, 1);
    await assert.rejects(store.commit(epoch, [put(makeLease(1))]));
    await store.commit(epoch, []);
    stub.forgetRequests();
    assert.deepEqual(await store.commit(epoch, []), { kind: "committed" });
    assert.deepEqual(stub.requests({}), []);
  });

  test("without its journal the next epoch is above all that rows name", async () => {
    await using stub = await startKubeStub();
    {
      await using store = storeOf(stub);
      const { epoch } = await store.open();
      await store.outrank(epoch, 41);
      await store.commit(42, [put(makeLease(1))]);
    }
    stub.remove("StoreJournal", "", "journal");
    await using store = storeOf(stub);
    assert.equal((await store.open()).epoch, 43);
  });

  test("one that does not lead writes nothing", async () => {
    await using stub = await startKubeStub();
    let leads = true;
    const client = guardWrites(clientOf(stub), () => leads);
    await using store = createKubeStore({ client, clock });
    const { epoch } = await store.open();
    leads = false;
    stub.forgetRequests();
    await assert.rejects(store.commit(epoch, [put(makeLease(1))]), /does not lead/);
    assert.deepEqual(stub.requests({ verb: "update" }), []);
  });
});

/** The journal is written so often, and nobody hears of it. */
function losingAnswers(stub: KubeStub, times: number): Disposable {
  const when = { verb: "update", resource: "storejournals" } as const;
  return stub.fault({ when, do: { kind: "cut", where: { afterBytes: 1 } }, times });
}

function clientOf(stub: KubeStub): KubeClient {
  return createKubeClient({ access: stub.access, clock, userAgent: "test" });
}

function storeOf(stub: KubeStub): Store {
  return createKubeStore({ client: clientOf(stub), clock });
}

/** The client with something that comes before each request. */
function withBefore(
  client: KubeClient,
  before: (path: string) => void | Promise<void>,
): KubeClient {
  return {
    ...client,
    request: async (request, signal) => {
      await before(request.path);
      return await client.request(request, signal);
    },
  };
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = clock.nowMs() + 5000;
  while (!isSo()) {
    assert.ok(clock.nowMs() < endMs, "in vain");
    await clock.sleep(5);
  }
}
