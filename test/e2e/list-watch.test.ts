// The stories of following a kind over a real API server, with a clock on which half a minute
// takes a second or two. One cluster for all of them; each story has a namespace of its own.

import assert from "node:assert/strict";
import { Agent } from "node:https";
import { after } from "node:test";

import { type Cluster, startCluster } from "@fairlead/lab";
import {
  createFastClock,
  createKubeClient,
  type KubeObject,
  type ListWatchStage,
  openTcpGate,
  STORY_MS_MAX,
  storyService,
  testListWatchContract,
} from "@fairlead/testkit";

import { clusterPrograms } from "./stage/api-host.ts";
import { KINDS } from "./stage/cluster-objects.ts";

/** Half a minute of a story takes so long that the API server can answer in it. */
const TIMES = 15;
const LOOK_EVERY_MS = 200;

let starting: Promise<Cluster> | undefined;
let stages = 0;

after(async () => {
  await (await starting)?.[Symbol.asyncDispose]();
});

async function makeStage(): Promise<ListWatchStage> {
  starting ??= startCluster({ programs: clusterPrograms() });
  const cluster = await starting;
  stages += 1;
  const namespace = `story-${stages}`;
  const connection = cluster.connect();
  const kube = createKubeClient(connection);
  await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  const { hostname, port } = new URL(cluster.server);
  const gate = await openTcpGate({ host: hostname, port: Number(port) });
  const clock = createFastClock(TIMES);
  const credentials = cluster.credentialsOf("admin");
  assert.equal(credentials.kind, "token");
  const agent = new Agent({ keepAlive: true });
  const headers = { Authorization: `Bearer ${credentials.token}` };
  const request = { agent, ca: cluster.caPem, servername: "kubernetes", headers };
  const target = (name: string): typeof KINDS.service & { name: string; namespace: string } => {
    return { ...KINDS.service, name, namespace };
  };
  return {
    path: `/api/v1/namespaces/${namespace}/services`,
    access: {
      server: `https://${gate.host}:${gate.port}`,
      requestOptions: () => Promise.resolve(request),
    },
    gate,
    clock,
    put: async (name, value) => {
      const made = storyService(name, namespace, value) as KubeObject;
      if ((await kube.get(target(name))) === undefined) await kube.create(made);
      else await kube.patch(target(name), { metadata: { labels: { value } } });
    },
    remove: (name) => kube.remove(target(name)),
    restart: async () => {
      await cluster.apiserver.kill();
      await cluster.apiserver.start();
    },
    undo: async (work) => {
      const snapshot = await cluster.snapshotEtcd();
      await work();
      await cluster.restoreEtcd(snapshot);
    },
    until: async (isSo, what) => {
      const endMs = clock.nowMs() + STORY_MS_MAX;
      while (!isSo()) {
        if (clock.nowMs() > endMs) throw new Error(`in vain: ${what()}`);
        await clock.sleep(LOOK_EVERY_MS);
      }
    },
    pass: (ms) => clock.sleep(ms),
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      connection[Symbol.dispose]();
      await gate[Symbol.asyncDispose]();
    },
  };
}

testListWatchContract("a real API server", makeStage);
