// Rights that are taken from the controller while it runs, and given back: what is served is served
// on, the right is named with the command that grants it, the API server is not stormed, and what
// is owed is written in the end.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";
import type { KubeClient, KubeObject, KubeTarget } from "@fairlead/testkit";

import type { RemarkJson } from "./stage/asker.ts";
import { KINDS } from "./stage/cluster-objects.ts";
import {
  addService,
  askedByController,
  CLUSTER,
  serviceTarget,
  untilTold,
} from "./stage/cluster-traces.ts";
import { FINALIZER, statusOf, untilAddresses, untilCounted } from "./stage/cluster-views.ts";
import { MEMBERS } from "./stage/manifests.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { AGAIN_MS_MAX, nobodyNoticed, untilWell } from "./stage/untroubled.ts";
import { visit } from "./stage/visitor.ts";

const ROLE: KubeTarget = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  name: "fairlead-controller",
};
/** A right is missing for so long, so that a storm would show. */
const MISSING_MS = 10_000;
/** So many Services owe an Event each. */
const MANY = 8;

interface Rule {
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

story("rights to write are taken away, and given back", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  await addService(kube, { name: "web" });
  const { address } = await stage.served("default/web");
  await untilAddresses(kube, "web", [address]);
  await using probe = await startProbe(stage.client, { address, port: 80, durationMs: 115_000 });
  await probe.waitForAnswer(5_000);
  const missing = (ms = MISSING_MS): Promise<unknown> =>
    probe.waitForAnswer(ms + 5_000, monotonicMs() + ms);

  await without(stage, { resources: ["services/status"], verbs: ["patch"] }, async () => {
    await addService(kube, { name: "a" });
    const found = await untilNamed(stage, "kubernetes patch services/status");
    assert.match(found.detail, /add verb patch on services\/status to the user's ClusterRole/);
    assert.match(found.detail, /kubectl create clusterrolebinding .* --user=fairlead/);
    const a = await stage.served("default/a");
    await answersAt(stage, a.address);
    await missing();
    assert.deepEqual(statusOf(await kube.get(serviceTarget("a")))?.addresses, []);
  });
  await untilAddresses(kube, "a", [(await stage.served("default/a")).address], AGAIN_MS_MAX);
  await untilWell(stage);

  await without(stage, { resources: ["services"], verbs: ["patch"] }, async () => {
    await addService(kube, { name: "b" });
    const found = await untilNamed(stage, "kubernetes patch services");
    assert.match(found.detail, /--verb=patch --resource=services;/);
    const b = await stage.served("default/b");
    await answersAt(stage, b.address);
    await missing();
    const status = statusOf(await kube.get(serviceTarget("b")));
    assert.deepEqual(status?.addresses, [], "no address is shown that nothing keeps");
  });
  const b = await stage.served("default/b");
  const { finalizers } = await untilAddresses(kube, "b", [b.address], AGAIN_MS_MAX);
  assert.deepEqual(finalizers, [FINALIZER]);
  await untilWell(stage);

  const objects: KubeObject[] = [];
  await untilCounted(kube, "a", { reason: "AddressAllocated", times: 1 });
  await without(stage, { resources: ["events"], verbs: ["create", "patch"] }, async () => {
    for (let made = 0; made < MANY; made += 1) {
      objects.push(await addService(kube, { name: `c${made}` }));
    }
    const found = await untilNamed(stage, "kubernetes create events.events.k8s.io");
    assert.match(found.detail, /--verb=create --resource=events\.events\.k8s\.io;/);
    // What was told of it once happens again, and is counted where it was told.
    await kube.patch(serviceTarget("a"), { spec: { type: "ClusterIP" } });
    // The API server empties such a status itself: that says nothing of what the controller saw.
    await stage.until("a is let go", (list) =>
      claimOf(list, "default/a") === undefined ? true : undefined,
    );
    await kube.patch(serviceTarget("a"), { spec: { type: "LoadBalancer" } });
    await untilAddresses(kube, "a", "some");
    const uncounted = await untilNamed(stage, "kubernetes patch events.events.k8s.io");
    assert.match(uncounted.detail, /--verb=patch --resource=events\.events\.k8s\.io;/);
    await missing(2 * MISSING_MS);
  });
  for (const object of objects) {
    await untilTold(kube, object, { reason: "AddressAllocated", ms: AGAIN_MS_MAX });
  }
  await untilCounted(kube, "a", { reason: "AddressAllocated", times: 2, ms: AGAIN_MS_MAX });
  await untilWell(stage);
  nobodyNoticed(await probe.stop());
});

story("rights to read are taken away, and given back", CLUSTER, async (stage) => {
  const { cluster, kube } = stage.api();
  await addService(kube, { name: "web" });
  const { address } = await stage.served("default/web");
  await untilAddresses(kube, "web", [address]);
  await using probe = await startProbe(stage.client, { address, port: 80, durationMs: 115_000 });
  await probe.waitForAnswer(5_000);

  const read = { resources: ["services", "endpointslices"], verbs: ["list", "watch"] };
  await without(stage, read, async () => {
    // Who watches already is not asked again for its right.
    await cluster.apiserver.kill();
    await cluster.apiserver.start();
    await addService(kube, { name: "later" });
    const one = { endpoints: MEMBERS.slice(0, 1).map((member) => ({ addresses: [member] })) };
    await kube.patch({ ...KINDS.endpointSlice, name: "web-ipv4" }, one);
    for (const kind of ["services", "endpointslices"]) {
      const found = await stage.until(`the right to ${kind} is named`, ({ findings }) => {
        const remark = findings.find(({ name }) => name === `kubernetes ${kind}`)?.remark;
        return remark?.detail.includes("cannot list") === true ? remark : undefined;
      });
      assert.match(found.detail, new RegExp(`--verb=get,list,watch --resource=${kind}`));
      assert.match(found.detail, /what it last showed stays in force/);
      const { stdout } = await stage.fairlead("status");
      assert.match(stdout, new RegExp(`User "fairlead" cannot list resource "${kind}"`));
    }
    await probe.waitForAnswer(MISSING_MS + 5_000, monotonicMs() + MISSING_MS);
    const { claims } = await stage.asker.list();
    assert.deepEqual(
      claims.map(({ name, state, members }) => `${name} ${state} ${members}`),
      ["web ready 2"],
    );
  });
  await stage.until(
    "the member that went meanwhile is none any more",
    (list) => (claimOf(list, "default/web")?.members === 1 ? true : undefined),
    AGAIN_MS_MAX,
  );
  const later = await stage.served("default/later", AGAIN_MS_MAX);
  await untilAddresses(kube, "later", [later.address], AGAIN_MS_MAX);
  await untilWell(stage);
  assert.deepEqual(statusOf(await kube.get(serviceTarget("web")))?.addresses, [address]);
  nobodyNoticed(await probe.stop());
});

/** Does `work` while the controller's role lacks these rights, and counts what was refused. */
async function without(
  stage: Stage,
  right: { readonly resources: readonly string[]; readonly verbs: readonly string[] },
  work: () => Promise<void>,
): Promise<void> {
  const { cluster, kube } = stage.api();
  const rules = await rulesOf(kube);
  const fewer = rules.map((rule) => {
    if (!right.resources.includes(rule.resources?.join() ?? "")) return rule;
    assert.ok(right.verbs.every((verb) => rule.verbs.includes(verb)));
    return { ...rule, verbs: rule.verbs.filter((verb) => !right.verbs.includes(verb)) };
  });
  const taken = fewer.filter((rule, index) => rule !== rules[index]);
  assert.equal(taken.length, right.resources.length, "the role has the rights");
  const sinceMs = Date.now();
  // A rule without verbs is none to an API server.
  await kube.patch(ROLE, { rules: fewer.filter(({ verbs }) => verbs.length > 0) });
  await work();
  await kube.patch(ROLE, { rules });
  const asked = await askedByController(cluster, sinceMs);
  const refused = asked.filter(({ status }) => status === 403);
  assert.ok(refused.length > 1, "it is tried again");
  const seconds = (Date.now() - sinceMs) / 1000;
  const kinds = Map.groupBy(refused, ({ verb, resource }) => `${verb} ${resource}`);
  for (const [kind, { length }] of kinds) {
    assert.ok(length < seconds, `${kind}: ${length} requests in ${seconds} s`);
  }
}

async function rulesOf(kube: KubeClient): Promise<readonly Rule[]> {
  return (await kube.get(ROLE))?.["rules"] as readonly Rule[];
}

function untilNamed(stage: Stage, name: string): Promise<RemarkJson> {
  return stage.until(`${name} is named`, ({ findings }) => {
    const found = findings.find((finding) => finding.name === name);
    return found?.remark?.reason === "PublishFailed" ? found.remark : undefined;
  });
}

async function answersAt(stage: Stage, address: string): Promise<void> {
  const target = `${address}:80`;
  assert.match((await visit(stage.client, [target]))[target] ?? "", /^member/);
}
