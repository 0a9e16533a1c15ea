// A host whose services listen on every address of it, as sshd does: on a VIP they do not answer,
// on whichever host it is and at no moment of its life, and on the host's own addresses they do.

import assert from "node:assert/strict";

import { type Host, monotonicMs } from "@fairlead/lab";

import { pidOf } from "./stage/daemons.ts";
import { type Knocker, type LateKnock, knock, knockOnAndOn } from "./stage/knocker.ts";
import { MEMBERS, service } from "./stage/manifests.ts";
import { answerAsTheyShould, listenEverywhere, SSH } from "./stage/open-host.ts";
import { signalAll } from "./stage/signal-all.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { startStrangerRouter } from "./stage/stranger-router.ts";

/** The only address of each family, so that they are known before there is a Service. */
const VIPS = ["10.77.0.100", "fd77::100"];
const ALL_MEMBERS = [...MEMBERS, "fd77::21", "fd77::22"];
/** A knock is given up after 900 ms. */
const OVER_MS = 1000;
const REPAIRED_MS_MAX = 2_000;
const TAKEOVER_MS_MAX = 5_000;

story(
  "a VIP answers on its listeners alone, on the holder and on the host that takes it over",
  { hasIpv6: true, pools: ["both=10.77.0.100-10.77.0.110,fd77::100-fd77::110"] },
  async (stage) => {
    const services = await Promise.all(stage.balancers.map(listenEverywhere));
    for (const host of stage.balancers) await host.output("nft", ["add", "table", "inet", "other"]);
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    await stage.write("web.yaml", service({ name: "web", spec, members: ALL_MEMBERS }));
    const { holder } = await stage.served("default/web");
    await stage.backed();
    const claim = claimOf(await stage.asker.list(), "default/web");
    const vips = claim?.addresses.map(({ address }) => address) ?? [];
    assert.equal(vips.length, 2);
    const lost = stage.lab.host(holder);
    await answerAsTheyShould(stage, vips, stage.balancers);

    await lost.output("nft", ["delete", "table", "inet", "fairlead_guard"]);
    await refusedWithin(stage, vips, REPAIRED_MS_MAX);
    await strangersAreNotHeard(stage);

    await lost.cutLink();
    for (const vip of vips) await stage.recorder.waitForHolder(vip, TAKEOVER_MS_MAX, holder);
    const others = stage.balancers.filter((host) => host !== lost);
    await answerAsTheyShould(stage, vips, others);
    await lost.healLink();
    await stage.served("default/web");

    await Promise.all(services.map((program) => program.stop()));
    for (const host of stage.balancers) {
      const tables = await host.output("nft", ["list", "tables"]);
      assert.match(tables, /inet other/, "what is not ours is left alone");
    }
  },
);

story(
  "who knocks without a pause at a VIP finds no service of a host, from its creation to its end",
  { hasIpv6: true, pools: [`both=${VIPS.join()}`] },
  async (stage) => {
    const services = await Promise.all(stage.balancers.map(listenEverywhere));
    await leadToEveryHost(stage);
    const own = stage.balancers.flatMap(({ address, ipv6 = "" }) => [address, ipv6]);
    const [vips, hosts] = [
      { addresses: VIPS, port: SSH, everyMs: 5 },
      { addresses: own, port: SSH, everyMs: 50 },
    ];
    await using knocker = await knockOnAndOn(stage.client, vips);
    await using proof = await knockOnAndOn(stage.client, hosts);
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    await stage.write("web.yaml", service({ name: "web", spec, members: ALL_MEMBERS }));
    await stage.served("default/web");
    await stage.backed();
    await refusedSince(stage, knocker, "they were made");

    // Each family has a lane and a holder of its own.
    for (const vip of VIPS) {
      const lost = stage.lab.host(await stage.recorder.waitForHolder(vip, TAKEOVER_MS_MAX));
      const pids = ["keepalived", "vrrp"].map((file) => pidOf(lost, `keepalived/${file}.pid`));
      await signalAll(lost, "KILL", pids);
      await stage.recorder.waitForHolder(vip, TAKEOVER_MS_MAX, lost.name);
      await stage.served("default/web");
      await stage.backed();
    }
    await refusedSince(stage, knocker, "others took them over");

    for (const vip of VIPS) {
      const holder = await stage.recorder.waitForHolder(vip, TAKEOVER_MS_MAX);
      const to = stage.balancers.find(({ name }) => name !== holder)?.name ?? "";
      const { code, stderr } = await stage.fairlead("move", vip, "--to", to);
      assert.equal(code, 0, stderr);
      await stage.recorder.waitForHolder(vip, TAKEOVER_MS_MAX, holder);
      await stage.inSync();
    }
    await refusedSince(stage, knocker, "they were moved");

    await stage.remove("web.yaml");
    const isGone = (): boolean => VIPS.every((vip) => stage.recorder.holders(vip).length === 0);
    await stage.recorder.waitUntil(isGone, TAKEOVER_MS_MAX, "nobody holds it");
    await stage.inSync();
    await openSince(stage, proof, own, monotonicMs());
    for (const one of [knocker, proof]) await one[Symbol.asyncDispose]();
    for (const vip of VIPS) {
      const opened = knocker.at(vip).filter(({ said }) => said === "open");
      assert.deepEqual(opened, [], `${vip} opened`);
    }
    for (const one of own) {
      const closed = proof.at(one).filter(({ said }) => said !== "open");
      assert.deepEqual(closed, [], `${one} answers all the time`);
    }
    await Promise.all(services.map((program) => program.stop()));
  },
);

/** Of the client's knocks at a VIP each host gets its share, whether it has the VIP or not. */
async function leadToEveryHost({ client, balancers }: Stage): Promise<void> {
  const hosts = (of: (host: Host) => string | undefined): readonly string[] =>
    balancers.flatMap((host) => ["nexthop", "via", of(host) ?? "", "dev", client.link]);
  for (const family of ["ipv4", "ipv6"]) {
    // Each connection by its port; and no host may send the client on to another.
    await client.output("sysctl", ["-w", `net.${family}.fib_multipath_hash_policy=1`]);
    await client.output("sysctl", ["-w", `net.${family}.conf.all.accept_redirects=0`]);
    await client.output("sysctl", ["-w", `net.${family}.conf.${client.link}.accept_redirects=0`]);
  }
  const [vip = "", vip6 = ""] = VIPS;
  await client.output("ip", ["route", "add", vip, ...hosts(({ address }) => address)]);
  await client.output("ip", ["-6", "route", "add", vip6, ...hosts(({ ipv6 }) => ipv6)]);
}

/** The host that has the VIP now refuses what comes to it. */
async function refusedSince(stage: Stage, knocker: Knocker, what: string): Promise<void> {
  const sinceMs = monotonicMs();
  const isRefused = ({ said, saidMs }: LateKnock): boolean =>
    said === "ECONNREFUSED" && saidMs > sinceMs;
  await stage.until(`VIPs refuse after ${what}`, () =>
    VIPS.every((vip) => knocker.at(vip).some(isRefused)) ? true : undefined,
  );
}

/** Knocks that were under way at that time are over when it has ended. */
async function openSince(
  stage: Stage,
  knocker: Knocker,
  own: readonly string[],
  sinceMs: number,
): Promise<void> {
  const isOver = ({ said, saidMs }: LateKnock): boolean =>
    said === "open" && saidMs > sinceMs + OVER_MS;
  await stage.until("the hosts' own addresses answer", () =>
    own.every((one) => knocker.at(one).some(isOver)) ? true : undefined,
  );
}

async function refusedWithin(stage: Stage, vips: readonly string[], ms: number): Promise<void> {
  const endMs = monotonicMs() + ms;
  for (;;) {
    const knocks = await knock(stage.client, ...vips.map((vip) => [vip, SSH] as const));
    if (knocks.every(({ said }) => said === "ECONNREFUSED")) return;
    assert.ok(monotonicMs() < endMs, `refused again within ${ms} ms`);
  }
}

/** It is dropped before keepalived hears it, and named all the same. */
async function strangersAreNotHeard(stage: Stage): Promise<void> {
  await using _stranger = await startStrangerRouter(stage);
  for (const host of stage.balancers) {
    const chain = await host.output("nft", ["list", "chain", "inet", "fairlead_guard", "vrrp"]);
    assert.match(chain, /counter packets [1-9]/, `${host.name} dropped it`);
  }
}
