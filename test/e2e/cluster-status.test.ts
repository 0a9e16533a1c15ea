// Which class may serve a Service of a real cluster, and who may write its status then, while the
// controller lives.

import assert from "node:assert/strict";

import { addService, CLUSTER, serviceTarget, timesTold } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses, untilCounted } from "./stage/cluster-views.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const WEB = serviceTarget("web");

/** Another program writes this address into the status. */
async function overwrite(stage: Stage, ip: string, fieldManager: string): Promise<void> {
  const status = { loadBalancer: { ingress: [{ ip }] } };
  await stage.api().kube.patch({ ...WEB, subresource: "status" }, { status }, { fieldManager });
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
  assert.deepEqual(stage.recorder.holders(address), []);
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
