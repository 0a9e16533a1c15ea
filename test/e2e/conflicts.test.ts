// Conflicts with the world: hosts on the same network that are none of ours and have what we were
// about to use, or had been using until one of our hosts was down.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, program, type Stage, type StageOptions } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { startStrangerRouter } from "./stage/stranger-router.ts";
import { answers } from "./stage/visitor.ts";

/** The pool, its first address, one that is wished for, and the hosts that have such addresses. */
const FAMILIES: readonly {
  readonly family: "IPv4" | "IPv6";
  readonly first: string;
  readonly wish: string;
  readonly options: StageOptions;
}[] = [
  { family: "IPv4", first: "10.77.0.100", wish: "10.77.0.120", options: {} },
  {
    family: "IPv6",
    first: "fd77::100",
    wish: "fd77::120",
    options: { isIpv6Only: true, pools: ["lan=fd77::100-fd77::150"] },
  },
];

/** An agent asks again every five seconds, and then takes the address. */
const AGAIN_MS_MAX = 20_000;
/** Until an agent that has booted follows its old plan, and has asked for its addresses. */
const ASKED_MS_MAX = 20_000;

for (const { family, first, wish, options } of FAMILIES) {
  story(
    `a stranger has the first ${family} address of the pool and a wished one: one is passed over, ` +
      "one refused",
    options,
    async (stage) => {
      const stranger = await strangerAt(stage, first, wish);
      const [asking] = stage.balancers;
      await assertAsked(asking, first, stranger.mac);

      const members = stage.members.map(({ address }) => address);
      const spec = { loadBalancerIP: wish };
      await stage.write("wish.yaml", service({ name: "wish", spec, members }));
      await stage.write("web.yaml", service({ name: "web", members }));
      await refused(stage, "default/wish", stranger.mac);
      const chain = await stage.fairlead("explain", "default/wish");
      assert.match(chain.stdout, /FL0415.*<-- here/);

      const { address } = await stage.served("default/web");
      assert.notEqual(address, first);
      await answers(stage.client, { address, port: 80 });
      for (const taken of [first, wish]) {
        assert.deepEqual(stage.recorder.holders(taken), [], `nobody of ours ever had ${taken}`);
      }

      await stranger.giveUp(wish);
      assert.equal((await stage.served("default/wish")).address, wish, "once it has gone");
      await using probe = await startProbe(stage.client, { address: wish, port: 80 });
      await probe.waitForAnswer(5_000);
      noneFailed(await probe.stop());
    },
  );

  story(
    `a keepalived of somebody else uses our router id over ${family}: it is named, what we serve ` +
      "stays, and no id of its own is chosen anew",
    options,
    async (stage) => {
      const members = stage.members.map(({ address }) => address);
      await stage.write("web.yaml", service({ name: "web", members }));
      const served = await stage.served("default/web");
      const before = await routerIds(stage);
      const events = stage.recorder.history().length;
      await using stranger = await startStrangerRouter(stage);
      assert.deepEqual(await stage.served("default/web"), served, "it stays where it is");
      assert.equal(stage.recorder.history().length, events, "no address was taken or given up");
      await answers(stage.client, { address: served.address, port: 80 });

      const names = ["a", "b", "c", "d"];
      await stage.write(
        "more.yaml",
        names.flatMap((name) => service({ name, members })),
      );
      for (const name of names) await stage.served(`default/${name}`);
      const ids = await routerIds(stage);
      assert.ok(ids.length > before.length, `new lanes were opened: ${ids.join()}`);
      assert.ok(!ids.includes(stranger.nextId), `none has the stranger's id: ${ids.join()}`);
    },
  );
}

story(
  "a stranger has a host's addresses since its crash: they are asked for at its boot, without a " +
    "controller, and served when he has gone",
  { balancers: 1, hasIpv6: true, pools: ["both=10.77.0.100-10.77.0.110,fd77::100-fd77::110"] },
  async (stage) => {
    const [ipv4, ipv6] = ["10.77.0.105", "fd77::105"] as const;
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    const annotations = { "fairlead.io/addresses": `${ipv4},${ipv6}` };
    const members = ["10.77.0.21", "10.77.0.22", "fd77::21", "fd77::22"];
    await stage.write("web.yaml", service({ name: "web", spec, annotations, members }));
    await stage.served("default/web");
    const [host] = stage.balancers;
    assert.ok(host !== undefined);
    const agent = stage.agent(host.name);

    await stage.controller.kill();
    agent.abandon();
    await host.crash();
    const stranger = await strangerAt(stage, ipv4, ipv6);
    await host.boot();
    const held = (): readonly string[] =>
      stage.recorder.heldBy(host.name).filter((one) => one === ipv4 || one === ipv6);
    const taken = (): readonly string[] => {
      const { address } = host;
      const events = stage.recorder.history();
      const boot = events.findLastIndex((one) => one.address === address && one.event === "added");
      return events
        .slice(boot)
        .filter(({ event }) => event === "added")
        .map((one) => one.address);
    };
    await agent.start();
    for (const address of [ipv4, ipv6]) {
      const words = `left out .*reason=AddressInUse .*${stranger.mac} answers for ${address} `;
      await agent.waitForLine(new RegExp(words, "u"), ASKED_MS_MAX);
      await assertAsked(host, address, stranger.mac);
    }
    assert.deepEqual(held(), []);

    // One leaves while nobody could tell the agent what to do.
    await stranger.giveUp(ipv6);
    await stage.recorder.waitForHolder(ipv6, AGAIN_MS_MAX);
    await answers(stage.client, { address: ipv6, port: 80 });
    assert.deepEqual(held(), [ipv6]);

    await stage.controller.start();
    await refused(stage, "default/web", stranger.mac);
    assert.ok(!taken().includes(ipv4), "nobody of ours had it beside the stranger");
    await stranger.giveUp(ipv4);
    await stage.served("default/web", AGAIN_MS_MAX);
    for (const address of [ipv4, ipv6]) await answers(stage.client, { address, port: 80 });
    assert.deepEqual(
      taken().filter((one) => one === ipv4 || one === ipv6),
      [ipv6, ipv4],
      "each was taken once",
    );
  },
);

/** A host that is none of ours, with addresses. */
interface Stranger {
  readonly mac: string;
  giveUp(address: string): Promise<void>;
}

async function strangerAt(stage: Stage, ...addresses: readonly string[]): Promise<Stranger> {
  const [host] = stage.members;
  assert.ok(host !== undefined);
  const change = async (verb: "add" | "del", address: string): Promise<void> => {
    const prefix = `${address}/${address.includes(":") ? 128 : 32}`;
    await host.output("ip", ["address", verb, prefix, "dev", host.link]);
  };
  for (const address of addresses) await change("add", address);
  const mac = (await host.output("cat", [`/sys/class/net/${host.link}/address`])).trim();
  return { mac, giveUp: (address) => change("del", address) };
}

/** The agent of the host, asked by hand, names the stranger. */
async function assertAsked(host: Host | undefined, address: string, mac: string): Promise<void> {
  const args = ["check", "address", address];
  const asked = await host?.exec(program("fairlead"), args, { timeoutMs: 30_000 });
  assert.equal(asked?.code, 1, asked?.stderr);
  assert.match(asked?.stdout ?? "", new RegExp(`^${mac}, which is none of our hosts`));
}

async function refused(stage: Stage, name: string, mac: string): Promise<void> {
  const claim = await stage.until(`${name} is refused`, (list) => {
    const found = claimOf(list, name);
    return found?.state === "refused" ? found : undefined;
  });
  assert.equal(claim.main?.reason, "AddressInUse");
  assert.ok(claim.main.detail.includes(mac), `${claim.main.detail} names ${mac}`);
}

/** The ids of all lanes, from the files of all hosts, once each of them stands by. */
async function routerIds(stage: Stage): Promise<readonly number[]> {
  await stage.backed();
  const files = await Promise.all(
    stage.balancers.map((host) => host.readFile("/run/fairlead/keepalived/keepalived.conf")),
  );
  const ids = files.flatMap((file) => [...file.matchAll(/virtual_router_id (\d+)/gu)]);
  return [...new Set(ids.map(([, id]) => Number(id)))].toSorted((a, b) => a - b);
}
