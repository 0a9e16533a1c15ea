// Pools of a real cluster that are edited under use: whom they serve then, who keeps what he has,
// who moves, and what their statuses say of it. The controller has the rights of deploy/rbac alone.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

import type { KubeObject } from "@fairlead/testkit";

import { KINDS } from "./stage/cluster-objects.ts";
import { POOL_KIND, poolText, saysOf, untilPool } from "./stage/cluster-pools.ts";
import { addressesShown, addService, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses } from "./stage/cluster-views.ts";
import { claimOf, type Stage, type StageOptions } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

/** One host: that others take over is no matter of pools. */
const OPTIONS: StageOptions = { ...CLUSTER, pools: [], balancers: 1 };
/** What a pool gives rests for no time, so that nobody waits for that. */
const RESTLESS = { quarantine: "0s" };
const MOVED_MS_MAX = 30_000;

story(
  "a pool that shrinks with onShrink: reassign moves its Services, each when its new address serves",
  OPTIONS,
  async (stage) => {
    const { kube, kubectl } = stage.api();
    const shrunk = { ...RESTLESS, onShrink: "reassign", addresses: ["10.77.0.105-10.77.0.109"] };
    await make(stage, "lan", { ...shrunk, addresses: ["10.77.0.100-10.77.0.109"] });
    const api = { object: await addService(kube, { name: "api" }), from: "10.77.0.100" };
    assert.equal(await published(stage, "api"), api.from);
    const web = { object: await addService(kube, { name: "web" }), from: "10.77.0.101" };
    assert.equal(await published(stage, "web"), web.from);

    using seen = await kube.watch(KINDS.service, { namespace: "default" });
    await kubectl(["apply", "--filename=-"], poolText("lan", shrunk));
    for (const { object, from } of [api, web]) {
      const { name, uid } = object.metadata;
      const to = await seen.until(
        `the new address of ${name} alone is in its status`,
        (events) => {
          const last = events.findLast((event) => event.object.metadata.uid === uid);
          const [address, ...more] = statusOf(last?.object)?.addresses ?? [];
          return address !== from && more.length === 0 ? address : undefined;
        },
        MOVED_MS_MAX,
      );
      assert.match(to, /^10\.77\.0\.10[56]$/);
      assert.deepEqual(addressesShown(seen, object), [from, to]);
      await answers(stage.client, { address: to, port: 80 });
      await stage.recorder.waitUntil(
        () => stage.recorder.holders(from).length === 0,
        MOVED_MS_MAX,
        `${from} is given up`,
      );
      const [came, went] = [timeOf(stage, to, "added"), timeOf(stage, from, "removed")];
      assert.ok(came < went, `${to} came at ${came}, ${from} went at ${went}`);
    }
    const ours = [api, web].map(({ object }) => object.metadata.uid);
    const events = seen.events().filter(({ object }) => ours.includes(object.metadata.uid));
    const empty = events.filter(({ object }) => statusOf(object)?.addresses.length === 0);
    assert.deepEqual(empty, [], "no status was ever without an address");
    await untilPool(
      kube,
      "lan",
      "nobody holds what it gives no more",
      (status) =>
        saysOf(status, "HeldInside").startsWith("True") && status.usage?.["ipv4"]?.used === "2/5",
    );
  },
);

story(
  "of two pools that overlap the newer one is refused and says so, until it is mended",
  OPTIONS,
  async (stage) => {
    const { kube, kubectl } = stage.api();
    // By their names the newer one would come first.
    const older = await make(stage, "zone", { addresses: ["10.77.0.100-10.77.0.109"] });
    await untilLater(older);
    const newer = await make(stage, "area", { addresses: ["10.77.0.109-10.77.0.119"] });
    assert.ok(madeAtMs(newer) > madeAtMs(older));
    const words =
      "False PoolOverlap 10.77.0.109-10.77.0.119 overlaps with " +
      "10.77.0.100-10.77.0.109 of pool zone";
    await untilPool(kube, "area", "the newer one is refused, and says with whom", (status) =>
      saysOf(status, "Ready").startsWith(words),
    );
    await untilPool(kube, "zone", "the older one works on", (status) =>
      saysOf(status, "Ready").startsWith("True"),
    );
    await addService(kube, { name: "web" });
    assert.equal(await published(stage, "web"), "10.77.0.100");
    await addService(kube, { name: "late", annotations: { "fairlead.io/address-pool": "area" } });
    await unserved(stage, "late");

    const mended = { addresses: ["10.77.0.110-10.77.0.119"] };
    await kubectl(["apply", "--filename=-"], poolText("area", mended));
    assert.equal(await published(stage, "late"), "10.77.0.110");
    await untilPool(kube, "area", "it is used", (status) =>
      saysOf(status, "Ready").startsWith("True"),
    );
  },
);

story(
  "a pool grows and its selector changes: who waited is served, and who is shut out keeps his own",
  OPTIONS,
  async (stage) => {
    const { kube, kubectl } = stage.api();
    const edit = (spec: object): Promise<string> =>
      kubectl(["apply", "--filename=-"], poolText("lan", { ...RESTLESS, ...spec }));
    const addresses = ["10.77.0.100"];
    const tier = (name: string): object => ({ serviceSelector: { matchLabels: { tier: name } } });
    await edit({ addresses, ...tier("front") });
    await addLabelled(stage, "web", "front");
    assert.equal(await published(stage, "web"), "10.77.0.100");
    await addLabelled(stage, "more", "front");
    await unserved(stage, "more", "PoolExhausted");
    await addLabelled(stage, "api", "back");
    await unserved(stage, "api", "NoPool");

    await edit({ addresses: ["10.77.0.100-10.77.0.101"], ...tier("front") });
    assert.equal(await published(stage, "more"), "10.77.0.101", "it has grown");
    await unserved(stage, "api", "NoPool");

    await edit({ addresses: ["10.77.0.100-10.77.0.102"], ...tier("back") });
    assert.equal(await published(stage, "api"), "10.77.0.102", "it is selected now");
    await untilPool(kube, "lan", "those who are shut out are named", (status) => {
      const said = saysOf(status, "HeldInside");
      return said.startsWith("False") && /10\.77\.0\.100.*10\.77\.0\.101/.test(said);
    });
    assert.equal(await published(stage, "web"), "10.77.0.100");
    assert.equal(await published(stage, "more"), "10.77.0.101");

    await kube.patch(serviceTarget("more"), { metadata: { labels: { tier: "back" } } });
    await untilPool(kube, "lan", "one is shut out yet", (status) => {
      const said = saysOf(status, "HeldInside");
      return said.includes("10.77.0.100") && !said.includes("10.77.0.101");
    });
  },
);

async function make(stage: Stage, name: string, spec: object): Promise<KubeObject> {
  return await stage.api().kube.create({ ...POOL_KIND, metadata: { name }, spec });
}

/** What is made after this is newer: times of objects are whole seconds. */
async function untilLater(object: KubeObject): Promise<void> {
  await wait(Math.max(0, madeAtMs(object) + 1000 - Date.now()));
}

function madeAtMs({ metadata }: KubeObject): number {
  return Date.parse(String(metadata["creationTimestamp"]));
}

async function addLabelled(stage: Stage, name: string, tier: string): Promise<void> {
  await addService(stage.api().kube, { name, labels: { tier } });
}

function timeOf({ recorder }: Stage, address: string, event: "added" | "removed"): number {
  const found = recorder.history().find((one) => one.address === address && one.event === event);
  return found?.atMs ?? Number.NaN;
}

/** Waits until the Service is served and says so; gives its address. */
async function published(stage: Stage, name: string): Promise<string> {
  const { address } = await stage.served(`default/${name}`);
  await untilAddresses(stage.api().kube, name, [address]);
  return address;
}

/** Waits until it is told that the Service has no address. */
async function unserved(stage: Stage, name: string, reason?: string): Promise<void> {
  await stage.until(`${name} has no address`, (list) => {
    const claim = claimOf(list, `default/${name}`);
    const isSo = claim?.addresses.length === 0 && claim.main !== undefined;
    return isSo && (reason ?? claim.main.reason) === claim.main.reason ? true : undefined;
  });
}
