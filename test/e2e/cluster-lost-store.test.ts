// A controller that has lost its store, over a real API server: the statuses that it wrote say who
// has which address, and only those. Nothing moves, and who came meanwhile gets none of theirs.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { KINDS } from "./stage/cluster-objects.ts";
import { addressesShown, addService, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses, untilGone } from "./stage/cluster-views.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const OTHER_MANAGER = "metallb-controller";
/** Over a lost store the first plan waits so long for agents, and for what they do. */
const FIRST_PLAN_MS_MAX = 30_000;
/** Addresses that a later Service wishes for, and that another manager wrote into a status. */
const FOREIGN = { address: "10.77.0.130", ours: "10.77.0.131" } as const;

story("the store is lost: statuses say who has which address", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  // What was free before them would be theirs, if they were given addresses anew.
  await addService(kube, { name: "early" });
  await stage.served("default/early");
  const kept = [await addService(kube, { name: "b" })];
  const first = await published(stage, "b");
  kept.push(await addService(kube, { name: "a" }));
  const second = await published(stage, "a");
  await stage.backed();
  await kube.remove(serviceTarget("early"));
  await untilGone(kube, "early");
  await stage.inSync();
  const holders = [first, second].map((address) => stage.recorder.holders(address));
  using seen = await kube.watch(KINDS.service, { namespace: "default" });
  await using probe = await startProbe(stage.client, { address: first, port: 80 });
  await using other = await startProbe(stage.client, { address: second, port: 80 });
  await Promise.all([probe.waitForAnswer(5_000), other.waitForAnswer(5_000)]);
  const events = stage.recorder.history().length;

  await stage.controller.stop();
  await stage.control.output("sh", ["-c", `rm ${STATE_DIR}/store.db*`]);
  await addService(kube, { name: "late" });
  await addService(kube, { name: "wish", spec: { loadBalancerIP: second } });
  // Of another manager: one is his, and one is ours by its class, whatever he wrote.
  await addService(kube, { name: "foreign" });
  await sayAddress(stage, "foreign", FOREIGN.address);
  await addService(kube, { name: "given", spec: { loadBalancerClass: "fairlead.io/agents" } });
  await sayAddress(stage, "given", FOREIGN.ours);
  await stage.controller.start();

  const late = await published(stage, "late", FIRST_PLAN_MS_MAX);
  const given = await published(stage, "given", FIRST_PLAN_MS_MAX);
  assert.equal(await published(stage, "b"), first);
  assert.equal(await published(stage, "a"), second);
  assert.equal(new Set([first, second, late, given, FOREIGN.ours]).size, 5, "each has its own");
  await refused(stage, "wish", "AddressTaken");
  await refused(stage, "foreign", "OtherControllerActive");
  assert.deepEqual(statusOf(await kube.get(serviceTarget("foreign")))?.addresses, [
    FOREIGN.address,
  ]);
  await stage.inSync();
  for (const address of Object.values(FOREIGN)) {
    assert.deepEqual(await stage.recorder.heldNow(address), [], `nobody of ours has ${address}`);
  }

  assert.deepEqual(
    [first, second].map((address) => stage.recorder.holders(address)),
    holders,
  );
  const moved = stage.recorder.history().slice(events);
  assert.deepEqual(
    moved.filter(({ address }) => address === first || address === second),
    [],
    "nothing moves",
  );
  for (const [index, object] of kept.entries()) {
    assert.deepEqual(addressesShown(seen, object), [[first, second][index]], "all the time");
  }
  noneFailed(await probe.stop(), first);
  noneFailed(await other.stop(), second);
  await answers(stage.client, { address: late, port: 80 });
});

/** Another manager writes an address into the status of a Service. */
async function sayAddress(stage: Stage, name: string, ip: string): Promise<void> {
  const target = { ...serviceTarget(name), subresource: "status" };
  const status = { loadBalancer: { ingress: [{ ip }] } };
  await stage.api().kube.patch(target, { status }, { fieldManager: OTHER_MANAGER });
}

/** Waits until the Service is served and says so; gives its address. */
async function published(stage: Stage, name: string, ms?: number): Promise<string> {
  const { address } = await stage.served(`default/${name}`, ms);
  await untilAddresses(stage.api().kube, name, [address], ms);
  return address;
}

async function refused(stage: Stage, name: string, reason: string): Promise<void> {
  await stage.until(`${name} is refused`, (list) => {
    const claim = claimOf(list, `default/${name}`);
    return claim?.state === "refused" && claim.main?.reason === reason ? true : undefined;
  });
}
