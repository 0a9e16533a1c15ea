// A host whose services listen on every address of it, as sshd does: on a VIP they do not answer,
// on whichever host it is, and on the host's own addresses they do.

import assert from "node:assert/strict";

import { monotonicMs } from "@fairlead/lab";

import { knock } from "./stage/knocker.ts";
import { MEMBERS, service } from "./stage/manifests.ts";
import { answerAsTheyShould, listenEverywhere, SSH } from "./stage/open-host.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { startStrangerRouter } from "./stage/stranger-router.ts";

const REPAIRED_MS_MAX = 2_000;
const TAKEOVER_MS_MAX = 5_000;

story(
  "a VIP answers on its listeners alone, on the holder and on the host that takes it over",
  { hasIpv6: true, pools: ["both=10.77.0.100-10.77.0.110,fd77::100-fd77::110"] },
  async (stage) => {
    const services = await Promise.all(stage.balancers.map(listenEverywhere));
    for (const host of stage.balancers) await host.output("nft", ["add", "table", "inet", "other"]);
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    const members = [...MEMBERS, "fd77::21", "fd77::22"];
    await stage.write("web.yaml", service({ name: "web", spec, members }));
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
