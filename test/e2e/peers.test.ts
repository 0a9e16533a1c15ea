// What hosts notice of each other: adverts that a firewall drops while all else passes, and a
// stranger that takes an address that one of ours holds. Both are said with what to do, and neither
// lasts longer than it must.

import assert from "node:assert/strict";

import { service } from "./stage/manifests.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** The number of VRRP among IP's protocols. */
const VRRP = 112;
/** Two readings of silence, and the next word of the holder. */
const UNHEARD_MS_MAX = 12_000;
/** A round of asking, and one to be sure. */
const SEEN_MS_MAX = 20_000;

story(
  "adverts are dropped between two hosts: one alone runs their new lane, and a stranger is named",
  { balancers: 2 },
  async (stage) => {
    const [, second] = stage.balancers;
    assert.ok(second !== undefined);
    await second.dropProtocol(VRRP);
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    const first = await remarkOf(stage, "PeersUnheard", UNHEARD_MS_MAX);
    const took = stage.recorder.history().filter((one) => one.address === address);
    assert.deepEqual(
      took.map(({ event, host }) => `${event} ${host}`),
      [`added ${holder}`],
      "it was never on the other one",
    );
    assert.ok(first.detail.includes(holder), first.detail);
    assert.match(first.remedy, /^Let IP protocol 112 pass between the two/);
    await second.passProtocol(VRRP);
    await heard(stage, address);

    const [stranger] = stage.members;
    assert.ok(stranger !== undefined);
    const mac = (await stranger.output("cat", [`/sys/class/net/${stranger.link}/address`])).trim();
    await stranger.output("ip", ["address", "add", `${address}/32`, "dev", stranger.link]);
    const wrong = await remarkOf(stage, "HolderWrong", SEEN_MS_MAX);
    assert.ok(wrong.detail.startsWith(`${mac} answers for ${address} instead of ${holder}`));
    await stranger.output("ip", ["address", "del", `${address}/32`, "dev", stranger.link]);
  },
);

interface Said {
  readonly reason: string;
  readonly detail: string;
  readonly remedy: string;
}

type List = Parameters<Parameters<Stage["until"]>[1]>[0];

/** Waits until all is well, and the successor is one again. */
async function heard(stage: Stage, address: string): Promise<void> {
  await stage.until(
    "nobody misses adverts",
    (list) => (saidOf(list).length === 0 ? true : undefined),
    UNHEARD_MS_MAX,
  );
  await stage.served("default/web");
  for (const host of stage.balancers) {
    const config = await host.readFile("/run/fairlead/keepalived/keepalived.conf");
    assert.ok(config.includes(address), `${host.name} stands by, or holds`);
  }
}

async function remarkOf(stage: Stage, reason: string, ms: number): Promise<Said> {
  return await stage.until(
    `${reason} is said`,
    (list) => saidOf(list).find((remark) => remark?.reason === reason),
    ms,
  );
}

function saidOf(list: List): readonly Said[] {
  const claim = claimOf(list, "default/web");
  return [claim?.main, ...(claim?.remarks ?? [])].flatMap((remark) => remark ?? []);
}
