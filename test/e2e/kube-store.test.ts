// The stores in a cluster over a real API server, by one who has the rights of deploy/rbac and no
// others: the contracts of stores, how long a thousand allocations take, and what becomes of those
// of a controller that is killed again and again. Whoever counts is no part of it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import {
  createKubeClient,
  createKubeIpamStore,
  createKubeStore,
  type IpamChange,
  type KubeStoreOptions,
  type Store,
  type StoredIpam,
  type Uuid,
} from "@fairlead/controller";
import { monotonicMs } from "@fairlead/lab";
import { parseClaimId, parsePoolName, present } from "@fairlead/model";
import { createSystemClock, EdgeError } from "@fairlead/runtime";
import {
  type KubeObject,
  makeLease,
  makeRanges,
  testIpamStoreContract,
  testStoreContract,
} from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { readJournaledLeases, readLeaseObjects } from "./stage/cluster-leases.ts";
import { type DeployedCluster, startDeployedCluster } from "./stage/deployed-cluster.ts";
import { killAgainAndAgain, type KilledStage } from "./stage/killed-controllers.ts";
import { createSeeded } from "./stage/seeded.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

const clock = createSystemClock();
const chance = createSeeded();
const KINDS = ["AddressLease", "VrrpLane", "OperatorIntent", "StoreJournal", "IpamShard"];
const LEASES = 1000;
const COMMIT_MS_MAX = 5000;

let starting: Promise<DeployedCluster> | undefined;
const agent = new Agent({ keepAlive: true });

after(async () => {
  agent.destroy();
  await (await starting)?.[Symbol.asyncDispose]();
});

testStoreContract("the store in a real cluster", async () => {
  const deployed = await begin();
  let isLosing = false;
  const client = losingAnswers(clientOf(deployed), () => isLosing);
  return {
    store: () => createKubeStore({ client, clock }),
    fail: () => {
      isLosing = true;
      return { [Symbol.dispose]: () => void (isLosing = false) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

testIpamStoreContract("the IPAM store in a real cluster", async () => {
  const deployed = await begin();
  let isLosing = false;
  const client = losingAnswers(clientOf(deployed), () => isLosing);
  return {
    store: () => createKubeIpamStore({ client, clock }),
    fail: () => {
      isLosing = true;
      return { [Symbol.dispose]: () => void (isLosing = false) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

test("a thousand allocations are durable at once, and their objects follow soon", async () => {
  const deployed = await begin();
  const begunMs = monotonicMs();
  let committedMs = 0;
  {
    await using store = storeOf(deployed);
    const { epoch } = await store.open();
    const changes = Array.from({ length: LEASES }, (_, index) => {
      return { kind: "put-lease", lease: makeLease(index) } as const;
    });
    assert.deepEqual(await store.commit(epoch, changes), { kind: "committed" });
    committedMs = monotonicMs() - begunMs;
    await until(async () => (await countLeases(deployed)) === LEASES, "the objects are there");
  }
  assert.ok(committedMs < COMMIT_MS_MAX, `durable after ${committedMs} ms`);
  await using next = storeOf(deployed);
  assert.equal((await next.open()).leases.length, LEASES);
});

test("a copy takes leases and the IPAM out of a real cluster, and into one that has none", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-copy-"));
  try {
    const file = `sqlite:${join(folder, "copy.db")}`;
    const copy = async (deployed: DeployedCluster, from: string, to: string): Promise<string> => {
      const flags = [`--from=${from}`, `--to=${to}`, `--kubeconfig=${deployed.kubeconfig}`];
      await using running = startSpoken(program("fairlead"), ["store", "copy", ...flags]);
      assert.equal(await running.exit, 0, running.words());
      return running.words();
    };
    const ipamOf = async (deployed: DeployedCluster): Promise<StoredIpam> => {
      await using store = createKubeIpamStore({ client: clientOf(deployed), clock });
      return await store.open();
    };
    const full = await begin();
    {
      await using store = storeOf(full);
      const { epoch } = await store.open();
      await store.commit(epoch, [{ kind: "put-lease", lease: makeLease(1) }]);
      await using ipam = createKubeIpamStore({ client: clientOf(full), clock });
      await ipam.open();
      await ipam.commit(givenRows());
    }
    const before = await ipamOf(full);
    const copied = /^copied 1 lease, .* of the IPAM 1 class, 1 netblock and 1 registration$/mu;
    assert.match(await copy(full, "kubernetes", file), copied);
    const empty = await begin();
    assert.match(await copy(empty, file, "kubernetes"), copied);
    assert.deepEqual(await ipamOf(empty), before);
    await using store = storeOf(empty);
    assert.deepEqual((await store.open()).leases, [makeLease(1)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A class, a netblock, and what was given of it. */
function givenRows(): readonly IpamChange[] {
  const [lab, block, uuid] = [1, 2, 3].map(
    (n) => `00000000-0000-4000-8000-00000000000${n}` as Uuid,
  );
  assert.ok(lab !== undefined && block !== undefined && uuid !== undefined);
  const claim = present(parseClaimId(`registration/ipam/${uuid}`), "a claim's id");
  const pool = present(parsePoolName(block), "a pool");
  const owners = [{ claim, uid: uuid, ports: [] }];
  const lease = { ...makeLease(1), pool, owners, lastClaim: claim };
  const { address } = lease;
  const times = { createdMs: 1, modifiedMs: 2 };
  const range = present(makeRanges("10.1.0.0/24")[0], "a range");
  return [
    { kind: "put-class", class: { uuid: lab, name: "lab", ...times } },
    { kind: "put-netblock", netblock: { uuid: block, class: lab, range, ...times } },
    { kind: "put-address", class: lab, lease },
    {
      kind: "put-registration",
      registration: { uuid, class: lab, address, createdMs: 3, renewedMs: 4 },
    },
  ];
}

test(`a controller that is killed again and again over a cluster keeps what it told, and leaks none (FAIRLEAD_SEED=${chance.seed})`, async () => {
  const deployed = await begin();
  const { kube } = deployed;
  const rows = (): ReturnType<typeof readJournaledLeases> => readJournaledLeases(kube);
  const stage: KilledStage = {
    agent: "10.9.2.5/22",
    add: async (name) => {
      const service = { ...SERVICE, name };
      // Its finalizer keeps one that was removed until a controller has released its address.
      const isLeaving = (await kube.get(service)) !== undefined;
      if (isLeaving) await kube.patch(service, { metadata: { finalizers: null } });
      await kube.create(serviceOf(name));
    },
    remove: (name) => kube.remove({ ...SERVICE, name }),
    start: (_, leadS) => startController(deployed, leadS),
    rows,
    mark: async () => JSON.stringify(await rows()),
  };
  await killAgainAndAgain(stage, chance);
  const objects = new Map((await readLeaseObjects(kube)).map((row) => [row.address, row]));
  const durable = new Map((await rows()).map((row) => [row.address, row]));
  assert.deepEqual(objects, durable, "one that ended well has brought all into the objects");
});

const SERVICE = { apiVersion: "v1", kind: "Service" };

function serviceOf(name: string): KubeObject {
  const spec = { type: "LoadBalancer", selector: { app: name }, ports: [{ port: 80 }] };
  return { ...SERVICE, metadata: { name, namespace: "default" }, spec };
}

function startController({ kubeconfig }: DeployedCluster, leadS: number): SpokenProgram {
  const listen = ["admin", "agents", "metrics"].map((name) => `--listen-${name}=127.0.0.1:0`);
  const store = ["--store=kubernetes", `--leader-lease=${leadS}s`, `--kubeconfig=${kubeconfig}`];
  const args = [...listen, ...store, "--pool=lan=10.9.0.0/23", "--insecure"];
  return startSpoken(program("fairlead-controller"), args);
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = monotonicMs() + UNTIL_MS_MAX;
  while (!(await isSo())) {
    assert.ok(monotonicMs() < endMs, `waited in vain until ${what}`);
    await clock.sleep(50);
  }
}

/** A minute is what nothing here may take; half of it leaves room for a busy machine. */
const UNTIL_MS_MAX = 30_000;

/** The one cluster, with nothing of a store in it. */
async function begin(): Promise<DeployedCluster> {
  starting ??= startDeployedCluster();
  const deployed = await starting;
  using connection = deployed.cluster.connect();
  for (const kind of KINDS) {
    const path = `/apis/fairlead.io/v1alpha1/${kind.toLowerCase()}s`;
    const { status, text } = await connection.request({ method: "DELETE", path });
    assert.equal(status, 200, text);
  }
  return deployed;
}

async function countLeases({ kube }: DeployedCluster): Promise<number> {
  return (await readLeaseObjects(kube)).length;
}

function storeOf(deployed: DeployedCluster): Store {
  return createKubeStore({ client: clientOf(deployed), clock });
}

/** The client, of whose writes nobody hears. */
function losingAnswers(
  client: KubeStoreOptions["client"],
  isLosing: () => boolean,
): KubeStoreOptions["client"] {
  return {
    ...client,
    request: async (request, signal) => {
      const isLost = request.method === "PUT" && isLosing();
      const answer = await client.request(request, signal);
      if (!isLost) return answer;
      throw new EdgeError({ code: "TIMEOUT", message: "nobody answered", retryable: true });
    },
  };
}

/** A client with the rights of the controller's user. */
function clientOf({ cluster }: DeployedCluster): KubeStoreOptions["client"] {
  const credentials = cluster.credentialsOf(CONTROLLER_USER);
  assert.equal(credentials.kind, "token");
  const request = {
    agent,
    ca: cluster.caPem,
    servername: "kubernetes",
    headers: { Authorization: `Bearer ${credentials.token}` },
  };
  const access = { server: cluster.server, requestOptions: () => Promise.resolve(request) };
  return createKubeClient({ access, clock, userAgent: "test" });
}
