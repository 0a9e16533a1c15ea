// What a real API server does with our writes, by one who has the rights of deploy/rbac and no
// others. One cluster for all stories; each has a namespace of its own.

import assert from "node:assert/strict";
import { Agent } from "node:https";
import { after } from "node:test";

import { createKubeClient, type KubeClient } from "@fairlead/controller";
import { present } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { testPoolWriteContract, testWriteContract, writeStageOver } from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { type DeployedCluster, startDeployedCluster } from "./stage/deployed-cluster.ts";

const ADMIN = "admin";
const POOLS = "/apis/fairlead.io/v1alpha1/addresspools";

const clock = createSystemClock();
const agent = new Agent({ keepAlive: true });
let starting: Promise<DeployedCluster> | undefined;
let stages = 0;

after(async () => {
  agent.destroy();
  await (await starting)?.[Symbol.asyncDispose]();
});

testWriteContract("a real API server", async () => {
  const clients = await begin();
  stages += 1;
  const name = `story-${stages}`;
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  await clients.admin.request({ method: "POST", path: "/api/v1/namespaces", body });
  return {
    ...writeStageOver(clients.admin, name),
    ...clients,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

testPoolWriteContract("a real API server", async () => {
  const clients = await begin();
  const { admin } = clients;
  await admin.request({ method: "DELETE", path: POOLS });
  const look = async (name: string): Promise<Json | undefined> => {
    const list = await admin.request({ method: "GET", path: POOLS });
    const { items } = list as { readonly items: readonly (Json & Named)[] };
    return items.find(({ metadata }) => metadata.name === name);
  };
  const patch = (path: string, body: object): Promise<unknown> =>
    admin.request({ method: "PATCH", path: `${POOLS}/${path}`, contentType: MERGE, body });
  return {
    ...clients,
    look,
    put: async (name, addresses) => {
      const spec = { addresses };
      const body = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPool", metadata: { name } };
      if ((await look(name)) !== undefined) await patch(name, { spec });
      else await admin.request({ method: "POST", path: POOLS, body: { ...body, spec } });
    },
    remove: async (name) => {
      await admin.request({ method: "DELETE", path: `${POOLS}/${name}` });
    },
    say: async (name, condition) => {
      const { status } = present(await look(name), "the pool");
      const { conditions = [] } = status as { readonly conditions?: readonly Json[] };
      await patch(`${name}/status`, { status: { conditions: [...conditions, condition] } });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

const MERGE = "application/merge-patch+json";

type Json = Readonly<Record<string, unknown>>;

interface Named {
  readonly metadata: { readonly name: string };
}

/** The one cluster: as its admin, as the controller, and as nobody. */
async function begin(): Promise<Record<"admin" | "client" | "stranger", KubeClient>> {
  starting ??= startDeployedCluster();
  const { cluster } = await starting;
  const as = (user?: string): KubeClient => {
    const credentials = user === undefined ? undefined : cluster.credentialsOf(user);
    const request = {
      agent,
      ca: cluster.caPem,
      servername: "kubernetes",
      headers: headersOf(credentials),
    };
    const access = { server: cluster.server, requestOptions: () => Promise.resolve(request) };
    return createKubeClient({ access, clock, userAgent: "story" });
  };
  return { admin: as(ADMIN), client: as(CONTROLLER_USER), stranger: as() };
}

function headersOf(
  credentials: ReturnType<DeployedCluster["cluster"]["credentialsOf"]> | undefined,
): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  assert.equal(credentials.kind, "token");
  return { Authorization: `Bearer ${credentials.token}` };
}
