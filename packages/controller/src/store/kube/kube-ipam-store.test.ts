// The IPAM service's store in a cluster over a stub of an API server: the contract, writes that are
// cut at any point, commits of any size, and what all of it costs. The contract runs over a real
// API server too, in test/e2e.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";

import { createFakeClock, createSystemClock, isEdgeError } from "@fairlead/runtime";
import { type KubeStub, startKubeStub, testIpamStoreContract } from "@fairlead/testkit";

import type { Uuid } from "../../ipam/ipam-model.ts";
import { release, renew } from "../../ipam/keep.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import {
  addressOf,
  classAndBlock,
  clientOf,
  FIRST,
  LAB,
  MANY,
  registered,
  SECOND,
  serve,
  THIRD,
  wholeIn,
  withBefore,
} from "./ipam-stage.ts";
import { createKubeIpamStore } from "./kube-ipam-store.ts";

const clock = createSystemClock();

testIpamStoreContract("the IPAM store in a cluster", async () => {
  const stub = await startKubeStub();
  return {
    store: () => createKubeIpamStore({ client: clientOf(stub), clock }),
    fail: () => losingAnswers(stub, Number.POSITIVE_INFINITY),
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
});

const JOURNAL = { verb: "update", resource: "storejournals" } as const;

test("a crash after any request loses nothing that was told, and gives nothing twice", async () => {
  await Promise.all(Array.from({ length: 14 }, (_, requests) => dieAfter(requests)));
});

/** One service lives for so many requests; the next has to have all that the first one told. */
async function dieAfter(requests: number): Promise<void> {
  await using stub = await startKubeStub();
  const told = new Map<Uuid, string>();
  {
    await using first = await serve(stub);
    for (const uuid of MANY.slice(0, 20)) told.set(uuid, await addressOf(first, uuid));
  }
  let left = requests;
  const client = withBefore(clientOf(stub), () => {
    left -= 1;
    if (left < 0) throw new Error("crashed");
  });
  const may = new Set<Uuid>();
  try {
    await using dying = await serve(stub, { client });
    for (let turn = 0; turn < 4; turn += 1) {
      const [gone = LAB, fresh = LAB] = [MANY[turn], MANY[turn + 20]];
      may.add(gone).add(fresh);
      await dying.run(release(gone));
      told.delete(gone);
      told.set(fresh, await addressOf(dying, fresh));
      may.clear();
    }
  } catch (error) {
    assert.ok(isEdgeError(error), String(error));
  }
  const { held } = await wholeIn(stub);
  // What was under way when it died may be there or not.
  for (const uuid of may) for (const map of [told, held]) map.delete(uuid);
  assert.deepEqual(held, told, `after ${requests} requests`);
}

/** The journal is written so often, and nobody hears of it. */
function losingAnswers(stub: KubeStub, times: number): Disposable {
  return stub.fault({ when: JOURNAL, do: { kind: "cut", where: { afterBytes: 1 } }, times });
}

suite("an API server of the IPAM store", () => {
  test("that is away is told as it is, and nothing is lost that was said before", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub, { clock });
    const told = await addressOf(service, FIRST);
    await stub.stop();
    const away = (error: unknown): boolean => isEdgeError(error, "UNREACHABLE");
    await assert.rejects(addressOf(service, SECOND), away);
    await assert.rejects(service.run(renew(FIRST)), away);
    await stub.start();
    const other = await addressOf(service, SECOND);
    const expected = new Map([
      [FIRST, told],
      [SECOND, other],
    ]);
    assert.deepEqual((await wholeIn(stub)).held, expected);
  });

  test("that loses answers loses no store, and keeps nothing that was refused", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub);
    losingAnswers(stub, 1);
    await assert.rejects(addressOf(service, FIRST), (error) => isEdgeError(error, "TIMEOUT"));
    assert.ok((await wholeIn(stub)).held.has(FIRST), "it stands there all the same");
    const told = await addressOf(service, THIRD);
    assert.deepEqual((await wholeIn(stub)).held, new Map([[THIRD, told]]));
  });
});

test("a stop waits a second for a commit, and not for an API server that is silent", async () => {
  await using stub = await startKubeStub();
  const patience = createFakeClock();
  const real = clientOf(stub);
  const asked = Promise.withResolvers<void>();
  let isSilent = false;
  const client: KubeClient = {
    ...real,
    request: (request, signal) => {
      if (!isSilent) return real.request(request, signal);
      asked.resolve();
      return patience.sleep(30_000, signal);
    },
  };
  const store = createKubeIpamStore({ client, clock: patience });
  await store.open();
  await store.commit(classAndBlock());
  await store.commit(registered(FIRST, 0));
  isSilent = true;
  const closed = (error: unknown): boolean => isEdgeError(error, "CLOSED");
  const given = assert.rejects(store.commit(registered(SECOND, 1)), closed);
  await asked.promise;
  const ended = store[Symbol.asyncDispose]();
  await patience.advance(1000);
  await ended;
  await given;
  assert.deepEqual((await wholeIn(stub)).held, new Map([[FIRST, "10.0.0.0"]]));
});

test("a commit without changes asks an API server nothing while no answer is missing", async () => {
  await using stub = await startKubeStub();
  await using store = createKubeIpamStore({ client: clientOf(stub), clock });
  await store.open();
  const times = { createdMs: 1, modifiedMs: 1 };
  losingAnswers(stub, 1);
  await assert.rejects(
    store.commit([{ kind: "put-class", class: { uuid: LAB, name: "lab", ...times } }]),
  );
  await store.commit([]);
  stub.forgetRequests();
  await store.commit([]);
  assert.deepEqual(stub.requests({}), []);
});

test("a commit that the journal does not take at once is whole, or is put back", async () => {
  await using stub = await startKubeStub();
  let left = Infinity;
  const client = withBefore(clientOf(stub), ({ method, path }) => {
    if (method === "PUT" && path.includes("storejournals")) left -= 1;
    if (left < 0) throw new Error("crashed");
  });
  await using store = createKubeIpamStore({ client, clock });
  await store.open();
  await store.commit(classAndBlock());
  // Nothing packs random text.
  const all = MANY.flatMap((uuid, index) =>
    registered(uuid, index, randomBytes(150).toString("base64")),
  );
  left = 1;
  await assert.rejects(store.commit(all));
  const beginning = (await wholeIn(stub)).held.size;
  assert.ok(beginning > 0 && beginning < MANY.length, `${beginning} are a beginning`);
  left = Infinity;
  await store.commit(registered(FIRST, 0));
  assert.deepEqual((await wholeIn(stub)).held, new Map([[FIRST, "10.0.0.0"]]));
  await store.commit(all.slice(2));
  const { held, shards } = await wholeIn(stub);
  assert.equal(held.size, MANY.length);
  assert.ok(shards.length <= 16 + 1 + 2 * 64);
});

test("registrations that are renewed one by one are written together", async () => {
  await using stub = await startKubeStub();
  await using service = await serve(stub, { clock });
  const left = MANY.slice(0, 400);
  await Promise.all(left.map((uuid) => addressOf(service, uuid)));
  stub.forgetRequests();
  const begunMs = clock.nowMs();
  // Sixteen clients, each of whom renews one after the other.
  const renewAll = async (): Promise<void> => {
    for (let uuid = left.pop(); uuid !== undefined; uuid = left.pop()) {
      const answer = await service.run(renew(uuid));
      assert.equal(answer.kind, "done");
    }
  };
  await Promise.all(Array.from({ length: 16 }, renewAll));
  const commitsMax = (clock.nowMs() - begunMs) / 100 + 1;
  const commits = stub.counts(JOURNAL).write;
  assert.ok(commits <= commitsMax, `${commits} commits, not ${commitsMax}`);
  // Those of the registering, and one of some three hundred renewals.
  const objects = stub.counts({ verb: "update", resource: "ipamshards" }).write;
  assert.ok(objects <= 3 * 64, `${objects} writes of objects for 400 renewals`);
});
