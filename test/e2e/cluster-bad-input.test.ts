// Objects of a real cluster that nobody should have made: each is answered in words, and the
// Service beside them is served as if they were not there.

import assert from "node:assert/strict";

import type { KubeObject } from "@fairlead/testkit";

import { addReadyNode, KINDS } from "./stage/cluster-objects.ts";
import { untilAddresses, untilEvent } from "./stage/cluster-views.ts";
import { HTTP, service } from "./stage/manifests.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

/** Longest name of a Service and of a namespace (RFC 1123). */
const LONG = "n".repeat(63);
/** The API server takes so many bytes of annotations of one object. */
const ANNOTATIONS_BYTES = 256 * 1024;

const CLUSTER = { source: "kubernetes", controllerFlags: ["--members=endpoints"] } as const;

async function create(stage: Stage, ...documents: readonly unknown[]): Promise<void> {
  for (const document of documents) await stage.api().kube.create(document as KubeObject);
}

story(
  "members that would reach the API server or an address of ours are left out",
  CLUSTER,
  async (stage) => {
    const { kube } = stage.api();
    await create(stage, ...service({ name: "web" }));
    const { address } = await stage.served("default/web");
    const [trap] = service({ name: "trap", members: [] });
    const slice = (name: string, one: string, port: number): unknown => ({
      ...KINDS.endpointSlice,
      metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "trap" } },
      addressType: "IPv4",
      ports: [{ name: HTTP.name, protocol: "TCP", port }],
      endpoints: [{ addresses: [one] }],
    });
    const api = await kube.get({ ...KINDS.service, namespace: "default", name: "kubernetes" });
    assert.ok(api !== undefined);
    const { clusterIP } = api["spec"] as { readonly clusterIP: string };
    const traps = [
      slice("to-api", "10.77.0.6", 6443),
      slice("to-cluster-ip", clusterIP, 443),
      slice("to-vip", address, 80),
    ];
    await create(stage, trap, ...traps);
    const remarks = await stage.until("all are named", (list) => {
      const claim = claimOf(list, "default/trap");
      const bad = (claim?.remarks ?? []).filter(({ reason }) => reason === "BadMember");
      return bad.length >= 3 ? bad.map(({ detail }) => detail).join("; ") : undefined;
    });
    assert.match(remarks, /10\.77\.0\.6 port 6443/);
    assert.ok(remarks.includes(`${clusterIP} port 443`), remarks);
    assert.match(remarks, new RegExp(address.replaceAll(".", "\\.")));
    assert.equal(claimOf(await stage.asker.list(), "default/trap")?.members, 0);
    await untilEvent(kube, "trap", "NoMembers");
  },
);

story(
  "addresses of the API server and of nodes are no Service's, whatever pools and wishes say",
  { source: "kubernetes", pools: ["lan=10.77.0.6-10.77.0.8"], balancers: 1 },
  async (stage) => {
    const { kube } = stage.api();
    await addReadyNode(kube, "n1", "10.77.0.7");
    await stage.inSync();
    const wishes = { "to-api": "10.77.0.6", "to-node": "10.77.0.7", web: undefined };
    for (const [name, loadBalancerIP] of Object.entries(wishes)) {
      const spec = loadBalancerIP === undefined ? {} : { loadBalancerIP };
      await create(stage, service({ name, spec })[0]);
    }
    const whyNot = (name: string): Promise<string> =>
      stage.until(`${name} is refused`, (list) => {
        const claim = claimOf(list, `default/${name}`);
        return claim?.main?.reason === "BadAddress" ? claim.main.detail : undefined;
      });
    assert.equal(await whyNot("to-api"), "10.77.0.6 is an address of the API server");
    assert.equal(await whyNot("to-node"), "10.77.0.7 is an address of node n1");
    await untilEvent(kube, "to-node", "BadAddress");
    await untilAddresses(kube, "web", ["10.77.0.8"]);
  },
);

story(
  "Services at the limits of what an API server takes disturb nobody",
  CLUSTER,
  async (stage) => {
    const { kube } = stage.api();
    await create(stage, ...service({ name: "web" }));
    const { address } = await stage.served("default/web");

    const ports = Array.from({ length: 1000 }, (_, index) => ({
      name: `p${index}`,
      port: 1000 + index,
      targetPort: 8080,
    }));
    const many = { allocateLoadBalancerNodePorts: false };
    const [wide] = service({ name: "wide", ports, members: [], spec: many });
    await create(stage, wide);
    await stage.until("a thousand ports are refused", (list) =>
      claimOf(list, "default/wide")?.main?.reason === "TooManyPorts" ? true : undefined,
    );
    await untilEvent(kube, "wide", "TooManyPorts");

    const key = "example.com/notes";
    const annotations = { [key]: "x".repeat(ANNOTATIONS_BYTES - key.length) };
    await create(stage, ...service({ name: "noted", annotations }));
    await stage.served("default/noted");

    await create(stage, { apiVersion: "v1", kind: "Namespace", metadata: { name: LONG } });
    await create(stage, ...service({ name: LONG, namespace: LONG }));
    const long = await stage.served(`${LONG}/${LONG}`);
    await kube.until(
      "the longest names have an address",
      { ...KINDS.service, namespace: LONG, name: LONG },
      (object) =>
        JSON.stringify(object?.["status"] ?? {}).includes(long.address) ? true : undefined,
    );

    await untilAddresses(kube, "web", [address]);
    const byMember = await answers(stage.client, { address, port: 80 });
    assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  },
);
