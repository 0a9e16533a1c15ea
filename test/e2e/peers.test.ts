// What hosts notice of each other: adverts that a firewall drops while all else passes, a stranger
// that takes an address that one of ours holds, and a holder that answers for it no more. All are
// said with what to do, and none lasts longer than it must.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** The number of VRRP among IP's protocols. */
const VRRP = 112;
/** Two readings of silence, and the next word of the holder. */
const UNHEARD_MS_MAX = 12_000;
/**
 * A host misses adverts for 0.3 s and then holds the lane; half a second later it is asked who else
 * does, and a second is for a slow machine.
 */
const BOTH_MS_MAX = 2000;
/** Then the clients of the one that gave it up come back to the other one. */
const TOLD_MS_MAX = 1000;
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
    await allWell(stage, address, UNHEARD_MS_MAX);

    const [stranger] = stage.members;
    assert.ok(stranger !== undefined);
    const mac = (await stranger.output("cat", [`/sys/class/net/${stranger.link}/address`])).trim();
    await stranger.output("ip", ["address", "add", `${address}/32`, "dev", stranger.link]);
    const wrong = await remarkOf(stage, "HolderWrong", SEEN_MS_MAX);
    assert.ok(wrong.detail.startsWith(`${mac} answers for ${address} instead of ${holder}`));
    await stranger.output("ip", ["address", "del", `${address}/32`, "dev", stranger.link]);
  },
);

story(
  "a firewall comes up between the hosts of a lane: two hold it for a second, and it is said",
  { balancers: 2 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    await stage.backed();
    const second = stage.balancers.find(({ name }) => name !== holder);
    assert.ok(second !== undefined);
    await using probe = await startProbe(stage.client, { address, port: 80 });
    await probe.waitForAnswer(5_000);
    await second.dropProtocol(VRRP);
    await remarkOf(stage, "PeersUnheard", UNHEARD_MS_MAX);
    const times = stage.recorder
      .history()
      .filter((one) => one.address === address && one.host === second.name);
    assert.deepEqual(
      times.map(({ event }) => event),
      ["added", "removed"],
      "the later one gave it up, once",
    );
    const [added, removed] = times.map(({ atMs }) => atMs);
    assert.ok(added !== undefined && removed !== undefined);
    const bothMs = removed - added;
    assert.ok(bothMs <= BOTH_MS_MAX, `two held it for ${bothMs} ms`);
    assert.deepEqual(stage.recorder.holders(address), [holder], "who had it has it");
    const { allTries } = await probe.stop();
    const late = allTries.filter(
      ({ member, atMs }) => member === undefined && atMs > removed + TOLD_MS_MAX,
    );
    assert.deepEqual(late, [], "neighbours are told again who has it");
    await second.passProtocol(VRRP);
    await allWell(stage, address, UNHEARD_MS_MAX);
  },
);

/** A firewall that lets no answer out by which others find these addresses. */
const mute = (ipv4: string, ipv6: string): string => `
table arp mute { chain out { type filter hook output priority 0
  arp saddr ip ${ipv4} drop
}
}
table ip6 mute { chain out { type filter hook output priority 0
  ip6 saddr ${ipv6} icmpv6 type nd-neighbor-advert drop
}
}
`;
const SPEAK = "nft delete table arp mute; nft delete table ip6 mute";

story(
  "holders answer no ARP and no neighbour discovery: that is said of each address, until they do",
  { balancers: 2, hasIpv6: true, pools: ["lan=10.77.0.100-10.77.0.110,fd77::100-fd77::110"] },
  async (stage) => {
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    const members = stage.members.flatMap(({ address, ipv6 = "" }) => [address, ipv6]);
    await stage.write("web.yaml", service({ name: "web", spec, members }));
    const served = await stage.served("default/web");
    await stage.backed();
    const [ipv4, ipv6] = ["10.77.0.100", "fd77::100"] as const;
    const wanted = [ipv4, ipv6].map((address) => {
      const [holder] = stage.recorder.holders(address);
      const other = stage.balancers.find(({ name }) => name !== holder)?.name;
      return `${other} asked for ${address}, and ${holder} did not answer`;
    });
    for (const host of stage.balancers) {
      await host.output("nft", ["--file", "-"], { input: mute(ipv4, ipv6) });
    }
    await stage.until(
      "HolderUnseen is said of both",
      (list) => {
        const unseen = saidOf(list).filter(({ reason }) => reason === "HolderUnseen");
        return unseen.map(({ detail }) => detail).join() === wanted.join() || undefined;
      },
      SEEN_MS_MAX,
    );
    assert.deepEqual(await stage.served("default/web"), served, "it stays where it is");

    for (const host of stage.balancers) await host.output("sh", ["-euc", SPEAK]);
    await allWell(stage, ipv4, SEEN_MS_MAX);
    await allWell(stage, ipv6, SEEN_MS_MAX);
  },
);

interface Said {
  readonly reason: string;
  readonly detail: string;
  readonly remedy: string;
}

type List = Parameters<Parameters<Stage["until"]>[1]>[0];

/** Waits until nothing is said, and the successor is one again. */
async function allWell(stage: Stage, address: string, ms: number): Promise<void> {
  await stage.until("all is well", (list) => (saidOf(list).length === 0 ? true : undefined), ms);
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
