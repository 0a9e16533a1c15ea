// A controller that is killed, or ended in order, in every phase of a Service's life, and Services
// that end while it is away: each has one address all its life, and each address is released once
// and lost never.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

import type { KubeObject } from "@fairlead/testkit";

import { KINDS } from "./stage/cluster-objects.ts";
import {
  addressesShown,
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
  untilTold,
  writtenByController,
} from "./stage/cluster-traces.ts";
import { FINALIZER, statusOf, untilAddresses, untilGone } from "./stage/cluster-views.ts";
import { endSoon, letNothingGo, MOMENT_MS_MAX, roundsOf } from "./stage/ends-soon.ts";
import { createSeeded } from "./stage/seeded.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { visit } from "./stage/visitor.ts";

const chance = createSeeded();
/** One for each phase on the way up, and on the way down, and each way to end in it. */
const NAMES = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] as const;
/** No more than these, so that one that is lost is missed. */
const POOL = "lan=10.77.0.100-10.77.0.109";
const SETTLED_MS_MAX = 40_000;
const NOTHING_OURS = JSON.stringify({ addresses: [], conditions: [], finalizers: [] });

/** Waits until this has happened to a Service; it stays true then. Its address is known then. */
type Phase = (stage: Stage, name: string, address: string) => Promise<unknown>;

const UP: readonly Phase[] = [
  // It is made, and that is all.
  () => Promise.resolve(),
  (stage, name) =>
    stage.until(`${name} has an address`, (list) => {
      const claim = claimOf(list, `default/${name}`);
      return claim !== undefined && claim.addresses.length > 0 ? true : undefined;
    }),
  (stage, name) =>
    stage
      .api()
      .kube.until("it has our finalizer", serviceTarget(name), (object) =>
        statusOf(object)?.finalizers.includes(FINALIZER) === true ? true : undefined,
      ),
  (stage, name) => stage.served(`default/${name}`),
  (stage, name) => untilAddresses(stage.api().kube, name, "some"),
];

const DOWN: readonly Phase[] = [
  // It is marked for deletion, and that is all.
  () => Promise.resolve(),
  () => wait(chance.below(2 * MOMENT_MS_MAX)),
  ({ recorder }, name, address) =>
    recorder.waitUntil(() => recorder.holders(address).length === 0, 15_000, `${name} is down`),
  (stage, name, address) =>
    stage.until(`the address of ${name} is free`, ({ addresses }) => {
      const found = addresses.find((one) => one.address === address);
      return found === undefined || found.state === "quarantined" ? true : undefined;
    }),
  (stage, name) => untilGone(stage.api().kube, name),
];

story(
  `the controller ends in every phase of Services' lives (FAIRLEAD_SEED=${chance.seed})`,
  // One host: whose lanes others join late is a story of agents, and not of the cluster.
  { ...CLUSTER, pools: [POOL], balancers: 1 },
  async (stage) => {
    const { cluster, kube } = stage.api();
    using seen = await kube.watch(KINDS.service, { namespace: "default" });
    const objects: KubeObject[] = [];
    for (const [index, { phase, ending }] of roundsOf(UP, chance).entries()) {
      const name = NAMES[index] ?? "";
      objects.push(await addService(kube, { name }));
      await phase(stage, name, "");
      await endSoon(stage.controller, ending, chance);
    }
    const addresses: string[] = [];
    for (const name of NAMES) {
      const { address } = await stage.served(`default/${name}`, SETTLED_MS_MAX);
      const { finalizers } = await untilAddresses(kube, name, [address]);
      assert.deepEqual(finalizers, [FINALIZER]);
      addresses.push(address);
    }
    assert.equal(new Set(addresses).size, NAMES.length, "nobody has another's");
    letNothingGo(stage.controller);
    const answered = await visit(
      stage.client,
      addresses.map((address) => `${address}:80`),
    );
    for (const answer of Object.values(answered)) assert.match(answer ?? "", /^member/);

    for (const [index, { phase, ending }] of roundsOf(DOWN, chance).entries()) {
      const name = NAMES[index] ?? "";
      await kube.remove(serviceTarget(name));
      await phase(stage, name, addresses[index] ?? "");
      await endSoon(stage.controller, ending, chance);
    }
    for (const name of NAMES) await untilGone(kube, name);
    await stage.until("nothing is held for nobody", ({ claims, addresses: rows }) =>
      claims.length === 0 && rows.every(({ state }) => state === "quarantined") ? true : undefined,
    );
    for (const object of objects) {
      const { name } = object.metadata;
      const own = addresses[NAMES.findIndex((one) => one === name)];
      assert.deepEqual(addressesShown(seen, object), [own], "one, the same all the time");
      // One that dies between the act and the Event leaves none; no Event is written twice.
      assert.ok((await timesTold(kube, object, "AddressReleased")) <= 1);
    }
    const written = await writtenByController(cluster);
    for (const name of NAMES) {
      const finalizer = written.filter((line) => line === `patch services default/${name}`);
      // Of a request whose answer finds nobody the server says that it failed, whatever it did.
      assert.ok(finalizer.length <= 2, `it comes once and goes once: ${written.join("\n")}`);
    }
    // All addresses are needed, so none is lost.
    for (const name of NAMES) await addService(kube, { name: `new-${name}`, members: [] });
    const again: string[] = [];
    for (const name of NAMES) {
      again.push((await stage.served(`default/new-${name}`, SETTLED_MS_MAX)).address);
    }
    assert.deepEqual(again.toSorted(), addresses.toSorted());
  },
);

story(
  "Services end while the controller is away: each is released once",
  CLUSTER,
  async (stage) => {
    const { cluster, kube } = stage.api();
    const names = ["deleted", "classed", "inner"] as const;
    const objects: KubeObject[] = [];
    for (const name of names) objects.push(await addService(kube, { name }));
    const targets: string[] = [];
    for (const name of names) {
      const { address } = await stage.served(`default/${name}`);
      await untilAddresses(kube, name, [address]);
      targets.push(`${address}:80`);
    }

    await stage.controller.kill();
    await kube.remove(serviceTarget("deleted"));
    const inner = { spec: { type: "ClusterIP" } };
    const classed = { spec: { type: "LoadBalancer", loadBalancerClass: "example.com/other" } };
    await kube.patch(serviceTarget("inner"), inner);
    // An API server changes the class of none that is of this type.
    await kube.patch(serviceTarget("classed"), inner);
    await kube.patch(serviceTarget("classed"), classed);
    const kept = await kube.get(serviceTarget("deleted"));
    assert.deepEqual(
      statusOf(kept)?.finalizers,
      [FINALIZER],
      "it is kept until its address is free",
    );
    for (const answer of Object.values(await visit(stage.client, targets))) {
      assert.match(answer ?? "", /^member/, "they are served as long as nobody says otherwise");
    }

    const backMs = Date.now();
    await stage.controller.start();
    await untilGone(kube, "deleted");
    await stage.until("all are given up", ({ claims, addresses }) => {
      const areFree = addresses.every(({ state }) => state === "quarantined");
      return claims.length === 0 && areFree ? true : undefined;
    });
    for (const name of ["inner", "classed"]) {
      await kube.until("nothing of ours is on it", serviceTarget(name), (object) =>
        JSON.stringify(statusOf(object)) === NOTHING_OURS ? true : undefined,
      );
    }
    for (const object of objects) {
      await untilTold(kube, object, { reason: "AddressReleased" });
      assert.equal(await timesTold(kube, object, "AddressReleased"), 1, object.metadata.name);
    }
    const written = await writtenByController(cluster, backMs);
    for (const name of names) {
      const releases = written.filter((line) => line === `patch services default/${name}`);
      assert.equal(releases.length, 1, written.join("\n"));
    }
    const after = Object.values(await visit(stage.client, targets));
    assert.deepEqual(after, [null, null, null], "nobody answers any more");
  },
);

story("a namespace goes away with three Services of ours in it", CLUSTER, async (stage) => {
  const { cluster, kube, kubectl } = stage.api();
  const namespace = "shop";
  const names = ["one", "two", "three"] as const;
  await kubectl(["create", "namespace", namespace]);
  for (const name of names) await addService(kube, { name, namespace });
  for (const name of names) await stage.served(`${namespace}/${name}`);

  await kubectl(["delete", "namespace", namespace, "--timeout=30s"]);
  const target = { apiVersion: "v1", kind: "Namespace", name: namespace };
  assert.equal(await kube.get(target), undefined, "our finalizers do not keep it");
  await stage.until("all are given up, and nothing is amiss", ({ claims, addresses, findings }) => {
    const areFree = addresses.every(({ state }) => state === "quarantined");
    return claims.length + findings.length === 0 && areFree ? true : undefined;
  });
  const written = await writtenByController(cluster);
  for (const name of names) {
    const finalizer = written.filter((line) => line === `patch services ${namespace}/${name}`);
    assert.equal(finalizer.length, 2, `it comes once and goes once: ${written.join("\n")}`);
  }
});
