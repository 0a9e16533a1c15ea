// The IPAM service's store in a cluster over a stub of an API server: the contract, writes that are
// cut at any point, others at the same rows, commits of any size, and what all of it costs. The
// contract runs over a real API server too, in test/e2e.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";

import {
  type AddressRange,
  parseAddress,
  parseClaimId,
  parsePoolName,
  parseRange,
  present,
} from "@fairlead/model";
import {
  type Clock,
  createFakeClock,
  createLogger,
  createSystemClock,
  isEdgeError,
} from "@fairlead/runtime";
import { type KubeStub, startKubeStub, testIpamStoreContract } from "@fairlead/testkit";

import { createClass } from "../../ipam/class-commands.ts";
import { type IpamChange, type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import { createIpamService, type IpamService } from "../../ipam/ipam-service.ts";
import { openState } from "../../ipam/ipam-state.ts";
import { release, renew, renewMany } from "../../ipam/keep.ts";
import { createNetblock } from "../../ipam/netblock-commands.ts";
import { register } from "../../ipam/register.ts";
import { createKubeClient, type KubeClient, type KubeRequest } from "../../kube/kube-client.ts";
import { ipamKeys } from "../ipam-row-keys.ts";
import { createKubeIpamStore } from "./kube-ipam-store.ts";
import { type LoadedIpam, loadIpam } from "./load-ipam.ts";

const clock = createSystemClock();

testIpamStoreContract("the IPAM store in a cluster", async () => {
  const stub = await startKubeStub();
  return {
    store: () => createKubeIpamStore({ client: clientOf(stub), clock }),
    fail: () => losingAnswers(stub, Number.POSITIVE_INFINITY),
    [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose](),
  };
});

const KEYS = ipamKeys("");
const [LAB, BLOCK] = [uuidOf("a", 1), uuidOf("b", 1)];
const RANGE = rangeOf("10.0.0.0/19");
const MANY = Array.from({ length: 5500 }, (_, index) => uuidOf("d", index));
const [FIRST = LAB, SECOND = LAB, THIRD = LAB] = MANY;
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

suite("others at the IPAM store in a cluster", () => {
  test("fence whoever opened before, and have all that it told", async () => {
    await using stub = await startKubeStub();
    await using first = await serve(stub);
    const told = await addressOf(first, FIRST);
    await using second = await serve(stub);
    assert.equal(await addressOf(second, FIRST), told, "the same uuid gets the same address");
    const other = await addressOf(second, SECOND);
    await assert.rejects(addressOf(first, THIRD), (error) => isEdgeError(error, "FENCED"));
    await assert.rejects(first.run(release(FIRST)), (error) => isEdgeError(error, "FENCED"));
    const expected = new Map([
      [FIRST, told],
      [SECOND, other],
    ]);
    assert.deepEqual((await wholeIn(stub)).held, expected);
  });

  for (const when of ["before", "after"] as const) {
    test(`are not undone by objects that come late, ${when} their own`, async () => {
      await using stub = await startKubeStub();
      const [frozen, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const slow = withBefore(clientOf(stub), async ({ method, path }) => {
        if (method === "GET" || !path.includes("ipamshards")) return;
        begun.resolve();
        await frozen.promise;
      });
      const some = MANY.slice(0, 200);
      await using first = await serve(stub, { client: slow });
      await Promise.all(some.map((uuid) => addressOf(first, uuid)));
      await begun.promise;
      await using second = await serve(stub);
      const create = { verb: "create", resource: "ipamshards" } as const;
      if (when === "before") {
        frozen.resolve();
        await stub.asked(create);
      }
      await Promise.all(some.map((uuid) => second.run(release(uuid))));
      const kept = await addressOf(second, SECOND);
      await second.shown();
      frozen.resolve();
      await first[Symbol.asyncDispose]();
      assert.deepEqual((await wholeIn(stub)).held, new Map([[SECOND, kept]]));
      assert.ok(stub.counts(create).write > 64, "both made them");
    });
  }

  test("that put an older copy back end the one that runs", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub);
    const snapshot = stub.snapshot();
    await addressOf(service, FIRST);
    stub.restore(snapshot);
    await assert.rejects(addressOf(service, SECOND), (error) => isEdgeError(error, "CONFLICT"));
  });

  test("that remove objects have them back whole when their rows change", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub);
    const some = MANY.slice(0, 200);
    await Promise.all(some.map((uuid) => addressOf(service, uuid)));
    await service.shown();
    await service.run(renewMany(some));
    const { held, shards } = await wholeIn(stub);
    assert.equal(held.size, some.length);
    for (const { name } of shards) if (name.startsWith("reg")) stub.remove("IpamShard", "", name);
    await service.shown();
    assert.deepEqual((await wholeIn(stub)).held, held);
  });
});

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

suite("rows in a cluster that cannot be read keep the IPAM shut, and nothing is taken", () => {
  const cases = [
    {
      name: "an object that is not packed",
      damage: (stub: KubeStub) => {
        putShard(stub, "classes-00", "rows");
      },
      says: /^damaged object ipamshards classes-00: it is not packed/,
    },
    {
      name: "an object that holds a row of another",
      damage: (stub: KubeStub, [one = "", two = ""]: readonly string[]) => {
        const spec = stub.get("IpamShard", "", two)?.["spec"] as { readonly rows: string };
        putShard(stub, one, spec.rows);
      },
      says: /^damaged object ipamshards addresses-\d\d: it holds addresses\/a/,
    },
    {
      name: "registrations whose addresses are gone",
      damage: (stub: KubeStub, names: readonly string[]) => {
        for (const name of names) stub.remove("IpamShard", "", name);
      },
      says: /^damaged rows of the IPAM: registration d\S+ needs address a\S+, which is not there$/,
    },
  ];
  for (const { name, damage, says } of cases) {
    test(name, async () => {
      await using stub = await startKubeStub();
      {
        await using service = await serve(stub);
        await Promise.all(MANY.slice(0, 200).map((uuid) => addressOf(service, uuid)));
        await service.shown();
        // The journal forgets what objects show.
        await service.run(renew(FIRST));
      }
      const names = (await wholeIn(stub)).shards.map((shard) => shard.name);
      damage(
        stub,
        names.filter((one) => one.startsWith("addresses")),
      );
      const before = stub.get("StoreJournal", "", "ipam");
      await assert.rejects(serve(stub), (error) => {
        assert.ok(isEdgeError(error, "CORRUPT"), String(error));
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(stub.get("StoreJournal", "", "ipam"), before);
    });
  }
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

interface Served extends IpamService {
  /** Resolves when objects show all that is durable. */
  shown(): Promise<void>;
}

/** A service with a class and a netblock, which are made where they are missing. */
async function serve(
  stub: KubeStub,
  options: { readonly client?: KubeClient; readonly clock?: Clock } = {},
): Promise<Served> {
  const fake = createFakeClock();
  const own = options.clock ?? fake;
  const store = createKubeIpamStore({ client: options.client ?? clientOf(stub), clock: own });
  const log = createLogger({ level: "silent", format: "json" });
  await using stack = new AsyncDisposableStack();
  stack.use(store);
  const times = { leaseMs: 600_000, graceMs: 600_000 };
  const service = await createIpamService({ store, clock: own, log, ...times });
  stack.use(service);
  await service.run(createClass({ uuid: LAB, name: "lab" }));
  await service.run(createNetblock({ uuid: BLOCK, class: "lab", range: RANGE }));
  const ending = stack.move();
  return {
    view: () => service.view(),
    run: (command) => service.run(command),
    timesOf: (registration) => service.timesOf(registration),
    shown: async () => {
      for (let tries = 0; tries < 1000; tries += 1) {
        await fake.advance(WAITING_MS_MAX);
        if (isShown(await loadIpam(clientOf(stub), KEYS))) return;
        await clock.sleep(5);
      }
      assert.fail("objects do not show what is durable");
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** Objects follow the journal within this, in ms. */
const WAITING_MS_MAX = 10_000;

function isShown({ changes, shards }: LoadedIpam): boolean {
  const rows = new Map(shards.flatMap((shard) => [...shard.rows]));
  return changes.every(({ key, value }) => rows.get(key) === value);
}

async function addressOf(service: IpamService, uuid: Uuid): Promise<string> {
  const answer = await service.run(register({ class: "lab", uuid }));
  assert.ok(answer.kind === "done");
  return answer.value.address;
}

/**
 * All that a controller would find now, without taking it. Every registration holds its address by
 * both rows, and nothing is held by nobody.
 */
async function wholeIn(stub: KubeStub): Promise<LoadedIpam & { readonly held: Map<Uuid, string> }> {
  const loaded = await loadIpam(clientOf(stub), KEYS);
  const { registrations, addresses } = loaded.stored;
  openState(loaded.stored);
  const owners = new Map(
    addresses.map(({ lease }) => [lease.address, lease.owners.map(({ uid }) => uid)]),
  );
  for (const { uuid, address } of registrations) assert.deepEqual(owners.get(address), [uuid]);
  const taken = [...owners.values()].filter((uids) => uids.length > 0);
  assert.equal(taken.length, registrations.length);
  const held = new Map(registrations.map(({ uuid, address }) => [uuid, address as string]));
  return { ...loaded, held };
}

function classAndBlock(): readonly IpamChange[] {
  const times = { createdMs: 1, modifiedMs: 1 };
  return [
    { kind: "put-class", class: { uuid: LAB, name: "lab", ...times } },
    { kind: "put-netblock", netblock: { uuid: BLOCK, class: LAB, range: RANGE, ...times } },
  ];
}

/** A registration of the address of that number, by both of its rows. */
function registered(uuid: Uuid, index: number, owner?: string): readonly IpamChange[] {
  const claim = present(parseClaimId(`registration/ipam/${uuid}`), "a claim's id");
  const address = present(parseAddress(`10.0.${index >> 8}.${index & 255}`), "an address");
  const lease = {
    address,
    pool: present(parsePoolName(BLOCK), "a pool"),
    owners: [{ claim, uid: uuid, ports: [] }],
    lastClaim: claim,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: { kind: "held" },
    published: false,
    sinceMs: 1,
  } as const;
  const own = owner === undefined ? {} : { owner };
  const registration = { uuid, class: LAB, address, ...own, createdMs: 1, renewedMs: 1 };
  return [
    { kind: "put-address", class: LAB, lease },
    { kind: "put-registration", registration },
  ];
}

function putShard(stub: KubeStub, name: string, rows: string): void {
  stub.put({ kind: "IpamShard", metadata: { name }, epoch: 1, spec: { rows } });
}

function clientOf(stub: KubeStub): KubeClient {
  return createKubeClient({ access: stub.access, clock, userAgent: "test" });
}

/** The client with something that comes before each request. */
function withBefore(
  client: KubeClient,
  before: (request: KubeRequest) => void | Promise<void>,
): KubeClient {
  return {
    ...client,
    request: async (request, signal) => {
      await before(request);
      return await client.request(request, signal);
    },
  };
}

function uuidOf(first: string, index: number): Uuid {
  const last = index.toString(16).padStart(12, "0");
  return present(parseUuid(`${first}0000000-0000-4000-8000-${last}`), "a uuid");
}

function rangeOf(text: string): AddressRange {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok");
  return parsed.value;
}
