// Addresses in spec.externalIPs on a real API server: they come and go with what is served, stand
// beside what users wrote, and not where an agent is a node or the API server denies them.

import assert from "node:assert/strict";

import { test } from "node:test";

import { createLab, type RunningProgram } from "@fairlead/lab";
import type { KubeClient, KubeObject } from "@fairlead/testkit";

import { addApiHost, KUBECONFIG } from "./stage/api-host.ts";
import type { RemarkJson } from "./stage/asker.ts";
import { addReadyNode } from "./stage/cluster-objects.ts";
import { addService, askedByController, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses, untilEvent } from "./stage/cluster-views.ts";
import { makeOneHost, startRun } from "./stage/one-host.ts";
import { POOL } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const USERS = "203.0.113.7";
/** The annotation by which a Service asks for it, and the one by which we know what is ours. */
const ASKS = "fairlead.io/external-ips";
const NOTE = "fairlead.io/written-external-ips";
/** A start that finds everything as it was is soon ready. */
const SERVED_MS_MAX = 20_000;
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
    await addService(kube, { name: "web", annotations: { [ASKS]: "true" } });
    const { addresses } = await untilAddresses(kube, "web", "some");
    await untilExternal(kube, "web", addresses);
    await addReadyNode(kube, "lb1", "10.77.0.11");
    await untilExternal(kube, "web", []);
  },
);

story(
  "addresses stand in spec.externalIPs beside a user's, and not on nodes",
  { ...CLUSTER, controllerFlags: FLAGS, balancers: 1 },
  async (stage) => {
    const { kube } = stage.api();
    await addService(kube, { name: "web", spec: { externalIPs: [USERS] } });
    const { addresses } = await untilAddresses(kube, "web", "some");
    await untilExternal(kube, "web", [USERS, ...addresses]);

    await annotate(kube, "web", "false");
    await untilExternal(kube, "web", [USERS]);
    await annotate(kube, "web", "true");
    await untilExternal(kube, "web", [USERS, ...addresses]);

    await addReadyNode(kube, "lb1", "10.77.0.11");
    await untilExternal(kube, "web", [USERS]);
    const refusal = await stage.until("it is said why", (list) =>
      list.findings.find(({ remark }) => remark?.reason === "ExternalIPsRefused"),
    );
    assert.match(refusal.remark?.detail ?? "", /agent lb1 runs on the node 10\.77\.0\.11/);
    await untilEvent(kube, "web", "ExternalIPsRefused");
    await untilAddresses(kube, "web", addresses);
  },
);

story(
  "entries outlive the controller, and go when the Service does not ask any more",
  { ...CLUSTER, balancers: 1 },
  async (stage) => {
    const { kube } = stage.api();
    const [web = "", mail = "", dns = ""] = await makeAsking(kube, ["web", "mail", "dns"]);
    await stage.controller.stop();
    const left = await kube.get(serviceTarget("web"));
    assert.deepEqual(externalIPs(left), [USERS, web], "agents serve on, and clients come by it");
    await close(kube, "dns");
    await stage.controller.start();
    await isLetGo(kube, "dns");

    await annotate(kube, "web", null);
    const bare = await untilExternal(kube, "web", [USERS]);
    assert.equal(bare.metadata.annotations?.[NOTE], undefined);
    await untilAddresses(kube, "web", [web]);
    await close(kube, "mail");
    await isLetGo(kube, "mail");
    assert.equal(new Set([web, mail, dns]).size, 3);
  },
);

story(
  "an API server that denies external IPs is asked once, told of, and the Services serve on",
  {
    ...CLUSTER,
    controllerFlags: FLAGS,
    balancers: 1,
    apiserverFlags: ["--enable-admission-plugins=DenyServiceExternalIPs"],
  },
  async (stage) => {
    const { cluster, kube } = stage.api();
    await addService(kube, { name: "web" });
    const { addresses } = await untilAddresses(kube, "web", "some");
    const [address = ""] = addresses;
    const untilSaid = async (name: string): Promise<RemarkJson> =>
      stage.until(`it is said of ${name}`, ({ findings }) => {
        const [found] = findings.flatMap(({ remark }) => remark ?? []);
        return found?.detail.includes(`"${name}"`) === true ? found : undefined;
      });
    const { reason, code, detail, remedy } = await untilSaid("web");
    assert.deepEqual([reason, code], ["PublishFailed", "FL0308"]);
    assert.match(detail, /use of external IPs is denied by admission control/i);
    assert.match(remedy, /correct what refuses the write/);
    await untilEvent(kube, "web", "ExternalIPsRefused");
    await answers(stage.client, { address, port: 80 }, 1);

    // Each of these has the Service looked at again.
    for (const port of [81, 82, 83]) {
      const ports = [{ name: "http", port, targetPort: 8080 }];
      await kube.patch(serviceTarget("web"), { spec: { ports } });
      await answers(stage.client, { address, port }, 1);
      await kube.patch(serviceTarget("web"), { metadata: { labels: { at: String(port) } } });
    }
    await addService(kube, { name: "dns" });
    await untilAddresses(kube, "dns", "some");
    await untilSaid("dns");
    const denied = (await askedByController(cluster)).filter(({ status }) => status === 403);
    assert.deepEqual(
      denied.map(({ name }) => name),
      ["web", "dns"],
      "each is asked for once",
    );
    await untilAddresses(kube, "web", [address]);

    for (const name of ["web", "dns"]) await annotate(kube, name, "false");
    await stage.until("nothing is amiss", ({ findings }) =>
      findings.length === 0 ? true : undefined,
    );
  },
);

test("fairlead run takes its entries out when it ends, says what it could not, and keeps a user's", async () => {
  await using lab = await createLab();
  const { host } = await makeOneHost(lab, (last) => ({
    address: `10.77.0.${last}/24`,
    gateway: "10.77.0.1",
  }));
  const { cluster, kube } = await addApiHost(lab, host);
  const start = (): Promise<RunningProgram> =>
    startRun(
      host,
      ["--link=eth0", `--pool=${POOL}`, "--members=endpoints", "--write-external-ips"],
      `--kubeconfig=${KUBECONFIG}`,
    );
  const first = await start();
  await addService(kube, { name: "web", spec: { externalIPs: [USERS] } });
  const { addresses } = await untilAddresses(kube, "web", "some");
  await untilExternal(kube, "web", [USERS, ...addresses]);
  await endsWell(first);
  await isBare(kube, addresses);

  const second = await start();
  await untilExternal(kube, "web", [USERS, ...addresses]);
  await cluster.apiserver.kill();
  const said = await endsWell(second);
  assert.match(
    said,
    /could not take addresses out of spec\.externalIPs.*default\/web 10\.77\.0\.100/,
  );
  await cluster.apiserver.start();
  await untilExternal(kube, "web", [USERS, ...addresses]);

  const third = await start();
  await third.waitForLine(/ready claim=default\/web addresses=/, SERVED_MS_MAX);
  await endsWell(third);
  await isBare(kube, addresses);
});

/** The status keeps its address, which stays held for it. */
async function isBare(kube: KubeClient, addresses: readonly string[]): Promise<void> {
  const web = await kube.get(serviceTarget("web"));
  assert.deepEqual(externalIPs(web), [USERS]);
  assert.equal(web?.metadata.annotations?.[NOTE], undefined);
  assert.deepEqual(statusOf(web)?.addresses, addresses);
}

/** Ends it by SIGTERM; gives what it said. */
async function endsWell(running: RunningProgram): Promise<string> {
  const { code, forced } = await running.stop("SIGTERM", 20_000);
  assert.deepEqual([code, forced], [0, false], running.output());
  return running.output();
}

/** Makes Services that ask by the annotation, beside a user's entry; gives their addresses. */
async function makeAsking(kube: KubeClient, names: readonly string[]): Promise<readonly string[]> {
  const asked: string[] = [];
  for (const name of names) {
    const annotations = { [ASKS]: "true" };
    await addService(kube, { name, annotations, spec: { externalIPs: [USERS] } });
    const { addresses } = await untilAddresses(kube, name, "some");
    await untilExternal(kube, name, [USERS, ...addresses]);
    asked.push(...addresses);
  }
  return asked;
}

/** It is no load balancer any more. */
async function close(kube: KubeClient, name: string): Promise<void> {
  await kube.patch(serviceTarget(name), { spec: { type: "ClusterIP" } });
}

/** Nothing of ours is left on it when our finalizer goes. */
async function isLetGo(kube: KubeClient, name: string): Promise<void> {
  const left = await kube.until(`${name} is let go`, serviceTarget(name), (object) =>
    statusOf(object)?.finalizers.length === 0 ? object : undefined,
  );
  assert.deepEqual(externalIPs(left), [USERS]);
  assert.equal(left.metadata.annotations?.[NOTE], undefined);
}

/** Sets the annotation, or takes it away. */
async function annotate(kube: KubeClient, name: string, text: string | null): Promise<void> {
  await kube.patch(serviceTarget(name), { metadata: { annotations: { [ASKS]: text } } });
}

/** Waits until exactly these stand there, in this order. */
function untilExternal(
  kube: KubeClient,
  name: string,
  wanted: readonly string[],
): Promise<KubeObject> {
  return kube.until(`externalIPs are ${wanted.join()}`, serviceTarget(name), (object) =>
    externalIPs(object).join() === wanted.join() ? object : undefined,
  );
}

function externalIPs(object: KubeObject | undefined): readonly string[] {
  const spec = object?.["spec"] as { readonly externalIPs?: readonly string[] } | undefined;
  return spec?.externalIPs ?? [];
}
