// A cluster of some size that never rests: 100 nodes, 1 000 Services, 3 000 pods that come and go,
// played by kwok. The real source follows it, and looks again at names all the while: what it
// says must be what the API server says, and no second look may find what a watch did not show.

import assert from "node:assert/strict";
import { Agent } from "node:https";
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

const NODES = 100;
const SERVICES = 1000;
const PODS_EACH = 3;
/** Pods that are deleted and made anew while the source looks on. */
const RESTARTS = 600;
const AT_ONCE = 16;
const SETTLE_MS_MAX = 180_000;
/** A second look comes this often, beside the one 31 s after the first list. */
const LOOK_MS = 4000;

const TRANSLATE: KubeSourceOptions["settings"] = {
  defaultClass: true,
  classes: ["fairlead.io/agents"],
  members: "endpoints",
  nodeSelector: {},
  ownFieldManager: "fairlead-status",
  isShared: true,
};

test("among 3 000 pods that come and go no second look finds a difference", async () => {
  await using cluster = await startCluster({ programs: clusterPrograms() });
  await startKwok(cluster, { program: toolPath("kwok") });
  const kube = createKubeClient(cluster.connect());
  await using followed = follow(cluster);
  await each(NODES, async (index) => void (await kube.create(node(`worker${index}`))));
  await each(SERVICES, async (index) => {
    await kube.create(service(index));
    for (let one = 0; one < PODS_EACH; one += 1) await kube.create(podOf(index, one, 0));
  });
  await followed.untilMembers(SERVICES * PODS_EACH, "all pods are members");

  await each(RESTARTS, async (step) => {
    const [index, one] = [(step * 7) % SERVICES, step % PODS_EACH];
    await kube.remove({ ...KINDS.pod, name: podOf(index, one, 0).metadata.name });
    await kube.create(podOf(index, one, 1));
  });
  await followed.untilLooks(3);
  await followed.untilMembers(SERVICES * PODS_EACH, "all pods are members again");
  assert.deepEqual(await membersIn(kube), followed.members(), "as the API server says");
  for (const [kind, { differences, failures }] of followed.counts()) {
    assert.deepEqual({ kind, differences, failures }, { kind, differences: 0, failures: 0 });
  }
});

interface Followed extends AsyncDisposable {
  /** `default/s1 10.244.0.7:8080`, sorted. */
  members(): readonly string[];
  untilMembers(count: number, what: string): Promise<void>;
  /** Waits for further whole lists or looks of Services. */
  untilLooks(count: number): Promise<void>;
  counts: ReturnType<typeof createKubeSource>["counts"];
}

/** The source in this process, and what its facts add up to. */
function follow(cluster: Cluster): Followed {
  const clock = createSystemClock();
  const credentials = cluster.credentialsOf("admin");
  assert.ok(credentials.kind === "token");
  const agent = new Agent({ keepAlive: true, ca: cluster.caPem });
  const headers = { Authorization: `Bearer ${credentials.token}` };
  const access = { server: cluster.server, requestOptions: async () => ({ agent, headers }) };
  const client = createClient({ access, clock, userAgent: "fairlead-test" });
  const { random } = Math;
  const settings = TRANSLATE;
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
  let looks = 0;
  let wake = Promise.withResolvers<void>();
  const emit = (facts: readonly Fact[]): void => {
    for (const fact of facts) {
      if (fact.kind === "claim-seen") claims.set(fact.claim.id, fact.claim);
      else if (fact.kind === "claim-gone") claims.delete(fact.id);
      else if (fact.kind === "source-listed") looks += 1;
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
      const wanted = looks + count;
      await until(`${count} more looks`, () => looks >= wanted);
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
      allocateLoadBalancerNodePorts: false,
      selector: { app: `s${index}` },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  };
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
