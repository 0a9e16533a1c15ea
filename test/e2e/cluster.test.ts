// The control plane itself, on loopback: clusters side by side, users and their rights, an API
// server that is killed, frozen and put back to an older state, what the audit log tells, and that
// nothing of it outlives the process that made it.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { type Cluster, isWrite, monotonicMs, startCluster } from "@fairlead/lab";
import { createKubeClient, type KubeClient, type KubeObject } from "@fairlead/testkit";

import { clusterPrograms } from "./stage/api-host.ts";
import { addReadyNode, addReadyPod, KINDS } from "./stage/cluster-objects.ts";
import { service } from "./stage/manifests.ts";

const programs = clusterPrograms();
const LABELS = { app: "web" };
/** Two clusters take 4 s on two cores, and 8 s where three times as much runs beside them. */
const READY_MS_MAX = 10_000;
const WEB = { ...KINDS.service, name: "web" };

test("two clusters run side by side and know nothing of each other", async (context) => {
  const startMs = monotonicMs();
  const both = [startCluster({ programs }), startCluster({ programs })];
  const [one, two] = (await Promise.all(both)) as [Cluster, Cluster];
  await using _one = one;
  await using _two = two;
  const readyMs = Math.round(monotonicMs() - startMs);
  context.diagnostic(`two clusters were ready after ${readyMs} ms`);
  assert.ok(readyMs <= READY_MS_MAX, `it took ${readyMs} ms until two clusters were ready`);
  context.diagnostic(await memoryText(one));
  assert.notEqual(new URL(one.server).hostname, new URL(two.server).hostname);

  const [kube, other] = [createKubeClient(one.connect()), createKubeClient(two.connect())];
  const made = await createWeb(kube);
  const spec = made["spec"] as { readonly clusterIPs: readonly string[] };
  assert.match(spec.clusterIPs.join(), /^10\.96\.\d+\.\d+,fd96::/, "both families");
  await addReadyNode(kube, "worker1", "10.77.0.21");
  await addReadyPod(kube, { name: "web-1", labels: LABELS, node: "worker1" }, "10.77.0.21");
  using slices = await kube.watch(KINDS.endpointSlice, { namespace: "default" });
  await slices.until("the pod is in a slice", (events) => {
    const endpoints = events.at(-1)?.object["endpoints"] as readonly object[] | undefined;
    return endpoints?.length === 1 ? true : undefined;
  });
  assert.equal(await other.get(WEB), undefined);
  assert.deepEqual(await other.list(KINDS.node), []);
  // The other cluster's authority is no authority here.
  const stranger = createKubeClient(two.connect(await one.addUser("stranger")));
  await assert.rejects(stranger.list(KINDS.node), { status: 401 });
});

test("users are known by token or certificate, and RBAC gives them their rights", async () => {
  await using cluster = await startCluster({
    programs,
    users: [{ name: "by-token", groups: ["readers"] }, { name: "nobody" }],
  });
  const admin = createKubeClient(cluster.connect());
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1" };
  const apiGroup = "rbac.authorization.k8s.io";
  const metadata = { name: "readers" };
  const rules = [{ apiGroups: [""], resources: ["services"], verbs: ["list"] }];
  await admin.create({ ...rbac, kind: "ClusterRole", metadata, rules });
  await admin.create({
    ...rbac,
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup, kind: "ClusterRole", name: "readers" },
    subjects: [{ apiGroup, kind: "Group", name: "readers" }],
  });
  const kubeOf = (credentials: Parameters<typeof cluster.connect>[0]): KubeClient =>
    createKubeClient(cluster.connect(credentials));
  const byCertificate = await cluster.addUser("by-certificate", ["readers", "writers"]);
  for (const credentials of [cluster.credentialsOf("by-token"), byCertificate]) {
    await untilAllowed(() => kubeOf(credentials).list(KINDS.service, { namespace: "default" }));
    await assert.rejects(kubeOf(credentials).create(webService()), { status: 403 });
  }
  await assert.rejects(kubeOf(cluster.credentialsOf("nobody")).list(KINDS.service), {
    status: 403,
    message: /User "nobody" cannot list resource "services"/,
  });
  await assert.rejects(kubeOf({ kind: "token", token: "made up" }).list(KINDS.service), {
    status: 401,
  });
  await assert.rejects(kubeOf({ kind: "none" }).list(KINDS.service), { status: 403 });
});

test("the API server freezes, dies and comes back, and a watch goes on", async () => {
  await using cluster = await startCluster({ programs });
  const connection = cluster.connect();
  const kube = createKubeClient(connection);
  using watching = await kube.watch(KINDS.service, { namespace: "default" });
  const seen = (name: string): Promise<true> =>
    watching.until(`${name} is seen`, (events) =>
      events.some(({ object }) => object.metadata.name === name) ? true : undefined,
    );
  await createWeb(kube);
  await seen("web");
  await cluster.apiserver.freeze();
  const asked = { method: "GET", path: "/version", timeoutMs: 300 } as const;
  await assert.rejects(connection.request(asked), { code: "NO_ANSWER" });
  cluster.apiserver.resume();
  assert.equal((await connection.request({ method: "GET", path: "/version" })).status, 200);
  await cluster.apiserver.freeze();
  await cluster.apiserver.kill();
  assert.equal(cluster.apiserver.isRunning(), false);
  await assert.rejects(kube.get(WEB), { code: "NO_ANSWER" });
  await cluster.apiserver.start();
  await kube.create(webService("web-2"));
  await seen("web-2");

  await cluster.controllerManager.kill();
  await kube.create(webService("web-3"));
  await cluster.controllerManager.start();
  using slices = await kube.watch(KINDS.endpointSlice, { namespace: "default" });
  await slices.until("the slice of web-3 is made late", (events) =>
    events.some(({ object }) => object.metadata.name.startsWith("web-3-")) ? true : undefined,
  );
});

test("an older copy of etcd takes the cluster back, resource versions included", async () => {
  await using cluster = await startCluster({ programs });
  const kube = createKubeClient(cluster.connect());
  const before = await createWeb(kube);
  const copy = await cluster.snapshotEtcd();
  const changed = await kube.patch(WEB, { metadata: { labels: { later: "yes" } } });
  await kube.create(webService("later"));
  for (let turn = 0; turn < 2; turn += 1) {
    await cluster.restoreEtcd(copy);
    const now = await kube.get(WEB);
    assert.equal(now?.metadata.resourceVersion, before.metadata.resourceVersion);
    assert.notEqual(now?.metadata.resourceVersion, changed.metadata.resourceVersion);
    assert.equal(await kube.get({ ...KINDS.service, name: "later" }), undefined);
    await kube.create(webService("later"));
  }
});

test("the audit log tells who wrote what", async () => {
  await using cluster = await startCluster({ programs });
  const credentials = await cluster.addUser("writer", ["system:masters"]);
  const kube = createKubeClient(cluster.connect(credentials));
  await createWeb(kube);
  await kube.patch(WEB, { metadata: { labels: { tier: "front" } } });
  const status = { loadBalancer: { ingress: [{ ip: "10.77.0.100" }] } };
  await kube.patch({ ...WEB, subresource: "status" }, { status });
  await kube.get(WEB);
  await assert.rejects(kube.create(webService()), { reason: "AlreadyExists" });
  await kube.remove(WEB);
  const entries = (await cluster.auditLog()).filter(({ user }) => user === "writer");
  assert.deepEqual(
    entries.filter(isWrite).map(({ verb, resource, name, status: code }) => {
      return `${verb} ${resource} ${name} ${code}`;
    }),
    [
      "create services web 201",
      "patch services web 200",
      "patch services/status web 200",
      "create services web 409",
      "delete services web 200",
    ],
  );
  assert.ok(entries.every(({ namespace }) => namespace === "default"));
  assert.equal(entries.filter(({ verb }) => verb === "get").length, 1);
});

test("kill -9 of the process that made it leaves no program of a cluster", async () => {
  const main = fileURLToPath(new URL("./stage/cluster-maker/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "inherit"] });
  using _ = { [Symbol.dispose]: () => void child.kill("SIGKILL") };
  const lines = createInterface({ input: child.stdout });
  const said = String((await lines[Symbol.asyncIterator]().next()).value);
  const pids = JSON.parse(said) as readonly number[];
  assert.equal(pids.filter(isAlive).length, 3, said);
  child.kill("SIGKILL");
  const endMs = monotonicMs() + 5_000;
  while (pids.some(isAlive)) {
    assert.ok(monotonicMs() < endMs, `of ${said} some live on`);
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("a program that cannot start is told with what it said", async () => {
  await assert.rejects(startCluster({ programs: { ...programs, apiserver: "/bin/false" } }), {
    code: "NOT_POSSIBLE",
    message: /^kube-apiserver is not ready/,
  });
});

function webService(name = "web"): KubeObject {
  const spec = { selector: LABELS, ipFamilyPolicy: "PreferDualStack" };
  return service({ name, members: [], spec })[0] as KubeObject;
}

function createWeb(kube: KubeClient): Promise<KubeObject> {
  return kube.create(webService());
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

async function memoryText(cluster: Cluster): Promise<string> {
  const { etcd, apiserver, controllerManager } = cluster;
  const bytes = [etcd, apiserver, controllerManager].map((program) => program.memoryBytes());
  const [a, b, c] = (await Promise.all(bytes)).map((one) => Math.round(one / 1e6));
  return `memory: etcd ${a} MB, API server ${b} MB, controller manager ${c} MB`;
}

/** An API server learns of new rights by a watch of its own. */
async function untilAllowed(ask: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + 10_000;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      const isForbidden = error instanceof Error && "status" in error && error.status === 403;
      if (!isForbidden || performance.now() > endMs) throw error;
    }
  }
}
