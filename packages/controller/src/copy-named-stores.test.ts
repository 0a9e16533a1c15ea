// Copies between real stores, there and back: files, an etcd and a stub of a cluster; and what
// keeps one from being made.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";

import type { EtcdCluster } from "@fairlead/lab";
import {
  type Address,
  addressFromValue,
  type Intent,
  type Lane,
  laneId,
  type LeasedAddress,
  parseAgentName,
  parseClaimId,
  parsePoolName,
  parseRange,
  present,
} from "@fairlead/model";
import { createLogger, createSystemClock, isEdgeError } from "@fairlead/runtime";
import {
  createMemoryMedium,
  createMemoryStore,
  type KubeStub,
  shareEtcd,
  startKubeStub,
} from "@fairlead/testkit";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { copyNamedStores } from "./copy-named-stores.ts";
import { COPY_SETTINGS, type CopyFlags } from "./copy-settings.ts";
import { type CopyOutcome, copyStore } from "./copy-store.ts";
import { createSoleElection } from "./election/sole-election.ts";
import { createClass } from "./ipam/class-commands.ts";
import { type Uuid, randomUuid } from "./ipam/ipam-model.ts";
import { createIpamService } from "./ipam/ipam-service.ts";
import { createNetblock } from "./ipam/netblock-commands.ts";
import type { IpamStore } from "./ipam/ports.ts";
import { register } from "./ipam/register.ts";
import { keepLeases, type LeaseKeeping } from "./keep-leases.ts";
import type { Store, StoredState } from "./ports.ts";
import { ipamPathOf } from "./rest-settings.ts";
import { createSqliteIpamStore } from "./store/sqlite/sqlite-ipam-store.ts";
import { storeSettings } from "./store-settings.ts";

const clock = createSystemClock();
const AGENT = present(parseAgentName("lb-1"), "an agent");
const LANE: Lane = {
  id: laneId("192.0.2.0/24", 51),
  segment: "192.0.2.0/24",
  routerId: 51,
  order: [AGENT],
  settled: true,
};
const INTENT: Intent = { id: "1", sinceMs: 1, kind: "drain", agent: AGENT };
const LEASES = Array.from({ length: 300 }, (_, index): LeasedAddress => {
  const claim = present(parseClaimId(`service/default/web-${index}`), "a claim");
  return {
    address: addressFromValue("ipv4", BigInt(0x0a_01_00_00 + index)),
    pool: present(parsePoolName("default"), "a pool"),
    owners: [{ claim, uid: `uid-${index}`, ports: [{ protocol: "tcp", port: 80 }] }],
    lastClaim: claim,
    placement: { kind: "lane", lane: LANE.id },
    sentTo: [AGENT],
    state: { kind: "held" },
    published: true,
    sinceMs: 1,
  };
}).toSorted((a, b) => (a.address < b.address ? -1 : 1));
/** A lead that is copied under; no machine is so slow that it ends in between. */
const LEASE_MS = 15_000;
const COUNTS = { leases: 300, lanes: 1, intents: 1 };

const place = shareEtcd(toolPath("etcd", "server"));

interface Stage extends Disposable {
  readonly etcd: EtcdCluster;
  readonly base: string;
  /** `etcd:URL`, with a base path of its own in all flags. */
  readonly inEtcd: string;
  file(name: string): string;
  /** The IPAM's store beside that file. */
  ipamOf(name: string): IpamStore;
  /** The path of a kubeconfig that names this cluster. */
  kubeconfigOf(stub: KubeStub): string;
  copy(from: string, to: string, more?: Partial<CopyFlags>): Promise<CopyOutcome>;
  keep(store: string): LeaseKeeping;
  said: readonly string[];
}

async function makeStage(): Promise<Stage> {
  const { etcd, base, store: inEtcd } = await place();
  const folder = mkdtempSync(join(tmpdir(), "fairlead-copy-"));
  const flags: CopyFlags = { ...defaults(), etcdBase: base, leaderLease: LEASE_MS };
  const said: string[] = [];
  return {
    etcd,
    said,
    base,
    inEtcd,
    file: (name) => `sqlite:${join(folder, name)}`,
    ipamOf: (name) => createSqliteIpamStore({ path: ipamPathOf(join(folder, name)) }),
    kubeconfigOf: ({ server }) => {
      const path = join(folder, "kubeconfig");
      const [cluster, context] = ["lab", "lab"];
      const config = {
        clusters: [{ name: cluster, cluster: { server } }],
        users: [{ name: "me", user: { token: "t" } }],
        contexts: [{ name: context, context: { cluster, user: "me" } }],
        "current-context": context,
      };
      writeFileSync(path, JSON.stringify(config));
      return path;
    },
    copy: (from, to, more = {}) =>
      copyNamedStores({
        flags: { ...flags, from, to, ...more },
        clock,
        random: () => 0.5,
        onWait: (text) => void said.push(text),
      }),
    keep: (store) =>
      keepLeases({
        store: storeSettings({ ...flags, store, stateDir: "", source: "/x", members: undefined }),
        clock,
        random: () => 0.5,
        leaseMs: LEASE_MS,
        onStored: () => undefined,
      }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function defaults(): CopyFlags {
  const entries = Object.entries(COPY_SETTINGS).map(([key, setting]) => [key, setting.default]);
  return Object.fromEntries(entries) as CopyFlags;
}

/** Opens a store as a controller would, works with it, and leaves it. */
async function worked<T>(kept: LeaseKeeping, work: (store: Store) => Promise<T>): Promise<T> {
  const idle = (): void => undefined;
  try {
    await kept.election.start({ onLead: idle, onLost: idle, onChange: idle });
    return await work(kept.store);
  } finally {
    await kept.store[Symbol.asyncDispose]();
    await kept.election[Symbol.asyncDispose]();
    kept.close();
  }
}

async function fill(store: Store): Promise<StoredState> {
  const state = await store.open();
  await store.commit(state.epoch, [
    { kind: "put-lane", lane: LANE },
    ...LEASES.map((lease) => ({ kind: "put-lease", lease }) as const),
    { kind: "put-intent", intent: INTENT },
  ]);
  return state;
}

test("a file is copied into etcd and back into a file, every address with its owner", async () => {
  using stage = await makeStage();
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  for (let round = 0; round < 5; round += 1) {
    await worked(stage.keep(old), async (store) => void (await store.open()));
  }
  const { epoch } = await worked(stage.keep(old), fill);
  const copied = { kind: "copied", counts: COUNTS };
  assert.deepEqual(await stage.copy(old, stage.inEtcd), copied);
  const inEtcd = await worked(stage.keep(stage.inEtcd), (store) => store.open());
  assert.deepEqual(inEtcd.leases, LEASES);
  assert.ok(inEtcd.epoch > epoch + 1, "agents obeyed the epochs of the store that is left");
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  const { leases, lanes, intents } = await worked(stage.keep(back), (store) => store.open());
  assert.deepEqual(
    { leases, lanes, intents },
    { leases: LEASES, lanes: [LANE], intents: [INTENT] },
  );
});

test("what the IPAM service gave goes with the store, into etcd and back into a file", async () => {
  using stage = await makeStage();
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  await worked(stage.keep(old), fill);
  const before = await serveIpam(stage.ipamOf("old.db"));
  const copied = {
    kind: "copied",
    counts: { ...COUNTS, ipam: { classes: 1, netblocks: 1, registrations: 200 } },
  };
  assert.deepEqual(await stage.copy(old, stage.inEtcd), copied);
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  await using store = stage.ipamOf("back.db");
  const stored = await store.open();
  const after = new Map(stored.registrations.map(({ uuid, address }) => [uuid, address]));
  assert.deepEqual(after, before);
  assert.equal(stored.addresses.length, 200);
  const more = stage.file("more.db");
  await serveIpam(stage.ipamOf("more.db"));
  const outcome = await stage.copy(old, more);
  assert.ok(outcome.kind === "refused" && outcome.code === "NOT_EMPTY");
  const ipam = "of the IPAM 1 class, 1 netblock and 200 registrations";
  assert.match(outcome.why, new RegExp(`it holds 0 leases, .*, and ${ipam}$`, "u"));
});

test("a file goes into a cluster, on into etcd and back, and the IPAM service's rows with it", async () => {
  using stage = await makeStage();
  await using stub = await startKubeStub();
  const kubeconfig = stage.kubeconfigOf(stub);
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  const { epoch } = await worked(stage.keep(old), fill);
  const before = await serveIpam(stage.ipamOf("old.db"));
  const ipam = { classes: 1, netblocks: 1, registrations: 200 };
  const copied = { kind: "copied", counts: { ...COUNTS, ipam } };
  assert.deepEqual(await stage.copy(old, "kubernetes", { kubeconfig }), copied);
  const dryRun = await stage.copy("kubernetes", back, { kubeconfig, dryRun: true });
  assert.deepEqual(dryRun, { ...copied, kind: "would-copy" });
  const again = await stage.copy(old, "kubernetes", { kubeconfig });
  assert.ok(again.kind === "refused" && again.code === "NOT_EMPTY");
  assert.match(again.why, /^kubernetes is not empty: it holds 300 leases, .* 200 registrations$/u);
  assert.deepEqual(await stage.copy("kubernetes", stage.inEtcd, { kubeconfig }), copied);
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  const stored = await worked(stage.keep(back), (store) => store.open());
  assert.deepEqual(stored.leases, LEASES);
  assert.ok(stored.epoch > epoch + 3, "agents obeyed the epochs of each");
  await using given = stage.ipamOf("back.db");
  const { registrations, addresses } = await given.open();
  assert.deepEqual(new Map(registrations.map(({ uuid, address }) => [uuid, address])), before);
  assert.equal(addresses.length, 200);
});

/** Gives 200 addresses, and says whose each is. */
async function serveIpam(store: IpamStore): Promise<ReadonlyMap<Uuid, Address>> {
  await using ending = new AsyncDisposableStack();
  ending.use(store);
  const log = createLogger({ level: "silent", format: "json" });
  const times = { leaseMs: 60_000, graceMs: 60_000 };
  const service = ending.use(await createIpamService({ store, clock, log, ...times }));
  await service.run(createClass({ uuid: randomUuid(), name: "lab" }));
  const range = parseRange("10.9.0.0/24");
  assert.ok(range.kind === "ok");
  await service.run(createNetblock({ uuid: randomUuid(), class: "lab", range: range.value }));
  const uuids = Array.from({ length: 200 }, () => randomUuid());
  await Promise.all(uuids.map((uuid) => service.run(register({ class: "lab", uuid }))));
  return new Map([...service.view().registrations].map(([uuid, one]) => [uuid, one.address]));
}

suite("nothing is copied", () => {
  test("by a dry run, which makes no file and no key", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), fill);
    const would = { kind: "would-copy", counts: COUNTS };
    assert.deepEqual(await stage.copy(old, target, { dryRun: true }), would);
    assert.equal(existsSync(target.slice("sqlite:".length)), false);
    assert.deepEqual(await stage.copy(old, stage.inEtcd, { dryRun: true }), would);
    const keys = await stage.etcd.keys(`${stage.base}/store/leases/`);
    assert.deepEqual(keys, []);
  });

  test("from a file that is not there, nor onto itself", async () => {
    using stage = await makeStage();
    const old = stage.file("old.db");
    await assert.rejects(stage.copy(old, stage.inEtcd), (error) => isEdgeError(error, "NOT_FOUND"));
    assert.equal(existsSync(old.slice("sqlite:".length)), false);
    const outcome = await stage.copy(old, old);
    assert.ok(outcome.kind === "refused" && outcome.code === "NOT_EMPTY");
  });

  test("into a store that holds something", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), fill);
    await worked(stage.keep(target), fill);
    assert.deepEqual(await stage.copy(old, target), {
      kind: "refused",
      code: "NOT_EMPTY",
      why: `${target} is not empty: it holds 300 leases, 1 lane and 1 intent`,
    });
  });

  test("while a controller has either of them, which is named", async () => {
    using stage = await makeStage();
    const [old, target] = [stage.file("old.db"), stage.file("new.db")];
    await worked(stage.keep(old), async (store) => {
      await fill(store);
      const outcome = await stage.copy(old, target);
      assert.ok(outcome.kind === "refused" && outcome.code === "HELD");
      assert.match(outcome.why, /another controller has it: process \d+ on/);
    });
    const kept = stage.keep(stage.inEtcd);
    await worked(kept, async (store) => {
      await store.open();
      const outcome = await stage.copy(old, stage.inEtcd, { leaderLease: 2000 });
      assert.ok(outcome.kind === "refused" && outcome.code === "HELD");
      assert.match(
        outcome.why,
        new RegExp(`a controller has etcd:.*: ${kept.election.identity} leads`),
      );
      assert.match(stage.said.join(), /waiting up to 3 s for its end/);
    });
  });

  test("from or into an etcd where nobody answers, told of each member without a wait", async () => {
    using stage = await makeStage();
    const old = stage.file("old.db");
    await worked(stage.keep(old), fill);
    const lost = "etcd:http://127.0.0.1:1,http://127.0.0.1:2";
    for (const [from, to] of [[lost, stage.file("new.db")] as const, [old, lost] as const]) {
      const outcome = await stage.copy(from, to, { leaderLease: 300_000 });
      assert.ok(outcome.kind === "refused" && outcome.code === "UNREACHABLE");
      for (const port of [1, 2]) {
        const said = `http://127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`;
        assert.ok(outcome.why.includes(said), outcome.why);
      }
    }
    assert.deepEqual(stage.said, [], "it waits for nobody");
    assert.equal(existsSync(stage.file("new.db").slice("sqlite:".length)), false);
  });

  test("when another controller opens the target meanwhile", async () => {
    const [source, target] = [createMemoryMedium(), createMemoryMedium()];
    await fill(createMemoryStore({ medium: source }));
    const store = createMemoryStore({ medium: target });
    const side = { name: "target", election: createSoleElection("b") };
    const raced: Store = {
      ...store,
      open: async () => {
        const state = await store.open();
        await createMemoryStore({ medium: target }).open();
        return state;
      },
    };
    const outcome = await copyStore({
      from: { ...side, name: "source", store: createMemoryStore({ medium: source }) },
      to: { ...side, store: raced },
      dryRun: false,
      clock,
      leaseMs: 2000,
      onWait: () => undefined,
    });
    assert.deepEqual(outcome, {
      kind: "refused",
      code: "FENCED",
      why: "another controller took target meanwhile",
    });
    assert.equal(target.leases.size, 0);
  });
});
