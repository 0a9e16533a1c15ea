// A host where nft takes nothing for the table of members: who waits for it says so in nft's own
// words, who does not is served as before, and all of it comes by itself when the cause is gone.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { dataPathOf, untilHost } from "./stage/daemons.ts";
import { MEMBERS, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers } from "./stage/visitor.ts";

const ONE_HOST = { balancers: 1 };
/** The agent tries again every five seconds. */
const AGAIN_MS_MAX = 15_000;
const BOTH = ["web", "shop"];
/** In one transaction: there is no moment at which the agent could have its own again. */
const OWNED = "delete table inet fairlead_members; table inet fairlead_members { flags owner; }\n";
const NOT_OURS =
  /the table of members cannot be written: nft: Could not process rule: Operation not permitted in \/\S+\/members\.nft\.refused:1: table inet fairlead_members/;
const NO_NFT = /the table of members cannot be written: cannot run \/\S+\/nft: permission denied/;

story(
  "a stranger keeps the table of members to itself: each Service says so, until it ends",
  ONE_HOST,
  async (stage) => {
    for (const name of BOTH) await stage.write(`${name}.yaml`, service({ name }));
    const [web] = await Promise.all(BOTH.map((name) => stage.served(`default/${name}`)));
    assert.ok(web !== undefined);
    const host = stage.lab.host(web.holder);
    const stranger = await host.start("nft", ["-i"]);
    stranger.write(OWNED);
    for (const name of BOTH) await saidOf(stage, name, NOT_OURS);
    const chain = await stage.fairlead("explain", "default/web");
    assert.match(chain.stdout, NOT_OURS);
    const list = await stage.asker.list();
    // Nobody reaches a member: nothing of that is called served.
    for (const name of BOTH) assert.equal(claimOf(list, `default/${name}`)?.state, "pending");
    const words = list.agents.flatMap(({ remarks }) => remarks.map(({ detail }) => detail));
    assert.match(words.join("\n"), /; members wait for it of default\/\w+, default\/\w+$/m);

    await stage.write("web.yaml", service({ name: "web", members: MEMBERS.slice(1) }));
    await stranger.stop();
    for (const name of BOTH) await stage.served(`default/${name}`, AGAIN_MS_MAX);
    await nothingSaid(stage);
    assert.deepEqual(await whoAnswers(stage, web.address), ["member2"]);
  },
);

story(
  "a stranger takes the holder's table of members: another host serves, and it may come back",
  { balancers: 2 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const host = stage.lab.host(holder);
    const stranger = await host.start("nft", ["-i"]);
    stranger.write(OWNED);
    await stage.until("the other one serves it", (list) => {
      const claim = claimOf(list, "default/web");
      const isNext = claim?.addresses[0]?.holder !== holder;
      return (isNext && claim?.state === "ready") || undefined;
    });
    await untilHost(host, "its lanes left it", () => dataPathOf(host) === "1");
    assert.deepEqual(await whoAnswers(stage, address), ["member1", "member2"]);
    await stranger.stop();
    await untilHost(host, "it may hold lanes again", () => dataPathOf(host) === "0");
    await nothingSaid(stage);
    assert.notDeepEqual(stage.recorder.holders(address), [holder], "who is back takes nothing");
  },
);

story(
  "a host loses its nft: a Service whose members change says so, and others are served as before",
  ONE_HOST,
  async (stage) => {
    for (const name of BOTH) await stage.write(`${name}.yaml`, service({ name }));
    const served = await Promise.all(BOTH.map((name) => stage.served(`default/${name}`)));
    const [web, shop] = served;
    assert.ok(web !== undefined && shop !== undefined);
    await stage.inSync();
    const host = stage.lab.host(web.holder);
    await using probe = await startProbe(stage.client, { address: shop.address, port: 80 });
    await probe.waitForAnswer(5_000);
    const nft = (await host.output("sh", ["-c", "command -v nft"])).trim();
    await host.output("mount", ["--bind", "/dev/null", nft]);

    await stage.write("web.yaml", service({ name: "web", members: MEMBERS.slice(1) }));
    await saidOf(stage, "web", NO_NFT);
    const list = await stage.asker.list();
    assert.deepEqual(claimOf(list, "default/shop")?.remarks, []);
    for (const name of BOTH) assert.equal(claimOf(list, `default/${name}`)?.state, "ready");
    // The members that it had are there still.
    assert.deepEqual(await whoAnswers(stage, web.address), ["member1", "member2"]);

    await host.output("umount", [nft]);
    await nothingSaid(stage);
    assert.deepEqual(await whoAnswers(stage, web.address), ["member2"]);
    noneFailed(await probe.stop());
  },
);

/** Waits until the Service has these words, with a code and what to do. */
async function saidOf(stage: Stage, name: string, words: RegExp): Promise<void> {
  await stage.until(`default/${name} says ${words}`, (list) => {
    const claim = claimOf(list, `default/${name}`);
    const said = [claim?.main, ...(claim?.remarks ?? [])];
    return said.some((one) => one?.code === "FL0411" && words.test(one.detail)) || undefined;
  });
}

/** Waits until no Service and no agent has anything to say. */
async function nothingSaid(stage: Stage): Promise<void> {
  await stage.until(
    "nothing is said any more",
    ({ claims, agents }) =>
      [...claims, ...agents].every(({ remarks }) => remarks.length === 0) || undefined,
    AGAIN_MS_MAX,
  );
}

async function whoAnswers({ client }: Stage, address: string): Promise<readonly string[]> {
  return Object.keys(await answers(client, { address, port: 80 }));
}
