// What a real API server does with our writes, by one who has the rights of deploy/rbac and no
// others. One cluster for all stories; each of Services has a namespace of its own.

import assert from "node:assert/strict";
import { Agent } from "node:https";
import { after } from "node:test";

import { createKubeClient, type KubeClient } from "@fairlead/controller";
import { createSystemClock } from "@fairlead/runtime";
import {
  type KubeClient as Hand,
  type NamespaceStage,
  type PoolWriteStage,
  testNamespaceContract,
  testPoolWriteContract,
  testWriteContract,
  writeStageOver,
} from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { KINDS } from "./stage/cluster-objects.ts";
import { type DeployedCluster, startDeployedCluster } from "./stage/deployed-cluster.ts";

const ADMIN = "admin";
const POOL = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPool" };
const NAMESPACE = { apiVersion: "v1", kind: "Namespace" };

const clock = createSystemClock();
const agent = new Agent({ keepAlive: true });
/**
 * The namespace controller of Kubernetes looks again 8 s after it found something with a finalizer
 * (half of the 15 s that it guesses for those), and is busy for a second or two around that.
 */
const NAMESPACE_ENDED_MS_MAX = 30_000;

let starting: Promise<DeployedCluster> | undefined;
let stages = 0;

after(async () => {
  agent.destroy();
  await (await starting)?.[Symbol.asyncDispose]();
});

testWriteContract("a real API server", makeStage);
testNamespaceContract("a real API server", makeStage);
testPoolWriteContract("a real API server", makePoolStage);

async function makeStage(): Promise<NamespaceStage> {
  const { kube, admin, client, stranger } = await begin();
  stages += 1;
  const namespace = `story-${stages}`;
  const target = { ...NAMESPACE, name: namespace };
  await kube.create({ ...NAMESPACE, metadata: { name: namespace } });
  return {
    ...writeStageOver(admin, namespace),
    client,
    stranger,
    end: async () => {
      const web = { ...KINDS.service, namespace, name: "web" };
      await kube.remove(target);
      await kube.until("it is deleted", web, (one) => one?.metadata["deletionTimestamp"]);
    },
    ended: async () => {
      const isGone = (one: unknown): true | undefined => one === undefined || undefined;
      await kube.until("it is gone", target, isGone, NAMESPACE_ENDED_MS_MAX);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function makePoolStage(): Promise<PoolWriteStage> {
  const { kube, admin, client, stranger } = await begin();
  await admin.request({ method: "DELETE", path: "/apis/fairlead.io/v1alpha1/addresspools" });
  const look: PoolWriteStage["look"] = (name) => kube.get({ ...POOL, name });
  return {
    client,
    stranger,
    look,
    put: async (name, addresses) => {
      const spec = { addresses };
      if ((await look(name)) !== undefined) await kube.patch({ ...POOL, name }, { spec });
      else await kube.create({ ...POOL, metadata: { name }, spec });
    },
    remove: (name) => kube.remove({ ...POOL, name }),
    say: async (name, condition) => {
      const { status } = (await look(name)) as {
        readonly status?: { readonly conditions: object[] };
      };
      const conditions = [...(status?.conditions ?? []), condition];
      await kube.patch({ ...POOL, name, subresource: "status" }, { status: { conditions } });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Those who ask the one cluster: a hand and the admin, the controller, and nobody. */
interface Askers {
  readonly kube: Hand;
  readonly admin: KubeClient;
  readonly client: KubeClient;
  readonly stranger: KubeClient;
}

async function begin(): Promise<Askers> {
  starting ??= startDeployedCluster();
  const { cluster, kube } = await starting;
  const as = (headers: Readonly<Record<string, string>>): KubeClient => {
    const request = { agent, ca: cluster.caPem, servername: "kubernetes", headers };
    const access = { server: cluster.server, requestOptions: () => Promise.resolve(request) };
    return createKubeClient({ access, clock, userAgent: "story" });
  };
  const user = (name: string): KubeClient => {
    const credentials = cluster.credentialsOf(name);
    assert.equal(credentials.kind, "token");
    return as({ Authorization: `Bearer ${credentials.token}` });
  };
  return { kube, admin: user(ADMIN), client: user(CONTROLLER_USER), stranger: as({}) };
}
