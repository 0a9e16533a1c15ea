// A cluster of some size that never rests, played by kwok: 100 nodes and more, 1 000 Services and
// 3 000 pods, of all of which some come and go. The real source follows it twice, with members out
// of endpoints and out of nodes, and looks again at names all the while: what it says must be what
// the API server says, and no second look may find what a watch did not show. A real controller
// gives the Services addresses meanwhile, and loses none. And a Deployment that is scaled.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import {
  createKubeClient as createClient,
  createKubeSource,
  type Fact,
  type KubeSourceOptions,
} from "@fairlead/controller";
import { type Cluster, monotonicMs, startCluster, startKwok } from "@fairlead/lab";
import type { Claim } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { createKubeClient, type KubeClient, type KubeObject } from "@fairlead/testkit";

import { toolPath } from "../tools/tool-path.ts";
import { clusterPrograms } from "./stage/api-host.ts";
import { KINDS, node, pod } from "./stage/cluster-objects.ts";
import {
  addressesShown,
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
} from "./stage/cluster-traces.ts";
import { type ServiceStatus, statusOf, untilGone } from "./stage/cluster-views.ts";
import { heldBy } from "./stage/held-rows.ts";
import { type Document, manifest } from "./stage/manifests.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { claimOf, program, type Stage } from "./stage/stage.ts";
import { readLeases } from "./stage/stored-leases.ts";
import { story } from "./stage/story.ts";
import { goneWords, toldBy, toldWords } from "./stage/told-words.ts";
import { answers, visit } from "./stage/visitor.ts";

const NODES = 100;
const SERVICES = 1000;
const PODS_EACH = 3;
/** Pods that are deleted and made anew while the source looks on. */
const RESTARTS = 600;
/** Pods that are deleted before, and nothing comes in their place. */
const LEAVING = 200;
/** Services that are deleted for good, and as many that are made, all with their pods there. */
const GOING = 32;
/** Services that are deleted and made again under their names. */
const REMADE = 24;
/** Nodes without pods. */
const EDGES = 20;
/** So many of them are made anew with another address, and as many leave. */
const EDGES_CHANGED = 5;
/** Services that are reached by way of nodes too. */
const NODE_PORTS = 10;
const AT_ONCE = 16;
const SETTLE_MS_MAX = 180_000;
/** A second look comes this often, beside the one 31 s after the first list. */
const LOOK_MS = 4000;

/** Has room for all of them, and for those that rest. */
const POOL = "lan=10.80.0.0-10.80.7.255";

const TRANSLATE: Omit<KubeSourceOptions["settings"], "members"> = {
  defaultClass: true,
  classes: ["fairlead.io/agents"],
  nodeSelector: {},
  ownFieldManager: "fairlead-status",
  isShared: true,
};

test("among Services, pods and nodes that come and go no second look finds a difference", async () => {
  await using cluster = await startCluster({ programs: clusterPrograms() });
  await startKwok(cluster, { program: toolPath("kwok") });
  const kube = createKubeClient(cluster.connect());
  await using controller = await startController(cluster);
  await using byPods = follow(cluster, "endpoints");
  await using byNodes = follow(cluster, "nodes");
  await each(NODES, async (index) => void (await kube.create(nodeAt(`worker${index}`, index))));
  await each(EDGES, async (index) => void (await kube.create(edge(index, 0))));
  const addWithPods = async (index: number): Promise<void> => {
    await kube.create(service(index));
    for (let one = 0; one < PODS_EACH; one += 1) await kube.create(podOf(index, one, 0));
  };
  await each(SERVICES, addWithPods);
  await byPods.untilMembers(SERVICES * PODS_EACH, "all pods are members");
  await byNodes.untilMembers((NODES + EDGES) * NODE_PORTS, "all nodes are members");

  await each(LEAVING, async (step) => {
    await kube.remove({ ...KINDS.pod, name: stepPod(RESTARTS + step, 0).metadata.name });
  });
  const restarts = each(RESTARTS, async (step) => {
    await kube.remove({ ...KINDS.pod, name: stepPod(step, 0).metadata.name });
    await kube.create(stepPod(step, 1));
  });
  const changes = each(EDGES_CHANGED, async (index) => {
    await kube.remove({ ...KINDS.node, name: edge(index, 0).metadata.name });
    await kube.create(edge(index, 1));
    await kube.remove({ ...KINDS.node, name: edge(EDGES_CHANGED + index, 0).metadata.name });
  });
  const going = each(GOING, async (step) => {
    await kube.remove({ ...KINDS.service, name: goingName(step) });
    await addWithPods(SERVICES + step);
  });
  const remade = each(REMADE, async (step) => {
    const name = goingName(GOING + step);
    await kube.remove({ ...KINDS.service, name });
    await untilGone(kube, name);
    await kube.create(service(goingIndex(GOING + step)));
  });
  await Promise.all([restarts, changes, going, remade]);
  await Promise.all([byPods.untilLooks(3), byNodes.untilLooks(3)]);
  await byPods.untilMembers(SERVICES * PODS_EACH - LEAVING, "all but those that left are members");
  const nodesLeft = NODES + EDGES - EDGES_CHANGED;
  await byNodes.untilMembers(nodesLeft * NODE_PORTS, "the nodes that are there are members");
  assert.deepEqual(byPods.members(), await membersIn(kube), "as the API server says");
  assert.deepEqual(byNodes.members(), await nodeMembersIn(kube), "as the API server says");
  const counts = [...byPods.counts(), ...byNodes.counts()];
  const kinds = counts.filter(([, { isSynced }]) => isSynced).map(([kind]) => kind);
  assert.deepEqual(kinds, ["services", "endpointslices", "services", "nodes"]);
  for (const [kind, { differences, failures }] of counts) {
    assert.deepEqual({ kind, differences, failures }, { kind, differences: 0, failures: 0 });
  }
  await areHeldOnce(controller, await serviceNames(kube));
});

story("a Deployment is scaled to zero and back under its Service", CLUSTER, async (stage) => {
  const { cluster, kube, kubectl } = stage.api();
  // Pods get the addresses behind this one, which are those of the members: they answer.
  await startKwok(cluster, { program: toolPath("kwok"), podRange: "10.77.0.20/24" });
  await kube.create(node("worker"));
  using seen = await kube.watch(KINDS.service, { namespace: "default" });
  const labels = { app: "web" };
  await kubectl(["apply", "--filename=-"], manifest([deployment("web", labels)]));
  const scale = (replicas: number): Promise<string> =>
    kubectl(["scale", "deployment", "web", `--replicas=${replicas}`]);
  const web = await addService(kube, { name: "web", members: [], spec: { selector: labels } });
  const { address } = await stage.served("default/web");
  const untilSaid = (condition: string): Promise<ServiceStatus> =>
    kube.until(`its status says ${condition}`, serviceTarget("web"), (object) => {
      const status = statusOf(object);
      return status?.conditions.includes(condition) === true ? status : undefined;
    });
  const untilMembers = (count: number): Promise<true> =>
    stage.until(`it has ${count} members`, (list) =>
      claimOf(list, "default/web")?.members === count ? true : undefined,
    );
  await untilSaid("MembersReady True Ready");
  await scale(2);
  await untilMembers(2);
  assert.deepEqual(await answering(stage, address), ["member1", "member2"]);

  await scale(0);
  const { addresses } = await untilSaid("MembersReady False NoMembers");
  assert.deepEqual(addresses, [address], "the address stays");
  await untilMembers(0);
  await stage.inSync();
  assert.deepEqual(Object.values(await visit(stage.client, [`${address}:80`])), [null]);

  await scale(2);
  await untilSaid("MembersReady True Ready");
  await untilMembers(2);
  assert.deepEqual(await answering(stage, address), ["member1", "member2"]);
  assert.deepEqual(addressesShown(seen, web), [address], "one, the same all the time");
  assert.equal(await timesTold(kube, web, "AddressAllocated"), 1);
  assert.equal(await timesTold(kube, web, "AddressReleased"), 0);
});

/** A Deployment of one pod, on the one node: there is no scheduler. */
function deployment(name: string, labels: Readonly<Record<string, string>>): Document {
  const { spec } = pod({ name, labels, node: "worker" });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  };
}

/** Who answers, once every host does as it was told. */
async function answering(stage: Stage, address: string): Promise<readonly string[]> {
  await stage.inSync();
  return Object.keys(await answers(stage.client, { address, port: 80 }));
}

/** A controller, and the file in which it keeps leases. */
interface Allotting extends AsyncDisposable {
  readonly spoken: SpokenProgram;
  readonly file: string;
}

/** Starts one that follows the cluster too, and has no agents. */
async function startController(cluster: Cluster): Promise<Allotting> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-kwok-"));
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, cluster.adminKubeconfig());
  const ports = ["admin", "agents", "metrics", "rest"];
  const spoken = startSpoken(program("fairlead-controller"), [
    ...ports.map((name) => `--listen-${name}=127.0.0.1:0`),
    `--kubeconfig=${kubeconfig}`,
    "--members=endpoints",
    `--state-dir=${join(folder, "state")}`,
    `--pool=${POOL}`,
    "--insecure",
  ]);
  await spoken.until(/ serves /);
  return {
    spoken,
    file: join(folder, "state", "store.db"),
    [Symbol.asyncDispose]: async () => {
      await spoken[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each Service has one address, and has had no other; nobody else has one. */
async function areHeldOnce(
  { spoken, file }: Allotting,
  services: readonly string[],
): Promise<void> {
  for (let step = 0; step < GOING + REMADE; step += 1) {
    await spoken.until(goneWords(goingName(step)));
  }
  for (const name of services) await spoken.until(toldWords(name));
  spoken.kill("SIGTERM");
  assert.equal(await spoken.exit, 0, spoken.complaints());
  const rows = readLeases(file);
  const held = heldBy(rows);
  assert.deepEqual([...held.keys()].toSorted(), services);
  const resting = rows.filter(({ state }) => state.kind === "quarantined");
  assert.equal(rows.length, held.size + resting.length, "no address is held for nobody");
  const told = Map.groupBy(toldBy(spoken), ({ name }) => name);
  for (const [name, times] of told) {
    const addresses = new Set(times.map(({ address }) => address));
    assert.equal(addresses.size, 1, `${name} was told of ${[...addresses].join()}`);
  }
  assert.equal(told.size, SERVICES + GOING);
}

async function serviceNames(kube: KubeClient): Promise<readonly string[]> {
  const services = await kube.list(KINDS.service, { namespace: "default" });
  const names = services.map(({ metadata }) => metadata.name);
  return names.filter((name) => name !== "kubernetes").toSorted();
}

interface Followed extends AsyncDisposable {
  /** `default/s1 10.244.0.7:8080`, sorted. */
  members(): readonly string[];
  untilMembers(count: number, what: string): Promise<void>;
  /** Waits until each kind was looked at again so often. */
  untilLooks(count: number): Promise<void>;
  counts: ReturnType<typeof createKubeSource>["counts"];
}

/** Whole looks at names so far, by the path of the kind. */
type Looks = Map<string, number>;

/** A client of the cluster, as the controller has it. */
function connect(cluster: Cluster, agent: Agent, looks: Looks): KubeSourceOptions["client"] {
  const credentials = cluster.credentialsOf("admin");
  assert.ok(credentials.kind === "token");
  const headers = { Authorization: `Bearer ${credentials.token}` };
  const access = { server: cluster.server, requestOptions: async () => ({ agent, headers }) };
  const client = createClient({ access, clock: createSystemClock(), userAgent: "fairlead-test" });
  return {
    ...client,
    request: async (request, signal) => {
      const answer = await client.request(request, signal);
      const { path, accept = "" } = request;
      const { metadata } = answer as { readonly metadata?: { readonly continue?: string } };
      const isLast = (metadata?.continue ?? "") === "";
      if (accept.includes("as=PartialObjectMetadataList") && isLast) {
        looks.set(path, (looks.get(path) ?? 0) + 1);
      }
      return answer;
    },
  };
}

/** The source in this process, and what its facts add up to. */
function follow(cluster: Cluster, membersFrom: "endpoints" | "nodes"): Followed {
  const clock = createSystemClock();
  const agent = new Agent({ keepAlive: true, ca: cluster.caPem });
  const looks: Looks = new Map();
  const client = connect(cluster, agent, looks);
  const { random } = Math;
  const settings = { ...TRANSLATE, members: membersFrom };
  const source = createKubeSource({
    client,
    clock,
    random,
    settings,
    cluster: "lab",
    lookMs: LOOK_MS,
    lookUp: async () => [],
  });
  const claims = new Map<string, Claim>();
  let wake = Promise.withResolvers<void>();
  const emit = (facts: readonly Fact[]): void => {
    for (const fact of facts) {
      if (fact.kind === "claim-seen") claims.set(fact.claim.id, fact.claim);
      else if (fact.kind === "claim-gone") claims.delete(fact.id);
    }
    wake.resolve();
    wake = Promise.withResolvers();
  };
  const started = source.start(emit);
  started.catch(() => undefined);
  const members = (): readonly string[] =>
    [...claims.values()]
      .flatMap(({ namespace, name, listeners }) =>
        listeners.flatMap((listener) =>
          listener.members
            .filter(({ state }) => state === "active")
            .map(({ address, port }) => `${namespace}/${name} ${address}:${port}`),
        ),
      )
      .toSorted();
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    const endMs = monotonicMs() + SETTLE_MS_MAX;
    while (!isSo()) {
      const leftMs = endMs - monotonicMs();
      const seen = `${claims.size} Services, ${members().length} members`;
      if (leftMs <= 0) throw new Error(`waited in vain until ${what}; last seen: ${seen}`);
      await Promise.race([wake.promise, clock.sleep(Math.min(leftMs, 1000))]);
    }
  };
  return {
    members,
    untilMembers: (count, what) => until(what, () => members().length === count),
    untilLooks: async (count) => {
      const before = new Map(looks);
      const isLooked = ([path, now]: readonly [string, number]): boolean =>
        now - (before.get(path) ?? 0) >= count;
      await until(
        `${count} more looks at each kind`,
        () => looks.size === 2 && [...looks].every(isLooked),
      );
    },
    counts: () => source.counts(),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      agent.destroy();
    },
  };
}

/** Members as the slices have them. */
async function membersIn(kube: KubeClient): Promise<readonly string[]> {
  const slices = await kube.list(KINDS.endpointSlice, { namespace: "default" });
  return slices
    .map((slice) => slice as KubeObject & Slice)
    .filter(({ metadata }) => metadata.labels?.[LABEL]?.startsWith("s") === true)
    .flatMap(({ metadata, endpoints, ports }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap(({ addresses }) =>
          addresses.map((one) => `default/${metadata.labels?.[LABEL]} ${one}:${ports?.[0]?.port}`),
        ),
    )
    .toSorted();
}

/** Members as the nodes and the NodePorts have them. */
async function nodeMembersIn(kube: KubeClient): Promise<readonly string[]> {
  const services = await kube.list(KINDS.service, { namespace: "default" });
  const nodes = (await kube.list(KINDS.node)).map((one) => one as KubeObject & NodeStatus);
  const addresses = nodes.map(({ status }) => status.addresses[0]?.address);
  return services
    .map((object) => object as KubeObject & Ports)
    .flatMap(({ metadata, spec }) => {
      const { nodePort } = spec.ports[0] ?? {};
      if (nodePort === undefined) return [];
      return addresses.map((address) => `default/${metadata.name} ${address}:${nodePort}`);
    })
    .toSorted();
}

interface Ports {
  readonly spec: { readonly ports: readonly { readonly nodePort?: number }[] };
}

interface NodeStatus {
  readonly status: { readonly addresses: readonly { readonly address: string }[] };
}

const LABEL = "kubernetes.io/service-name";

interface Slice {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
  readonly ports?: readonly { readonly port?: number }[];
}

function service(index: number): KubeObject {
  return {
    ...KINDS.service,
    metadata: { name: `s${index}` },
    spec: {
      type: "LoadBalancer",
      allocateLoadBalancerNodePorts: index < NODE_PORTS,
      selector: { app: `s${index}` },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  };
}

/** A node with an address of its own. */
function nodeAt(name: string, number: number): KubeObject {
  const addresses = [{ type: "InternalIP", address: `10.243.1.${number}` }];
  return { ...node(name), status: { addresses } };
}

function edge(index: number, life: number): KubeObject {
  return nodeAt(`edge${index}`, NODES + index + life * EDGES);
}

/** The pod of a step; no two steps have the same one, nor one of the same Service. */
function stepPod(step: number, life: number): KubeObject {
  return podOf(stepIndex(step), step % PODS_EACH, life);
}

/** A Service of which no pod comes or goes, and that is reached by way of no nodes. */
function goingIndex(step: number): number {
  return stepIndex(RESTARTS + LEAVING + step);
}

function goingName(step: number): string {
  return service(goingIndex(step)).metadata.name;
}

function stepIndex(step: number): number {
  return (step * 7) % SERVICES;
}

function podOf(index: number, one: number, life: number): KubeObject {
  const name = `s${index}-${one}-${life}`;
  return pod({ name, labels: { app: `s${index}` }, node: `worker${index % NODES}` });
}

/** Calls `work` for 0 to count - 1, some at a time. */
async function each(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
