// What every store must do, as tests. Given a way to make stores over one lasting medium; each
// kind of store runs the same ones. It knows nothing of how a store keeps its rows.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { CommitResult, Store, StoreChange, StoredState } from "@fairlead/controller";
import { type Address, type LeasedAddress, laneId } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";
import fc from "fast-check";

import { INTENTS, LANES, LEASES, makeLease } from "./store-samples.ts";

/** Where a store keeps its rows: it outlives the stores that are made over it. */
export interface StoreMedium extends AsyncDisposable {
  /** A new store over the medium, not open yet; the one before was disposed. */
  store(): Store;
  /** Until it is disposed of writes fail; where answers can get lost they are made all the same. */
  fail(): Disposable;
}

/** Registers the tests of the contract for one kind of store. */
export function testStoreContract(kind: string, makeMedium: () => Promise<StoreMedium>): void {
  void suite(`${kind} keeps the contract of stores`, () => {
    testOpening(makeMedium);
    testCommitting(makeMedium);
    testFailing(makeMedium);
    testRegistration(makeMedium);
    testEpochs(makeMedium);
    testOutranking(makeMedium);
    testRandomly(makeMedium);
  });
}

function testOpening(makeMedium: () => Promise<StoreMedium>): void {
  void test("a new one is empty and each opening takes a later epoch", async () => {
    await using medium = await makeMedium();
    const epochs: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const state = await read(medium);
      assert.deepEqual(rowsOf(state), { leases: [], lanes: [], intents: [] });
      epochs.push(state.epoch);
    }
    assert.deepEqual(epochs, [1, 2, 3]);
  });

  void test("one that leads anew opens it again, and what it wrote before counts for less", async () => {
    await using medium = await makeMedium();
    await using store = medium.store();
    const first = await store.open();
    await store.commit(first.epoch, [{ kind: "put-lease", lease: makeLease(1) }]);
    const second = await store.open();
    assert.equal(second.epoch, first.epoch + 1);
    assert.deepEqual(second.leases, [makeLease(1)]);
    const late = store.commit(first.epoch, [{ kind: "put-lease", lease: makeLease(2) }]);
    assert.deepEqual(await late, { kind: "fenced", epoch: second.epoch });
    const now = store.commit(second.epoch, [{ kind: "put-lease", lease: makeLease(3) }]);
    assert.deepEqual(await now, { kind: "committed" });
    const third = await store.open();
    assert.deepEqual(third.leases, [makeLease(1), makeLease(3)]);
  });

  void test("all that a row can hold comes back after a restart", async () => {
    await using medium = await makeMedium();
    const changes: readonly StoreChange[] = [
      ...LEASES.map((lease) => ({ kind: "put-lease", lease }) as const),
      ...LANES.map((lane) => ({ kind: "put-lane", lane }) as const),
      ...INTENTS.map((intent) => ({ kind: "put-intent", intent }) as const),
    ];
    assert.deepEqual(await write(medium, changes), { kind: "committed" });
    const rows = rowsOf(await read(medium));
    assert.deepEqual(rows, { leases: LEASES, lanes: LANES, intents: INTENTS });
  });
}

function testCommitting(makeMedium: () => Promise<StoreMedium>): void {
  void test("a put replaces the row, a deletion removes it, in the order given", async () => {
    await using medium = await makeMedium();
    const lease = makeLease(1);
    const next: LeasedAddress = { ...lease, published: true };
    await write(medium, [{ kind: "put-lease", lease }]);
    await write(medium, [{ kind: "put-lease", lease: next }]);
    assert.deepEqual((await read(medium)).leases, [next]);
    await write(medium, [
      { kind: "delete-lease", address: lease.address },
      { kind: "put-lease", lease },
    ]);
    assert.deepEqual((await read(medium)).leases, [lease]);
    await write(medium, [{ kind: "delete-lease", address: lease.address }]);
    assert.deepEqual((await read(medium)).leases, []);
  });

  void test("nothing to change, or nothing there to delete, is no trouble", async () => {
    await using medium = await makeMedium();
    assert.deepEqual(await write(medium, []), { kind: "committed" });
    const gone: readonly StoreChange[] = [
      { kind: "delete-lease", address: makeLease(9).address },
      { kind: "delete-lane", lane: laneId("192.0.2.0/24", 9) },
      { kind: "delete-intent", id: "none" },
    ];
    assert.deepEqual(await write(medium, gone), { kind: "committed" });
  });

  void test("many commits at once all arrive, the last word on a row counts", async () => {
    await using medium = await makeMedium();
    {
      await using store = medium.store();
      const { epoch } = await store.open();
      const commits = Array.from({ length: 50 }, (_, index) =>
        store.commit(epoch, [
          { kind: "put-lease", lease: makeLease(index) },
          { kind: "put-lease", lease: { ...makeLease(200), sinceMs: index } },
        ]),
      );
      const results = await Promise.all(commits);
      assert.ok(results.every((result) => result.kind === "committed"));
    }
    const { leases } = await read(medium);
    assert.equal(leases.length, 51);
    assert.equal(leases.find((lease) => lease.address === makeLease(200).address)?.sinceMs, 49);
  });

  void test("a large commit is whole", async () => {
    await using medium = await makeMedium();
    const many = Array.from({ length: 2000 }, (_, index) => makeLease(index));
    await write(
      medium,
      many.map((lease) => ({ kind: "put-lease", lease })),
    );
    assert.equal((await read(medium)).leases.length, 2000);
  });

  void test("a store that was disposed takes no commit", async () => {
    await using medium = await makeMedium();
    const store = medium.store();
    const { epoch } = await store.open();
    const last = store.commit(epoch, [{ kind: "put-lease", lease: makeLease(1) }]);
    await store[Symbol.asyncDispose]();
    assert.deepEqual(await last, { kind: "committed" }, "what was under way is ended");
    await assert.rejects(store.commit(epoch, []), (error) => isEdgeError(error));
    assert.equal((await read(medium)).leases.length, 1);
  });
}

function testFailing(makeMedium: () => Promise<StoreMedium>): void {
  const failed: readonly StoreChange[] = [
    { kind: "delete-lease", address: makeLease(1).address },
    { kind: "put-lease", lease: makeLease(2) },
    ...INTENTS.map((intent) => ({ kind: "put-intent", intent }) as const),
  ];
  const nexts: readonly { readonly name: string; readonly leases: readonly LeasedAddress[] }[] = [
    { name: "without changes", leases: [] },
    { name: "of other rows", leases: [makeLease(3)] },
  ];
  for (const { name, leases } of nexts) {
    void test(`what failed is not there after the next commit, one ${name}`, async () => {
      await using medium = await makeMedium();
      {
        await using store = medium.store();
        const { epoch } = await store.open();
        await store.commit(epoch, [{ kind: "put-lease", lease: makeLease(1) }]);
        {
          using _trouble = medium.fail();
          for (const changes of [failed, [], failed]) {
            await assert.rejects(store.commit(epoch, changes), (error) => isEdgeError(error));
          }
        }
        const next = leases.map((lease) => ({ kind: "put-lease", lease }) as const);
        assert.deepEqual(await store.commit(epoch, next), { kind: "committed" });
      }
      const rows = rowsOf(await read(medium));
      assert.deepEqual(rows, { leases: [makeLease(1), ...leases], lanes: [], intents: [] });
    });
  }
}

function testRegistration(makeMedium: () => Promise<StoreMedium>): void {
  void test("a registration comes back at each of its steps, and is gone at its end", async () => {
    await using medium = await makeMedium();
    const whole = INTENTS.find((intent) => intent.kind === "register");
    assert.ok(whole !== undefined);
    const { wish: _wish, address, ending: _ending, ...wanted } = whole;
    assert.ok(address !== undefined);
    for (const intent of [wanted, { ...wanted, address }, whole]) {
      await write(medium, [{ kind: "put-intent", intent }]);
      assert.deepEqual((await read(medium)).intents, [intent]);
    }
    await write(medium, [{ kind: "delete-intent", id: whole.id }]);
    assert.deepEqual((await read(medium)).intents, []);
  });
}

function testEpochs(makeMedium: () => Promise<StoreMedium>): void {
  void test("a commit with another epoch is fenced and changes nothing", async () => {
    await using medium = await makeMedium();
    await read(medium);
    {
      await using store = medium.store();
      const { epoch } = await store.open();
      const lease = makeLease(1);
      const [older, current] = await Promise.all([
        store.commit(epoch - 1, [{ kind: "put-lease", lease: makeLease(2) }]),
        store.commit(epoch, [{ kind: "put-lease", lease }]),
      ]);
      assert.deepEqual(older, { kind: "fenced", epoch });
      assert.deepEqual(current, { kind: "committed" });
    }
    assert.deepEqual((await read(medium)).leases, [makeLease(1)]);
  });
}

function testOutranking(makeMedium: () => Promise<StoreMedium>): void {
  void test("an epoch above one that was obeyed is taken, and outlives the store", async () => {
    await using medium = await makeMedium();
    {
      await using store = medium.store();
      const { epoch } = await store.open();
      const first = store.commit(epoch, [{ kind: "put-lease", lease: makeLease(1) }]);
      assert.deepEqual(await store.outrank(epoch, 41), { kind: "outranked", epoch: 42 });
      assert.deepEqual(await first, { kind: "committed" });
      assert.deepEqual(await store.commit(epoch, []), { kind: "fenced", epoch: 42 });
      assert.deepEqual(await store.outrank(epoch, 50), { kind: "fenced", epoch: 42 });
      const later = await store.commit(42, [{ kind: "put-lease", lease: makeLease(2) }]);
      assert.deepEqual(later, { kind: "committed" });
    }
    const after = await read(medium);
    assert.equal(after.epoch, 43);
    assert.deepEqual(after.leases, [makeLease(1), makeLease(2)]);
  });
}

function testRandomly(makeMedium: () => Promise<StoreMedium>): void {
  const change = fc
    .nat(12)
    .chain((index) =>
      fc.constantFrom<StoreChange>(
        { kind: "put-lease", lease: makeLease(index) },
        { kind: "put-lease", lease: { ...makeLease(index), sinceMs: index + 1 } },
        { kind: "delete-lease", address: makeLease(index).address },
      ),
    );
  void test("after any commits it holds what a table would", async () => {
    const property = fc.asyncProperty(fc.array(fc.array(change)), async (commits) => {
      await using medium = await makeMedium();
      const table = new Map<Address, LeasedAddress>();
      {
        await using store = medium.store();
        const { epoch } = await store.open();
        for (const changes of commits) {
          assert.deepEqual(await store.commit(epoch, changes), { kind: "committed" });
          for (const one of changes) {
            if (one.kind === "put-lease") table.set(one.lease.address, one.lease);
            if (one.kind === "delete-lease") table.delete(one.address);
          }
        }
      }
      const { leases } = await read(medium);
      assert.deepEqual(new Map(leases.map((lease) => [lease.address, lease])), table);
    });
    await fc.assert(property, { numRuns: 15 });
  });
}

async function read(medium: StoreMedium): Promise<StoredState> {
  await using store = medium.store();
  return await store.open();
}

async function write(medium: StoreMedium, changes: readonly StoreChange[]): Promise<CommitResult> {
  await using store = medium.store();
  const { epoch } = await store.open();
  return await store.commit(epoch, changes);
}

function rowsOf(state: StoredState): Omit<StoredState, "epoch"> {
  const { leases, lanes, intents } = state;
  return { leases, lanes, intents };
}
