// A store of each kind that is put back to an older copy of it, after Services came and went: who
// is served has the address that it had and notices nothing, nobody gets one of another's, and what
// the copy holds for those who are gone is free again in the end.

import assert from "node:assert/strict";

import { type Probe, type ProbeResult, startProbe } from "@fairlead/lab";
import { present } from "@fairlead/model";
import type { KubeObject } from "@fairlead/testkit";

import { addService, serviceTarget } from "./stage/cluster-traces.ts";
import { pool, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { COPIED_STORES } from "./stage/older-copies.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Whom two whole lists lack that are half a minute apart is gone; and some time for the rest. */
const GONE_MS_MAX = 50_000;
/** Over a store that is behind, the first plan waits so long for agents, and for what they do. */
const FIRST_PLAN_MS_MAX = 30_000;
/** Who came after one of the copy is without the address until no agent has it for that one. */
const HANDED_ON_MS_MAX = 3_000;
const PROBED_MS = 120_000;

for (const { name, options, ...store } of COPIED_STORES) {
  story(
    `${name} is put back to an older copy: no address twice, none leaked, none moved`,
    { ...options, pools: [] },
    async (stage) => {
      await makePool(stage);
      const kept = await made(stage, "kept");
      const left = await made(stage, "left");
      const freed = await made(stage, "freed");
      await stage.controller.stop();
      const putBack = await store.keep(stage);
      // Agents come to obey later epochs than the copy knows of.
      await stage.controller.start();
      await stage.controller.stop();
      await stage.controller.start();
      const late = await made(stage, "late");
      await Promise.all(["left", "freed"].map((one) => remove(stage, one)));
      await untilHeld(stage, [kept, late]);
      const heir = await made(stage, "heir");
      assert.equal(heir, left, "by the copy it is another one's");
      const epoch = await epochOf(stage);
      await using probes = await probe(stage, [kept, heir, late]);

      if (store.losesLead !== true) await stage.controller.stop();
      await putBack();
      if (store.losesLead !== true) await stage.controller.start();
      const fresh = await made(stage, "fresh", FIRST_PLAN_MS_MAX);
      assert.ok(![kept, left, freed, late].includes(fresh), `${fresh} is one of another's`);
      const now = { kept, heir, late, fresh };
      await areServed(stage, now);
      assert.ok((await epochOf(stage)) > epoch, "agents obey no lower epoch");
      await untilHeld(stage, Object.values(now), GONE_MS_MAX);
      await areServed(stage, now);
      assert.equal(await made(stage, "next"), freed, "it is free again");
      const seen = await probes.stop();
      for (const address of [kept, late]) noneFailed(present(seen.get(address), address), address);
      const silenceMs = seen.get(heir)?.longestSilence?.lengthMs ?? 0;
      assert.ok(silenceMs <= HANDED_ON_MS_MAX, `${heir} was silent for ${silenceMs} ms`);
    },
  );
}

/** A pool whose addresses rest for a moment only. */
async function makePool(stage: Stage): Promise<void> {
  const spec = { addresses: ["10.77.0.100-10.77.0.150"], quarantine: "1s" };
  const lan = { ...pool("lan", []), spec };
  if (stage.apiHost === undefined) await stage.write("pool.yaml", [lan]);
  else await stage.apiHost.kube.create(lan as unknown as KubeObject);
}

/** Makes a Service and waits until it is served; gives its address. */
async function made(stage: Stage, name: string, ms?: number): Promise<string> {
  if (stage.apiHost === undefined) await stage.write(`${name}.yaml`, service({ name }));
  else await addService(stage.apiHost.kube, { name });
  return (await stage.served(`default/${name}`, ms)).address;
}

async function remove(stage: Stage, name: string): Promise<void> {
  if (stage.apiHost === undefined) await stage.remove(`${name}.yaml`);
  else await stage.apiHost.kube.remove(serviceTarget(name));
}

/** Waits until these addresses are held, each for one, and no other is anything but free. */
async function untilHeld(stage: Stage, wanted: readonly string[], ms?: number): Promise<void> {
  const words = wanted.map((address) => `${address} held 1`).toSorted();
  await stage.until(
    `what is not free is ${words.join(", ")}`,
    ({ addresses }) => {
      const rows = addresses.map(({ address, state, owners }) => {
        return `${address} ${state} ${owners.length}`;
      });
      return rows.toSorted().join() === words.join() ? true : undefined;
    },
    ms,
  );
}

/** Each has this address in its status, at every look, and soon all agents have their plans. */
async function areServed(stage: Stage, wanted: Readonly<Record<string, string>>): Promise<void> {
  const should = Object.entries(wanted).map(([name, address]) => `${name} ${address} true`);
  await stage.until("all agents have what they shall have", ({ agents, claims }) => {
    const has = claims.map(({ name, addresses }) => {
      return `${name} ${addresses.map((one) => `${one.address} ${one.published}`).join()}`;
    });
    assert.deepEqual(has.toSorted(), should.toSorted());
    return agents.every(({ sync }) => sync === "in-sync") ? true : undefined;
  });
}

async function epochOf({ asker }: Stage): Promise<number> {
  return Number((await asker.list()).controller?.epoch);
}

/** Clients of each address, from now on. */
async function probe({ client }: Stage, addresses: readonly string[]): Promise<Probes> {
  const probes = new Map<string, Probe>();
  for (const address of addresses) {
    const options = { address, port: 80, everyMs: 20, durationMs: PROBED_MS };
    probes.set(address, await startProbe(client, options));
  }
  for (const one of probes.values()) await one.waitForAnswer(5_000);
  const stop = async (): Promise<ReadonlyMap<string, ProbeResult>> => {
    const seen = new Map<string, ProbeResult>();
    for (const [address, one] of probes) seen.set(address, await one.stop());
    return seen;
  };
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

interface Probes extends AsyncDisposable {
  /** Ends them; gives what each saw, by its address. */
  stop(): Promise<ReadonlyMap<string, ProbeResult>>;
}
