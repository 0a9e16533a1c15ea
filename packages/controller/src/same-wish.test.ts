// Two who insist on one address and one port at the same moment, again and again, over real stores:
// two Services of a folder over a file, two of a cluster over its objects, and a Service and a VIP
// declared in the etcd that is the store too. Each time one of them gets it and keeps it, and the
// other is told who has it.

import assert from "node:assert/strict";
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import type { EtcdCluster } from "@fairlead/lab";
import {
  type ClaimId,
  claimId,
  claimTitle,
  type LeasedAddress,
  present,
  type Verdict,
} from "@fairlead/model";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { type KubeStub, makePool, shareEtcd, startKubeStub } from "@fairlead/testkit";
import { stringify } from "yaml";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { runController, type RunningController } from "./controller.ts";
import { readEtcdUrls } from "./etcd/etcd-access.ts";
import { connectStore } from "./etcd/connect-store.ts";
import { createKubeClient } from "./kube/kube-client.ts";
import type { Publication, Store } from "./ports.ts";
import { sampleSettings } from "./sample-settings.ts";
import { sampleService } from "./sources/sample-objects.ts";
import type { SourceSettings } from "./source-settings.ts";
import type { StoreSettings } from "./store-settings.ts";
import { createEtcdStore } from "./store/etcd/etcd-store.ts";
import { createKubeStore } from "./store/kube/kube-store.ts";
import { createSqliteStore } from "./store/sqlite/sqlite-store.ts";

const clock = createSystemClock();
const placeInEtcd = shareEtcd(toolPath("etcd", "server"));
/** Longer than all of it takes on a busy machine. */
const DEADLINE = { timeout: 60_000 };
/** At one moment; each round meets those of the rounds before. */
const AT_ONCE = 100;

/** One who asks. */
interface Asker {
  readonly id: ClaimId;
  ask(address: string): Promise<void> | void;
}

interface Race {
  readonly address: string;
  readonly askers: readonly [Asker, Asker];
}

test("a thousand times two Services insist on one address, and one has it", DEADLINE, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), "fairlead-race-"));
  const path = join(place.path, "store.db");
  const folder = await makeFolder(place.path);
  const pairs = Array.from({ length: 1000 }, (_, index): Race["askers"] => {
    // Those who would share the address want the same port of it.
    const key = index % 2 === 0 ? undefined : `key-${index}`;
    return [serviceIn(folder, `a-${index}`, key), serviceIn(folder, `b-${index}`, key)];
  });
  const told = await raceAll({ kind: "sqlite", path }, inFolder(folder), pairs);
  await using store = createSqliteStore({ path });
  await judgeStore(store, told);
});

test("Services and VIPs of etcd insist on one address, and one has it", DEADLINE, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), "fairlead-race-"));
  const { etcd, base, store: at } = await placeInEtcd();
  const folder = await makeFolder(place.path);
  const pairs = Array.from({ length: 300 }, (_, index): Race["askers"] => {
    return [serviceIn(folder, `a-${index}`), vipIn(etcd, base, `b-${index}`)];
  });
  const read = readEtcdUrls(at);
  assert.ok(read.kind === "ok");
  const store = { kind: "etcd", access: read.access, base } as const;
  const told = await raceAll(store, inFolder(folder), pairs);
  using client = connectStore(at, clock);
  await using stored = createEtcdStore({ client, base });
  await judgeStore(stored, told);
});

test("Services of a cluster that is the store too insist on one address", DEADLINE, async () => {
  await using place = await mkdtempDisposable(join(tmpdir(), "fairlead-race-"));
  await using stub = await startKubeStub();
  const pairs = Array.from({ length: 300 }, (_, index): Race["askers"] => {
    const key = index % 2 === 0 ? undefined : `key-${index}`;
    return [serviceOf(stub, `a-${index}`, key), serviceOf(stub, `b-${index}`, key)];
  });
  const kubeconfig = await writeKubeconfig(place.path, stub);
  const store = { kind: "kubernetes", namespace: "fairlead-system" } as const;
  const told = await raceAll(store, { kind: "cluster", kubeconfig, context: undefined }, pairs);
  const client = createKubeClient({ access: stub.access, clock, userAgent: "test" });
  await using stored = createKubeStore({ client, clock });
  await judgeStore(stored, told);
});

/** By address, who was told of it first. */
type Winners = ReadonlyMap<string, ClaimId>;

async function raceAll(
  store: StoreSettings,
  source: SourceSettings,
  pairs: readonly Race["askers"][],
): Promise<Winners> {
  const watched = new Watched();
  await using _controller = await start(store, source, watched);
  const races = pairs.map((askers, index): Race => {
    return { askers, address: `10.64.${index >> 8}.${index & 255}` };
  });
  for (let first = 0; first < races.length; first += AT_ONCE) {
    const round = races.slice(first, first + AT_ONCE);
    await Promise.all(round.map(bothAsk));
    await watched.until(() => round.every((race) => watched.isOver(race)));
  }
  return watched.winners;
}

/** Now one begins, now the other. */
async function bothAsk({ askers: [one, other], address }: Race, index: number): Promise<void> {
  const order = index % 4 < 2 ? [one, other] : [other, one];
  await Promise.all(order.map(async (asker) => await asker.ask(address)));
}

/** What is said after each cycle. */
class Watched {
  readonly winners = new Map<string, ClaimId>();
  #verdicts: ReadonlyMap<ClaimId, Verdict> = new Map();
  #look: () => void = () => undefined;
  /** Whoever publishes would only log it. */
  #wrong: Error | undefined;

  /** What it finds wrong is told to whoever waits. */
  hear(said: Publication): void {
    try {
      this.#judge(said);
    } catch (error) {
      this.#wrong ??= error instanceof Error ? error : new Error(String(error));
    }
    this.#look();
  }

  /** No address of two, and none of another than before. */
  #judge({ leases, verdicts }: Publication): void {
    for (const lease of leases.values()) {
      const owner = ownerOf(lease);
      const before = this.winners.get(lease.address) ?? owner;
      assert.equal(owner, before, `${lease.address} was ${before}'s`);
      this.winners.set(lease.address, owner);
    }
    this.#verdicts = verdicts;
  }

  /** Whether one has the address, and the other knows who. */
  isOver({ address, askers }: Race): boolean {
    const verdicts = askers.map(({ id }) => this.#verdicts.get(id));
    if (verdicts.some((one) => one === undefined)) return false;
    const [winner, ...more] = verdicts.filter((one) => one?.state !== "refused");
    const [loser] = verdicts.filter((one) => one?.state === "refused");
    if (winner === undefined || loser === undefined) return false;
    assert.deepEqual(more, []);
    assert.deepEqual([this.winners.get(address), addressesOf(winner)], [winner.claim, [address]]);
    assert.deepEqual(addressesOf(loser), []);
    const { reason = "", detail = "" } = loser.main ?? {};
    assert.match(reason, /^(?:AddressTaken|SharingRefused)$/);
    const title = claimTitle(winner.claim);
    const held = detail.startsWith(`${address} `) && detail.includes(`is held by ${title} since `);
    assert.ok(held, detail);
    return true;
  }

  async until(isSo: () => boolean): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#look = () => {
        try {
          if (this.#wrong !== undefined) throw this.#wrong;
          if (isSo()) resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      this.#look();
    });
  }
}

function start(
  store: StoreSettings,
  source: SourceSettings,
  watched: Watched,
): Promise<RunningController> {
  const pools = [makePool("lan", "10.64.0.0/16")];
  return runController({
    settings: sampleSettings({ source, store, pools }),
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    onFailed: (error) => assert.fail(error),
    ports: {
      publishers: [{ name: "watched", publish: (said) => Promise.resolve(watched.hear(said)) }],
    },
  });
}

/** What was told is what is stored, and nothing else is. */
async function judgeStore(store: Store, told: Winners): Promise<void> {
  const { leases } = await store.open();
  const stored = leases.map((lease) => [lease.address, ownerOf(lease)] as const);
  assert.deepEqual(new Map(stored), told);
}

function ownerOf({ address, owners }: LeasedAddress): ClaimId {
  assert.equal(owners.length, 1, `${address} is held by ${JSON.stringify(owners)}`);
  return present(owners[0], "one owner").claim;
}

function addressesOf({ addresses }: Verdict): readonly string[] {
  return addresses.map(({ address }) => address);
}

async function makeFolder(place: string): Promise<string> {
  const folder = join(place, "manifests");
  await mkdir(folder);
  return folder;
}

function inFolder(folder: string): SourceSettings {
  return { kind: "folder", folder };
}

function serviceIn(folder: string, name: string, key?: string): Asker {
  return serviceAsker(name, key, (manifest) =>
    writeFile(join(folder, `${name}.yaml`), stringify(manifest)),
  );
}

function serviceOf(stub: KubeStub, name: string, key?: string): Asker {
  return serviceAsker(name, key, (manifest) => void stub.put(manifest));
}

function serviceAsker(
  name: string,
  key: string | undefined,
  make: (manifest: object) => Promise<void> | void,
): Asker {
  const annotations = key === undefined ? {} : { "fairlead.io/sharing-key": key };
  return {
    id: present(claimId("service", "default", name), "a good name"),
    ask: (address) => make(sampleService({ loadBalancerIP: address }, { name, annotations })),
  };
}

async function writeKubeconfig(place: string, { server }: KubeStub): Promise<string> {
  const path = join(place, "kubeconfig");
  const config = {
    clusters: [{ name: "lab", cluster: { server } }],
    users: [{ name: "me", user: { token: "t" } }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "me" } }],
    "current-context": "lab",
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

function vipIn(etcd: EtcdCluster, base: string, name: string): Asker {
  return {
    id: present(claimId("virtualip", "default", name), "a good name"),
    ask: (address) => {
      const vip = { port: 80, members: ["10.0.0.1:80"], address };
      return etcd.put(`${base}/vips/${name}`, JSON.stringify(vip));
    },
  };
}
