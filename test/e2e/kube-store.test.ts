// The store in a cluster over a real API server, by one who has the rights of deploy/rbac and no
// others: the contract of stores, and how long a thousand allocations take.

import assert from "node:assert/strict";
import { Agent } from "node:https";
import { after, test } from "node:test";

import { createKubeClient, createKubeStore, type Store } from "@fairlead/controller";
import { monotonicMs } from "@fairlead/lab";
import { createSystemClock } from "@fairlead/runtime";
import { makeLease, testStoreContract } from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { type DeployedCluster, startDeployedCluster } from "./stage/deployed-cluster.ts";

const clock = createSystemClock();
const KINDS = ["AddressLease", "VrrpLane", "OperatorIntent", "StoreJournal"];
const LEASES = 1000;
/** A minute is what it must never take; this leaves room for a machine that does other things. */
const OBJECTS_MS_MAX = 30_000;
const COMMIT_MS_MAX = 5000;

let starting: Promise<DeployedCluster> | undefined;
const agent = new Agent({ keepAlive: true });

after(async () => {
  agent.destroy();
  await (await starting)?.[Symbol.asyncDispose]();
});

testStoreContract("the store in a real cluster", async () => {
  const deployed = await begin();
  return {
    store: () => storeOf(deployed),
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
    while ((await countLeases(deployed)) < LEASES) {
      assert.ok(monotonicMs() - begunMs < OBJECTS_MS_MAX, "the objects come in vain");
      await clock.sleep(100);
    }
  }
  assert.ok(committedMs < COMMIT_MS_MAX, `durable after ${committedMs} ms`);
  await using next = storeOf(deployed);
  assert.equal((await next.open()).leases.length, LEASES);
});

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
  const kind = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressLease" };
  return (await kube.list(kind)).length;
}

function storeOf({ cluster }: DeployedCluster): Store {
  const credentials = cluster.credentialsOf(CONTROLLER_USER);
  assert.equal(credentials.kind, "token");
  const request = {
    agent,
    ca: cluster.caPem,
    servername: "kubernetes",
    headers: { Authorization: `Bearer ${credentials.token}` },
  };
  const access = { server: cluster.server, requestOptions: () => Promise.resolve(request) };
  return createKubeStore({ client: createKubeClient({ access, clock, userAgent: "test" }), clock });
}
