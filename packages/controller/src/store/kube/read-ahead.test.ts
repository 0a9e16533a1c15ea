// A store in a cluster that read ahead while another one led, over a stub of an API server: what it
// reads at its opening, and that it opens to the same as one that read nothing before.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { LeasedAddress } from "@fairlead/model";
import { createFakeClock, createSystemClock, type FakeClock } from "@fairlead/runtime";
import { type KubeStub, makeLease, startKubeStub } from "@fairlead/testkit";

import { createKubeClient, type KubeClient } from "../../kube/kube-client.ts";
import type { Store, StoreChange } from "../../ports.ts";
import { createKubeStore } from "./kube-store.ts";

const system = createSystemClock();
/** Longer than rows stay unread again. */
const AGAIN_MS = 5000;
const COMMITS = 4;

suite("a store that read ahead", () => {
  test("is opened by one read and one write, and lists nothing", async () => {
    await using stub = await startKubeStub();
    await using leader = storeOf(stub);
    const { epoch } = await leader.open();
    await leader.commit(epoch, [put(1), put(2)]);
    await using next = storeOf(stub);
    await next.readAhead?.();
    stub.forgetRequests();
    const opened = await next.open();
    assert.deepEqual(stub.counts(), { list: 0, watch: 0, get: 1, write: 1 });
    assert.deepEqual([opened.epoch, opened.leases], [epoch + 1, [makeLease(1), makeLease(2)]]);
    assert.deepEqual(await leader.commit(epoch, [put(3)]), { kind: "fenced", epoch: epoch + 1 });
  });

  test("reads all anew when something was committed since", async () => {
    await using stub = await startKubeStub();
    await using leader = storeOf(stub);
    const { epoch } = await leader.open();
    await leader.commit(epoch, [put(1)]);
    await using next = storeOf(stub);
    await next.readAhead?.();
    await leader.commit(epoch, [put(2)]);
    stub.forgetRequests();
    assert.deepEqual((await next.open()).leases, [makeLease(1), makeLease(2)]);
    assert.equal(stub.counts({ resource: "addressleases" }).list, 1);
  });

  test("reads no rows while the journal changes, and again when it has come to rest", async () => {
    await using stub = await startKubeStub();
    const clock = createFakeClock();
    await using leader = storeOf(stub);
    const { epoch } = await leader.open();
    await using next = createKubeStore({ client: clientOf(stub), clock });
    const lists = async (): Promise<number> => {
      await next.readAhead?.();
      const { list } = stub.counts({ resource: "addressleases" });
      stub.forgetRequests();
      return list;
    };
    stub.forgetRequests();
    assert.equal(await lists(), 1, "at first at once");
    assert.equal(await lists(), 0, "nothing is new");
    await clock.advance(AGAIN_MS);
    await leader.commit(epoch, [put(1)]);
    assert.equal(await lists(), 0, "it may change again");
    await leader.commit(epoch, [put(2)]);
    assert.equal(await lists(), 0);
    assert.equal(await lists(), 1);
    await leader.commit(epoch, [put(3)]);
    assert.deepEqual([await lists(), await lists()], [0, 0], "it was read just now");
    await clock.advance(AGAIN_MS);
    assert.equal(await lists(), 1);
  });

  test("forgets what it read once it was opened", async () => {
    await using stub = await startKubeStub();
    await using first = storeOf(stub);
    await using next = storeOf(stub);
    await first.open();
    await next.readAhead?.();
    const { epoch } = await next.open();
    await next.commit(epoch, [put(1)]);
    assert.deepEqual((await next.open()).leases, [makeLease(1)]);
  });

  test("takes an object that a hand has changed since as one that was left, and mends it", async () => {
    await using stub = await startKubeStub();
    await using leader = storeOf(stub);
    const { epoch } = await leader.open();
    await leader.commit(epoch, [put(1)]);
    await until(() => stub.get("AddressLease", "", "10.1.0.1") !== undefined);
    await using next = storeOf(stub);
    await next.readAhead?.();
    const object = stub.get("AddressLease", "", "10.1.0.1");
    stub.put({ ...object, spec: { ...makeLease(1), pool: "by-hand" } });
    const opened = await next.open();
    assert.deepEqual(opened.leases, [makeLease(1)], "as its leader would have gone on");
    const published: LeasedAddress = { ...makeLease(1), published: true };
    await next.commit(opened.epoch, [{ kind: "put-lease", lease: published }]);
    const shown = (): boolean => {
      const spec = stub.get("AddressLease", "", "10.1.0.1")?.["spec"] as LeasedAddress | undefined;
      return spec?.published === true && spec.pool === published.pool;
    };
    await until(shown);
  });
});

test("a leader that dies after any request loses nothing to one that read ahead in between", async () => {
  const lives = Array.from({ length: 24 }, (_, index) => dieAfter(index + 2));
  await Promise.all(lives);
});

/** The next one reads ahead before each request of the first, which ends after so many. */
async function dieAfter(requests: number): Promise<void> {
  await using stub = await startKubeStub();
  const clock = createFakeClock();
  await using reader = createKubeStore({ client: clientOf(stub), clock });
  let left = requests;
  const client: KubeClient = {
    ...clientOf(stub),
    request: async (request, signal) => {
      left -= 1;
      if (left < 0) throw new Error("crashed");
      await readAhead(reader, clock);
      return await clientOf(stub).request(request, signal);
    },
  };
  {
    await using dying = createKubeStore({ client, clock: system });
    try {
      const { epoch } = await dying.open();
      for (let commit = 0; commit < COMMITS; commit += 1) await dying.commit(epoch, both(commit));
    } catch {
      // It is dead; what it has committed is what another reader finds.
    }
  }
  await using cold = storeOf(stub);
  const snapshot = stub.snapshot();
  const expected = await cold.open();
  stub.restore(snapshot);
  const found = await reader.open();
  assert.deepEqual({ ...found, epoch: 0 }, { ...expected, epoch: 0 }, `after ${requests} requests`);
}

async function readAhead(store: Store, clock: FakeClock): Promise<void> {
  await clock.advance(AGAIN_MS);
  await store.readAhead?.();
}

/** One lease comes and one goes. */
function both(commit: number): readonly StoreChange[] {
  return [put(commit + 2), { kind: "delete-lease", address: makeLease(commit + 1).address }];
}

function put(index: number): StoreChange {
  return { kind: "put-lease", lease: makeLease(index) };
}

function clientOf(stub: KubeStub): KubeClient {
  return createKubeClient({ access: stub.access, clock: system, userAgent: "test" });
}

function storeOf(stub: KubeStub): Store {
  return createKubeStore({ client: clientOf(stub), clock: system });
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = system.nowMs() + 5000;
  while (!isSo()) {
    assert.ok(system.nowMs() < endMs, "in vain");
    await system.sleep(5);
  }
}
