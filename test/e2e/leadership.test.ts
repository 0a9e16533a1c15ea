// Two controllers over one cluster: the leader is stopped in the middle of its work and goes on
// when another one leads, and later a leader ends well. What each of them wrote is read from the
// API server's own log, as neither of them could tell it.

import assert from "node:assert/strict";

import { type AuditEntry, type Host, isWrite, monotonicMs } from "@fairlead/lab";
import type { KubeClient } from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { type ClaimJson, startAsker } from "./stage/asker.ts";
import { addService, CLUSTER, serviceTarget } from "./stage/cluster-traces.ts";
import { statusOf, untilAddresses } from "./stage/cluster-views.ts";
import { readSamples } from "./stage/linted-metrics.ts";
import { areBacked, areInSync } from "./stage/settled.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { createUntil } from "./stage/until.ts";

const LEASE_S = 4;
/** Until agents miss a leader that is silent and find the other one, and some time for the rest. */
const FOLLOW_MS_MAX = 40_000;
/** A successor of one that ended well: the goal is a second, on a machine that is free for it. */
const RELEASE_MS_MAX = 5000;
/** Of HTTP: what is written over is no longer what it was. */
const CONFLICT = 409;
const EARLY = ["a", "b", "c", "d"] as const;
const LATE = ["e", "f", "g", "h"] as const;

story(
  "a leader that is stopped in its work writes nothing once another one leads",
  {
    ...CLUSTER,
    controllerFlags: [
      ...(CLUSTER.controllerFlags ?? []),
      "--store=kubernetes",
      `--leader-lease=${LEASE_S}s`,
    ],
    hasStandby: true,
  },
  async (stage) => {
    const { kube, cluster } = stage.api();
    const { controller, standby } = stage;
    assert.ok(standby !== undefined);
    const beside = createUntil(await startAsker(standby.host), []);
    const { controller: row } = await beside("the standby answers", (list) => list);
    assert.equal(row?.standsBy, true);
    assert.match(row.leader, /^\S+_[0-9a-f]{8}$/);
    await addService(kube, { name: "web" });
    await stage.served("default/web");

    // Four are being written when it stops, and four come before it goes on.
    for (const name of EARLY) await addService(kube, { name });
    await controller.freeze();
    for (const name of LATE) await addService(kube, { name });
    await beside(
      "the other one leads, and serves all",
      ({ controller: leader, claims }) =>
        leader?.standsBy === false &&
        claims.length === 9 &&
        claims.every(({ state }) => state === "ready")
          ? true
          : undefined,
      FOLLOW_MS_MAX,
    );
    controller.resume();
    await stage.until("the first one knows that it is over", ({ controller: first }) =>
      first?.standsBy === true && first.leader !== row.leader ? true : undefined,
    );
    for (const name of [...EARLY, ...LATE]) await untilAddresses(kube, name, "some");
    const log = await cluster.auditLog();
    const tookOverMs = firstLead(log, standby.host);
    // A request that was on its way when it stopped leaves with the first breath that it takes, and
    // is refused, because what it writes is of an earlier version.
    assert.deepEqual(
      written(log, controller.host).filter(
        ({ receivedMs, status }) => receivedMs > tookOverMs && status !== CONFLICT,
      ),
      [],
      "nothing is written by the one that was stopped",
    );
    await eachHasOne(kube);

    // What the other one wanted is done, and what it says is written: after that nothing is due.
    const claims = await beside(
      "every agent has applied its plan, and nothing is amiss",
      (list) => {
        const { agents, claims: all, findings } = list;
        const isWell = [...agents, ...all].every(({ remarks }) => remarks.length === 0);
        const isQuiet = agents.length === 3 && isWell && findings.length === 0;
        return isQuiet && areInSync(list) && areBacked(list) ? all : undefined;
      },
    );
    for (const claim of claims) await untilWritten(kube, claim);

    // Now the other one ends well, and nothing has changed.
    const before = await countersOf(stage, controller.host);
    const statuses = await statusesOf(kube);
    const sinceMs = Date.now();
    const begunMs = monotonicMs();
    await Promise.all([
      standby.stop(),
      stage.until("the first one leads again", ({ controller: first, agents }) =>
        first?.standsBy === false && first.ready && agents.length === 3 ? true : undefined,
      ),
    ]);
    const tookMs = monotonicMs() - begunMs;
    assert.ok(tookMs < RELEASE_MS_MAX, `it took ${tookMs} ms`);
    await stage.inSync();
    assert.deepEqual(await countersOf(stage, controller.host), before);
    assert.deepEqual(await statusesOf(kube), statuses);
    const since = written(await cluster.auditLog(), controller.host).filter(
      ({ receivedMs }) => receivedMs >= sinceMs,
    );
    const others = since.filter(({ resource }) => !["leases", "storejournals"].includes(resource));
    assert.deepEqual(others, [], "a change of leaders is no change of anything else");
    assert.ok(claimOf(await stage.asker.list(), "default/web") !== undefined);
  },
);

/** Waits until the Service's status is what its claim's verdict says. */
async function untilWritten(kube: KubeClient, { name, conditions }: ClaimJson): Promise<void> {
  const words = conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
  const said = words.toSorted().join();
  await kube.until(`the status is ${said}`, serviceTarget(name), (object) =>
    statusOf(object)?.conditions.join() === said ? true : undefined,
  );
}

/** What a host's controller wrote, or tried to. */
function written(log: readonly AuditEntry[], host: Host): readonly AuditEntry[] {
  const isOurs = ({ user, from }: AuditEntry): boolean =>
    user === CONTROLLER_USER && from === host.address;
  return log.filter((entry) => isOurs(entry) && isWrite(entry));
}

function firstLead(log: readonly AuditEntry[], host: Host): number {
  const won = written(log, host).filter(({ resource, status }) => {
    return resource === "leases" && status < 300;
  });
  return Math.min(...won.map(({ receivedMs }) => receivedMs));
}

/** Every Service has one address, none is anybody else's, and no other is held. */
async function eachHasOne(kube: KubeClient): Promise<void> {
  const objects = await kube.list({ apiVersion: "fairlead.io/v1alpha1", kind: "AddressLease" });
  const held = objects.map(
    (object) => object["spec"] as { address: string; owners: { claim: string }[] },
  );
  const owners = held.flatMap(({ address, owners: all }) =>
    all.map(({ claim }) => `${claim} ${address}`),
  );
  const expected: string[] = [];
  for (const name of ["web", ...EARLY, ...LATE]) {
    const [address] = statusOf(await kube.get(serviceTarget(name)))?.addresses ?? [];
    expected.push(`service/default/${name} ${address}`);
  }
  assert.deepEqual(owners.toSorted(), expected.toSorted());
  assert.equal(new Set(held.map(({ address }) => address)).size, held.length);
}

async function statusesOf(kube: KubeClient): Promise<readonly unknown[]> {
  const objects = await kube.list({ apiVersion: "v1", kind: "Service" }, { namespace: "default" });
  return objects.map(({ metadata, status }) => [metadata.name, metadata.resourceVersion, status]);
}

/** Updates that this controller sent, and how often proxies were reloaded. */
async function countersOf(stage: Stage, host: Host): Promise<readonly number[]> {
  const reloads = stage.balancers.map((one) => counter(one, 7714, "fairlead_proxy_reloads_total"));
  return [
    await counter(host, 7704, "fairlead_sync_updates_total"),
    ...(await Promise.all(reloads)),
  ];
}

async function counter(host: Host, port: number, name: string): Promise<number> {
  const samples = await readSamples(host, port, name);
  return samples.reduce((sum, { value }) => sum + value, 0);
}
