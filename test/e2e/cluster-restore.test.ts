// A cluster whose etcd is put back to an older copy: the API server knows less than it did, and its
// versions are lower. Nothing is taken from anybody on that word alone, and what is true in the end
// is what the server says.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";

import {
  addService,
  CLUSTER,
  serviceTarget,
  timesTold,
  untilTold,
} from "./stage/cluster-traces.ts";
import { FINALIZER, statusOf, untilAddresses } from "./stage/cluster-views.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

/** What one list lacks is believed by a second list so much later. */
const DOUBT_MS = 30_000;
const BELIEVED_MS_MAX = 45_000;

/** Leases are beside the cluster, or in it: then what is held is put back with who asks for it. */
const STORES = [
  { name: "etcd is put back to an older copy of it", flags: [] },
  {
    name: "etcd is put back to an older copy of it, and leases with it",
    flags: ["--store=kubernetes", "--leader-lease=4s"],
  },
];

for (const { name, flags } of STORES) {
  const controllerFlags = [...(CLUSTER.controllerFlags ?? []), ...flags];
  story(name, { ...CLUSTER, controllerFlags }, putEtcdBack);
}

async function putEtcdBack(stage: Stage): Promise<void> {
  const { cluster, kube } = stage.api();
  await addService(kube, { name: "kept" });
  const kept = await published(stage, "kept");
  await addService(kube, { name: "dropped" });
  const dropped = await published(stage, "dropped");
  // Of this one the copy knows neither finalizer nor status.
  await stage.controller.kill();
  await addService(kube, { name: "early" });
  const copy = await cluster.snapshotEtcd();
  await stage.controller.start();
  const early = await published(stage, "early");
  const lateObjects = [
    await addService(kube, { name: "late1" }),
    await addService(kube, { name: "late2" }),
  ];
  const late = [await published(stage, "late1"), await published(stage, "late2")];
  const [port] = [{ name: "http", port: 81, targetPort: 8080 }];
  await kube.patch(serviceTarget("kept"), { spec: { ports: [port] } });
  await kube.remove(serviceTarget("dropped"));
  await stage.until("the deleted one is given up", ({ addresses }) =>
    addresses.some(({ address, state }) => address === dropped && state === "quarantined")
      ? true
      : undefined,
  );
  await stage.inSync();
  await using probe = await startProbe(stage.client, { address: kept, port: 81 });
  await using lateProbe = await startProbe(stage.client, { address: late[0] ?? "", port: 80 });
  await Promise.all([probe.waitForAnswer(5_000), lateProbe.waitForAnswer(5_000)]);

  const putBackMs = monotonicMs();
  await cluster.restoreEtcd(copy);
  assert.equal(await kube.get(serviceTarget("late1")), undefined);
  const known = statusOf(await kube.get(serviceTarget("early")));
  assert.deepEqual(known, { addresses: [], conditions: [], finalizers: [] });
  await addService(kube, { name: "fresh" });
  const fresh = await published(stage, "fresh", DOUBT_MS);
  await answers(stage.client, { address: fresh, port: 80 }, 1);
  assert.ok(monotonicMs() - putBackMs < DOUBT_MS, "a new one waits for nothing");
  assert.equal([kept, early, ...late].includes(fresh), false, "it has an address of its own");
  assert.equal(await published(stage, "dropped"), dropped, "it is back, with what it had");
  await lateProbe.waitForAnswer(DOUBT_MS, putBackMs + DOUBT_MS / 2);

  await stage.until(
    "those that the copy lacks are given up",
    ({ claims, addresses }) => {
      const states = late.map((one) => addresses.find(({ address }) => address === one)?.state);
      const isGone = claims.every(({ name }) => !name.startsWith("late"));
      return isGone && states.every((state) => state === "quarantined") ? true : undefined;
    },
    BELIEVED_MS_MAX,
  );
  const heldMs = monotonicMs() - putBackMs;
  assert.ok(heldMs >= DOUBT_MS, `given up after ${heldMs} ms`);
  for (const object of lateObjects) {
    await untilTold(kube, object, { reason: "AddressReleased" });
    assert.equal(await timesTold(kube, object, "AddressReleased"), 1);
  }
  assert.equal(await published(stage, "kept", BELIEVED_MS_MAX), kept);
  assert.equal(await published(stage, "early", BELIEVED_MS_MAX), early);
  const [first, second] = [`${kept}:80`, `${early}:80`];
  await stage.until("the ports are those of the copy", ({ claims }) =>
    claims.find(({ name }) => name === "kept")?.ports.join() === "80/TCP" ? true : undefined,
  );
  await stage.inSync();
  const seen = await visit(stage.client, [first, second, `${fresh}:80`, `${dropped}:80`]);
  assert.deepEqual(
    Object.entries(seen).filter(([, answer]) => answer === null),
    [],
  );
  const { claims, findings } = await stage.asker.list();
  assert.deepEqual(claims.map(({ name }) => name).toSorted(), [
    "dropped",
    "early",
    "fresh",
    "kept",
  ]);
  assert.deepEqual(findings, []);
}

/** Waits until the Service is served and says so, with our finalizer on it; gives its address. */
async function published(stage: Stage, name: string, ms?: number): Promise<string> {
  const { kube } = stage.api();
  const { address } = await stage.served(`default/${name}`, ms);
  const { finalizers } = await untilAddresses(kube, name, [address], ms);
  assert.deepEqual(finalizers, [FINALIZER]);
  assert.ok(claimOf(await stage.asker.list(), `default/${name}`)?.addresses[0]?.published);
  return address;
}
