// Addresses in spec.externalIPs on a real API server: they come and go with what is served, stand
// beside what users wrote, and not where an agent is a node.

import assert from "node:assert/strict";

import type { KubeObject } from "@fairlead/testkit";

import { addReadyNode } from "./stage/cluster-objects.ts";
import { addService, askedByController, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { untilAddresses } from "./stage/cluster-views.ts";
import { present } from "@fairlead/model";
import { story } from "./stage/story.ts";

const USERS = "203.0.113.7";
const FLAGS = [...(CLUSTER.controllerFlags ?? []), "--write-external-ips"];

story(
  "the annotation alone, with members out of endpoints, has nodes followed from then on",
  { ...CLUSTER, balancers: 1 },
  async (stage) => {
    const { cluster, kube } = stage.api();
    const sinceMs = Date.now();
    const nodesAsked = async (): Promise<number> =>
      (await askedByController(cluster, sinceMs)).filter(({ resource }) => resource === "nodes")
        .length;
    await addService(kube, { name: "mail" });
    await untilAddresses(kube, "mail", "some");
    assert.equal(await nodesAsked(), 0, "nobody has to know where nodes are");
    await addService(kube, { name: "web", annotations: { "fairlead.io/external-ips": "true" } });
    const { addresses } = await untilAddresses(kube, "web", "some");
    const untilShown = (wanted: readonly string[]): Promise<unknown> =>
      kube.until(
        `externalIPs are ${wanted.join()}`,
        serviceTarget("web"),
        (object) => externalIPs(object).join() === wanted.join() || undefined,
      );
    await untilShown(addresses);
    await addReadyNode(kube, "lb1", "10.77.0.11");
    await untilShown([]);
  },
);

story(
  "addresses stand in spec.externalIPs beside a user's, and not on nodes",
  { ...CLUSTER, controllerFlags: FLAGS, balancers: 1 },
  async (stage) => {
    const { kube } = stage.api();
    const shows = async (wanted: readonly string[]): Promise<void> => {
      await kube.until(
        `externalIPs are ${wanted.join()}`,
        serviceTarget("web"),
        (object) => externalIPs(object).join() === wanted.join() || undefined,
      );
    };
    await addService(kube, { name: "web", spec: { externalIPs: [USERS] } });
    const { addresses } = await untilAddresses(kube, "web", "some");
    const address = present(addresses[0], "it has an address");
    await shows([USERS, address]);

    const annotate = (text: string): Promise<KubeObject> =>
      kube.patch(
        serviceTarget("web"),
        { metadata: { annotations: { "fairlead.io/external-ips": text } } },
        { type: "merge" },
      );
    await annotate("false");
    await shows([USERS]);
    await annotate("true");
    await shows([USERS, address]);

    await addReadyNode(kube, "lb1", "10.77.0.11");
    await shows([USERS]);
    const refusal = await stage.until("it is said why", (list) =>
      list.findings.find(({ remark }) => remark?.reason === "ExternalIPsRefused"),
    );
    assert.match(refusal.remark?.detail ?? "", /agent lb1 runs on the node 10\.77\.0\.11/);
    await untilAddresses(kube, "web", [address]);
  },
);

function externalIPs(object: KubeObject | undefined): readonly string[] {
  const spec = object?.["spec"] as { readonly externalIPs?: readonly string[] } | undefined;
  return spec?.externalIPs ?? [];
}
