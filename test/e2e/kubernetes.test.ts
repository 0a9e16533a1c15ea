// A cluster on a host of the lab, as stories have it: kubectl works from another host, controllers
// make EndpointSlices of Services, kwok makes nodes and pods ready, and the controller's user has
// the rights of deploy/rbac and no others. As the caller and as a normal user.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";

import { asNormalUser, createLab, type Lab, type LabOptions, startKwok } from "@fairlead/lab";
import { createKubeClient, type KubeClient, type KubeObject } from "@fairlead/testkit";

import { toolPath } from "../tools/tool-path.ts";
import { addApiHost, type ApiHost, clusterFolders, CONTROLLER_USER } from "./stage/api-host.ts";
import { addReadyNode, addReadyPod, KINDS, node, pod, sayReady } from "./stage/cluster-objects.ts";
import { until } from "./stage/etcd-controllers.ts";
import { manifest, service } from "./stage/manifests.ts";
import { TOP } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const KWOK = toolPath("kwok");
const NODES = 10;
const PODS = 20;

const USERS: readonly { readonly name: string; readonly options: LabOptions }[] = [
  { name: "the caller", options: {} },
  {
    name: "a normal user",
    options: asNormalUser(TOP, ...clusterFolders(), dirname(KWOK)),
  },
];

for (const user of USERS) {
  test(`as ${user.name}: a Service made by kubectl gets slices`, async () => {
    await using lab = await createLab(user.options);
    const { kube, kubectl } = await makeCluster(lab);
    await addReadyNode(kube, "worker1", "10.77.0.21");
    const labels = { app: "web" };
    await addReadyPod(kube, { name: "web-1", labels, node: "worker1" }, "10.77.0.21");
    await addReadyPod(kube, { name: "web-2", labels, node: "worker1" }, "10.77.0.22");
    const web = service({ name: "web", members: [], spec: { selector: labels } });
    await kubectl(["apply", "--filename=-"], manifest(web));
    await untilMembers(kube, ["10.77.0.21", "10.77.0.22"]);
    await sayReady(kube, { ...KINDS.pod, name: "web-1" }, false);
    await untilMembers(kube, ["10.77.0.22"]);
    assert.match(await kubectl(["get", "service", "web"]), /web +LoadBalancer .* <pending> +80:/);
  });
}

test("kwok makes ten nodes and twenty pods ready, and they show in slices", async () => {
  await using lab = await createLab();
  const { cluster, kube } = await makeCluster(lab);
  await startKwok(cluster, { program: KWOK });
  const labels = { app: "web" };
  const names = Array.from({ length: NODES }, (_, index) => `worker${index}`);
  await Promise.all(names.map((name) => kube.create(node(name))));
  const [web] = service({ name: "web", members: [], spec: { selector: labels } });
  await kube.create(web as KubeObject);
  const create = async (index: number): Promise<unknown> =>
    kube.create(pod({ name: `web-${index}`, labels, node: names[index % NODES] ?? "" }));
  // Two that are the first at once make kwok 0.8.0 begin its list of free addresses twice.
  await create(0);
  await kube.until("the first pod is ready", { ...KINDS.pod, name: "web-0" }, (object) =>
    object !== undefined && isReady(object) ? true : undefined,
  );
  await Promise.all(Array.from({ length: PODS - 1 }, (_, index) => create(index + 1)));
  using slices = await kube.watch(KINDS.endpointSlice, { namespace: "default" });
  const members = await slices.until("all pods are ready in slices", (events) => {
    const ready = readyMembers(events.at(-1)?.object);
    return ready.length === PODS ? ready : undefined;
  });
  assert.equal(new Set(members).size, PODS, "each pod has an address of its own");
  using nodes = await kube.watch(KINDS.node);
  await nodes.until("all nodes are ready", (events) => {
    const ready = events.filter(({ object }) => isReady(object));
    return new Set(ready.map(({ object }) => object.metadata.name)).size === NODES || undefined;
  });
});

test("the servers that run are the releases that the tests name", async () => {
  await using lab = await createLab();
  const { host, kubectl } = await makeCluster(lab);
  const kubernetes = await releaseOf("kubernetes", "k8s.io/kubernetes");
  const said = JSON.parse(await kubectl(["version", "--output=json"])) as Readonly<
    Record<string, { readonly gitVersion: string }>
  >;
  const { clientVersion, serverVersion } = said;
  assert.deepEqual(
    [clientVersion?.gitVersion, serverVersion?.gitVersion],
    [kubernetes, kubernetes],
  );
  const etcd = await host.output("curl", ["-s", `http://${host.address}:2379/version`]);
  const { etcdserver } = JSON.parse(etcd) as { readonly etcdserver: string };
  assert.equal(`v${etcdserver}`, await releaseOf("etcd", "go.etcd.io/etcd/server/v3"));
});

/** The release of a module that a tool of the tests is built of. */
async function releaseOf(tool: string, module: string): Promise<string | undefined> {
  const text = await readFile(new URL(`../tools/${tool}/go.mod`, import.meta.url), "utf8");
  const line = text.split("\n").find((one) => one.trim().startsWith(`${module} v`));
  return line?.trim().split(" ")[1];
}

test("the controller's user may do what its job is and nothing else", async () => {
  await using lab = await createLab();
  const { cluster, kube } = await makeCluster(lab);
  const own = createKubeClient(cluster.connect(cluster.credentialsOf(CONTROLLER_USER)));
  await untilAllowed(kube);
  for (const kind of [KINDS.service, KINDS.node, KINDS.endpointSlice]) await own.list(kind);
  const [web] = service({ name: "web", members: [] });
  const target = { ...KINDS.service, name: "web" };
  await assert.rejects(own.create(web as KubeObject), { status: 403, reason: "Forbidden" });
  await kube.create(web as KubeObject);
  const ingress = [{ ip: "10.77.0.100" }];
  const applied = {
    ...KINDS.service,
    metadata: { name: "web" },
    status: { loadBalancer: { ingress } },
  };
  await own.patch({ ...target, subresource: "status" }, applied, {
    type: "apply",
    fieldManager: "fairlead",
  });
  await own.patch(target, { metadata: { finalizers: ["fairlead.io/release"] } });
  const seen = await kube.get(target);
  assert.deepEqual(seen?.metadata["finalizers"], ["fairlead.io/release"]);
  const loadBalancer = { ingress: [{ ip: "10.77.0.100", ipMode: "VIP" }] };
  assert.deepEqual(seen?.["status"], { loadBalancer });
  const refused = { status: 403, reason: "Forbidden" };
  const shard = { apiVersion: "fairlead.io/v1alpha1", kind: "IpamShard" };
  await own.create({ ...shard, metadata: { name: "classes-00" }, spec: { rows: "" } });
  assert.equal((await own.list(shard)).length, 1);
  await assert.rejects(own.remove({ ...shard, name: "classes-00" }), refused);
  await assert.rejects(own.remove(target), refused);
  await assert.rejects(own.list(KINDS.configMap), refused);
  await assert.rejects(own.list({ apiVersion: "v1", kind: "Secret" }), refused);
  await assert.rejects(own.list(KINDS.pod), refused);
});

/** An API server reads rights as its clients do, and knows of new ones a moment later. */
async function untilAllowed(kube: KubeClient): Promise<void> {
  const namespace = "default";
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "LocalSubjectAccessReview",
    metadata: { name: "", namespace },
    spec: {
      user: CONTROLLER_USER,
      resourceAttributes: { verb: "list", resource: "services", namespace },
    },
  };
  let seen: unknown;
  await until(
    async () => {
      ({ status: seen } = await kube.create(review));
      return (seen as { readonly allowed?: boolean }).allowed === true || undefined;
    },
    () => JSON.stringify(seen),
  );
}

for (const user of USERS) {
  const cluster = {
    user: user.options,
    source: "kubernetes",
    controllerFlags: ["--members=endpoints"],
  } as const;
  story(`as ${user.name}: a Service of a cluster is served, and let go`, cluster, async (stage) => {
    const { kube, kubectl } = stage.api();
    const labels = { app: "web" };
    await addReadyNode(kube, "worker1", "10.77.0.21");
    await addReadyPod(kube, { name: "web-1", labels, node: "worker1" }, "10.77.0.21");
    await addReadyPod(kube, { name: "web-2", labels, node: "worker1" }, "10.77.0.22");
    const web = service({ name: "web", members: [], spec: { selector: labels } });
    await kubectl(["apply", "--filename=-"], manifest(web));
    const { address } = await stage.served("default/web");
    const byMember = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
    await kubectl(["delete", "service", "web"]);
    await stage.until("its address is given up", ({ addresses }) =>
      addresses.every(({ state }) => state === "quarantined") ? true : undefined,
    );
    assert.deepEqual(await stage.recorder.heldNow(address), []);
    assert.equal(await kube.get({ ...KINDS.service, name: "web" }), undefined);
  });
}

async function makeCluster(lab: Lab): Promise<ApiHost> {
  const control = await lab.addHost("control", { address: "10.77.0.5/24" });
  return addApiHost(lab, control);
}

async function untilMembers(kube: KubeClient, members: readonly string[]): Promise<void> {
  const labels = "kubernetes.io/service-name=web";
  using slices = await kube.watch(KINDS.endpointSlice, { namespace: "default", labels });
  await slices.until(`the members are ${members.join(" ")}`, (events) =>
    readyMembers(events.at(-1)?.object).join() === members.join() ? true : undefined,
  );
}

interface Endpoint {
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean };
}

function readyMembers(slice: KubeObject | undefined): readonly string[] {
  const endpoints = (slice?.["endpoints"] ?? []) as readonly Endpoint[];
  return endpoints
    .filter(({ conditions }) => conditions?.ready === true)
    .flatMap(({ addresses }) => addresses)
    .toSorted();
}

function isReady(object: KubeObject): boolean {
  const { conditions = [] } = (object["status"] ?? {}) as {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}
