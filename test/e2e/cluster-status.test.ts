// Who else may write the status of a Service of a real cluster, and which class may serve it, while
// the controller lives.

import assert from "node:assert/strict";

import {
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
  untilTold,
} from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses, untilCounted } from "./stage/cluster-views.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const WEB = serviceTarget("web");

/** Another program writes this address into the status. */
async function overwrite(stage: Stage, ip: string, fieldManager: string): Promise<void> {
  const status = { loadBalancer: { ingress: [{ ip }] } };
  await stage.api().kube.patch({ ...WEB, subresource: "status" }, { status }, { fieldManager });
}

story("a controller that writes over a status of ours is named to all", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  const web = await addService(kube, { name: "web" });
  const { address } = await stage.served("default/web");
  await untilAddresses(kube, "web", [address]);
  await untilTold(kube, web, { reason: "AddressAllocated" });
  await overwrite(stage, "203.0.113.8", "kubectl-edit");
  await untilAddresses(kube, "web", [address]);
  const what = "Another controller wrote this Service's load-balancer status";
  for (const manager of ["metallb-controller", "kube-vip"]) {
    await overwrite(stage, "203.0.113.9", manager);
    await untilAddresses(kube, "web", [address]);
    const note = `${what}: "${manager}" wrote status.loadBalancer, which is put right. `;
    await untilTold(kube, web, { reason: "OtherControllerActive", note });
  }
  assert.equal(await timesTold(kube, web, "OtherControllerActive"), 2, "a hand is not named");
  const left = (await managersOf(stage)).filter((one) => /^(?:metallb|kube-vip|kubectl)/.test(one));
  assert.deepEqual(left, [], "nothing in it is another one's");
  assert.equal((await stage.served("default/web")).address, address);
});

/** Who still owns a part of the Service. */
async function managersOf(stage: Stage): Promise<readonly string[]> {
  const { managedFields = [] } = ((await stage.api().kube.get(WEB))?.metadata ?? {}) as {
    readonly managedFields?: readonly { readonly manager: string }[];
  };
  return managedFields.map(({ manager }) => manager);
}

story("a Service that is given to another class is released once", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  const web = await addService(kube, { name: "web" });
  const { address } = await stage.served("default/web");
  await untilAddresses(kube, "web", [address]);
  await becomes(stage, "example.com/other");
  await kube.until("nothing of us is left on it", WEB, (object) => {
    const { addresses, conditions, finalizers } = statusOf(object) ?? {};
    const isLeft = [addresses, conditions, finalizers].some((list) => list?.length !== 0);
    return isLeft ? undefined : true;
  });
  assert.deepEqual(await stage.recorder.heldNow(address), []);
  await untilCounted(kube, "web", { reason: "AddressReleased", times: 1 });
  assert.equal(claimOf(await stage.asker.list(), "default/web"), undefined);
  await overwrite(stage, "203.0.113.9", "other-controller");

  await becomes(stage, "fairlead.io/agents");
  assert.equal((await stage.served("default/web")).address, address, "its own address again");
  await untilAddresses(kube, "web", [address]);
  await untilCounted(kube, "web", { reason: "AddressAllocated", times: 2 });
  assert.equal(await timesTold(kube, web, "AddressReleased"), 1);
  assert.equal(await timesTold(kube, web, "OtherControllerActive"), 0);
});

/** An API server takes a class only of what becomes a LoadBalancer. */
async function becomes(stage: Stage, loadBalancerClass: string): Promise<void> {
  const { kube } = stage.api();
  await kube.patch(WEB, { spec: { type: "ClusterIP" } });
  await kube.patch(WEB, { spec: { type: "LoadBalancer", loadBalancerClass } });
}
