// Copies between real stores, there and back: files, an etcd and a stub of a cluster, and what the
// IPAM service gave with them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Address, parseRange } from "@fairlead/model";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { shareEtcd, startKubeStub } from "@fairlead/testkit";

import { toolPath } from "../../../test/tools/tool-path.ts";
import { COUNTS, fill, INTENT, LANE, LEASES, makeCopyStage, worked } from "./copy-stage.ts";
import { createClass } from "./ipam/class-commands.ts";
import { randomUuid, type Uuid } from "./ipam/ipam-model.ts";
import { createIpamService } from "./ipam/ipam-service.ts";
import { createNetblock } from "./ipam/netblock-commands.ts";
import type { IpamStore } from "./ipam/ports.ts";
import { register } from "./ipam/register.ts";

const clock = createSystemClock();
const place = shareEtcd(toolPath("etcd", "server"));
const makeStage = async () => makeCopyStage(await place());

test("a file is copied into etcd and back into a file, every address with its owner", async () => {
  using stage = await makeStage();
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  for (let round = 0; round < 5; round += 1) {
    await worked(stage.keep(old), async (store) => void (await store.open()));
  }
  const { epoch } = await worked(stage.keep(old), fill);
  const copied = { kind: "copied", counts: COUNTS };
  assert.deepEqual(await stage.copy(old, stage.inEtcd), copied);
  const inEtcd = await worked(stage.keep(stage.inEtcd), (store) => store.open());
  assert.deepEqual(inEtcd.leases, LEASES);
  assert.ok(inEtcd.epoch > epoch + 1, "agents obeyed the epochs of the store that is left");
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  const { leases, lanes, intents } = await worked(stage.keep(back), (store) => store.open());
  assert.deepEqual(
    { leases, lanes, intents },
    { leases: LEASES, lanes: [LANE], intents: [INTENT] },
  );
});

test("what the IPAM service gave goes with the store, into etcd and back into a file", async () => {
  using stage = await makeStage();
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  await worked(stage.keep(old), fill);
  const before = await serveIpam(stage.ipamOf("old.db"));
  const copied = {
    kind: "copied",
    counts: { ...COUNTS, ipam: { classes: 1, netblocks: 1, registrations: 200 } },
  };
  assert.deepEqual(await stage.copy(old, stage.inEtcd), copied);
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  await using store = stage.ipamOf("back.db");
  const stored = await store.open();
  const after = new Map(stored.registrations.map(({ uuid, address }) => [uuid, address]));
  assert.deepEqual(after, before);
  assert.equal(stored.addresses.length, 200);
  const more = stage.file("more.db");
  await serveIpam(stage.ipamOf("more.db"));
  const outcome = await stage.copy(old, more);
  assert.ok(outcome.kind === "refused" && outcome.code === "NOT_EMPTY");
  const ipam = "of the IPAM 1 class, 1 netblock and 200 registrations";
  assert.match(outcome.why, new RegExp(`it holds 0 leases, .*, and ${ipam}$`, "u"));
});

test("a file goes into a cluster, on into etcd and back, and the IPAM service's rows with it", async () => {
  using stage = await makeStage();
  await using stub = await startKubeStub();
  const kubeconfig = stage.kubeconfigOf(stub);
  const [old, back] = [stage.file("old.db"), stage.file("back.db")];
  const { epoch } = await worked(stage.keep(old), fill);
  const before = await serveIpam(stage.ipamOf("old.db"));
  const ipam = { classes: 1, netblocks: 1, registrations: 200 };
  const copied = { kind: "copied", counts: { ...COUNTS, ipam } };
  assert.deepEqual(await stage.copy(old, "kubernetes", { kubeconfig }), copied);
  const dryRun = await stage.copy("kubernetes", back, { kubeconfig, dryRun: true });
  assert.deepEqual(dryRun, { ...copied, kind: "would-copy" });
  const again = await stage.copy(old, "kubernetes", { kubeconfig });
  assert.ok(again.kind === "refused" && again.code === "NOT_EMPTY");
  assert.match(again.why, /^kubernetes is not empty: it holds 300 leases, .* 200 registrations$/u);
  assert.deepEqual(await stage.copy("kubernetes", stage.inEtcd, { kubeconfig }), copied);
  assert.deepEqual(await stage.copy(stage.inEtcd, back), copied);
  const stored = await worked(stage.keep(back), (store) => store.open());
  assert.deepEqual(stored.leases, LEASES);
  assert.ok(stored.epoch > epoch + 3, "agents obeyed the epochs of each");
  await using given = stage.ipamOf("back.db");
  const { registrations, addresses } = await given.open();
  assert.deepEqual(new Map(registrations.map(({ uuid, address }) => [uuid, address])), before);
  assert.equal(addresses.length, 200);
});

/** Gives 200 addresses, and says whose each is. */
async function serveIpam(store: IpamStore): Promise<ReadonlyMap<Uuid, Address>> {
  await using ending = new AsyncDisposableStack();
  ending.use(store);
  const log = createLogger({ level: "silent", format: "json" });
  const times = { leaseMs: 60_000, graceMs: 60_000 };
  const service = ending.use(await createIpamService({ store, clock, log, ...times }));
  await service.run(createClass({ uuid: randomUuid(), name: "lab" }));
  const range = parseRange("10.9.0.0/24");
  assert.ok(range.kind === "ok");
  await service.run(createNetblock({ uuid: randomUuid(), class: "lab", range: range.value }));
  const uuids = Array.from({ length: 200 }, () => randomUuid());
  await Promise.all(uuids.map((uuid) => service.run(register({ class: "lab", uuid }))));
  return new Map([...service.view().registrations].map(([uuid, one]) => [uuid, one.address]));
}
