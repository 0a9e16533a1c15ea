// Addresses and ports that are wished for, taken or many: one address asked for twice, a port that
// the host itself listens on, two hundred VIPs, IPv6 beside IPv4.

import assert from "node:assert/strict";

import { type Host, type RunningProgram, startProbe } from "@fairlead/lab";

import { HTTP, pool, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { squat } from "./stage/squatter.ts";
import { answers, visit } from "./stage/visitor.ts";

const WISH = "10.77.0.120";
/** Holders announce what they have every 30 s. */
const REFRESH_MS_MAX = 32_000;
const MANY = 200;

/** Who asks for a port that another process of the hosts has is told so within this, in ms. */
const TAKEN_MS_MAX = 3000;

story(
  "two Services ask for one address: the first keeps it, the second waits",
  {},
  async (stage) => {
    const spec = { loadBalancerIP: WISH };
    await stage.write("first.yaml", service({ name: "first", spec }));
    assert.equal((await stage.served("default/first")).address, WISH);
    await using probe = await startProbe(stage.client, { address: WISH, port: 80 });
    await probe.waitForAnswer(5_000);

    await stage.write("second.yaml", service({ name: "second", spec }));
    const refused = await stage.until("the second is refused", (list) => {
      const claim = claimOf(list, "default/second");
      return claim?.state === "refused" ? claim : undefined;
    });
    assert.equal(refused.main?.reason, "AddressTaken");
    assert.match(refused.main.detail, /default\/first/);
    const chain = await stage.fairlead("explain", "default/second");
    assert.equal(chain.code, 1);
    assert.match(chain.stdout, /default\/first.*<-- here/);
    assert.equal((await stage.served("default/first")).address, WISH);
    noneFailed(await probe.stop());

    await stage.remove("first.yaml");
    assert.equal((await stage.served("default/second")).address, WISH, "once it is free");
  },
);

story(
  "who shares an address keeps it when the other goes, and who waits has it when both are gone",
  { pools: [] },
  async (stage) => {
    const spec = { addresses: [WISH], quarantine: "0s" };
    await stage.write("pool.yaml", [{ ...pool("one", [WISH]), spec }]);
    const annotations = { "fairlead.io/sharing-key": "shop" };
    const ports = [{ ...HTTP, port: 443 }];
    await stage.write("web.yaml", service({ name: "web", annotations }));
    const web = await stage.served("default/web");
    await stage.write("api.yaml", service({ name: "api", annotations, ports }));
    assert.deepEqual(await stage.served("default/api"), web, "it shares address and holder");
    assert.equal(web.address, WISH);
    for (const port of [80, 443]) {
      await answers(stage.client, { address: WISH, port });
    }

    await stage.write("late.yaml", service({ name: "late" }));
    await stage.until("the third waits", (list) => {
      const claim = claimOf(list, "default/late");
      const isWaiting = claim?.state === "pending" && claim.addresses.length === 0;
      return isWaiting && claim.main?.reason === "PoolExhausted" ? true : undefined;
    });

    await using probe = await startProbe(stage.client, { address: WISH, port: 443 });
    await probe.waitForAnswer(5_000);
    await stage.remove("web.yaml");
    await stage.until("the first is gone", (list) => {
      const owners = list.addresses.find(({ address }) => address === WISH)?.owners;
      return owners?.length === 1 ? true : undefined;
    });
    assert.deepEqual(await stage.served("default/api"), web);
    const left = await visit(stage.client, [`${WISH}:80`]);
    assert.doesNotMatch(left[`${WISH}:80`] ?? "", /^member/, "its port is gone with it");
    const { claims } = await stage.asker.list();
    assert.equal(claims.find(({ name }) => name === "late")?.main?.reason, "PoolExhausted");
    noneFailed(await probe.stop());

    await stage.remove("api.yaml");
    assert.equal((await stage.served("default/late")).address, WISH);
    await answers(stage.client, { address: WISH, port: 80 });
  },
);

story("a port of the host itself is refused by name, until it is free", {}, async (stage) => {
  await stage.write("other.yaml", service({ name: "other" }));
  const other = await stage.served("default/other");
  await using probe = await startProbe(stage.client, { address: other.address, port: 80 });
  await probe.waitForAnswer(5_000);

  // As sshd does on port 22, on every load-balancer host.
  const squatters = await Promise.all(stage.balancers.map((host) => squat(host, 2222)));
  const ports = [{ name: "ssh", port: 2222, targetPort: 8080 }];
  await stage.write("ssh.yaml", service({ name: "ssh", ports }));
  const taken = await stage.until(
    "the port is refused",
    (list) => {
      const claim = claimOf(list, "default/ssh");
      return claim?.main?.reason === "PortTaken" ? claim : undefined;
    },
    TAKEN_MS_MAX,
  );
  assert.notEqual(taken.state, "ready");
  assert.match(taken.main?.detail ?? "", /perl/, "the process is named");
  assert.match(taken.main?.detail ?? "", /2222/);
  const { agents } = await stage.asker.list();
  assert.ok(agents.some(({ remarks }) => remarks.some(({ reason }) => reason === "PortTaken")));
  const chain = await stage.fairlead("explain", "default/ssh");
  assert.match(chain.stdout, /FL0405.*<-- here/);
  assert.deepEqual(await stage.served("default/other"), other, "others are served");

  await Promise.all(squatters.map((squatter) => squatter.stop()));
  const ssh = await stage.served("default/ssh", 30_000);
  const seen = await visit(stage.client, [`${ssh.address}:2222`]);
  assert.match(seen[`${ssh.address}:2222`] ?? "", /^member\d 8080 /);
  noneFailed(await probe.stop(), "a client of another Service");
});

story(
  "two hundred VIPs are served, fail over together and are given up",
  { pools: ["many=10.77.0.40-10.77.0.254"] },
  async (stage) => {
    const names = Array.from({ length: MANY }, (_, index) => `s${index}`);
    await stage.write(
      "many.yaml",
      names.flatMap((name) => service({ name })),
    );
    await allServed(stage, names);
    const targets = await targetsOf(stage, names);
    assert.equal(new Set(targets).size, MANY);
    assert.deepEqual(await silentOf(stage, targets), []);
    const spread = stage.balancers.map((host) => vipsOf(stage, host).length);
    assert.ok(Math.min(...spread) > 0, `every host carries some: ${spread.join(" ")}`);

    const [lost] = stage.balancers;
    assert.ok(lost !== undefined);
    const moved = vipsOf(stage, lost);
    await stage.backed();
    await using neighbours = await stage.client.start("ip", ["-o", "monitor", "neigh"]);
    await lost.cutLink();
    await stage.recorder.waitUntil(
      () => moved.every((address) => othersOf(stage, address, lost).length === 1),
      10_000,
      "every address of the lost host is elsewhere",
    );
    await announcedInOrder(stage, moved, neighbours);
    assert.deepEqual(await silentOf(stage, targets), []);
    await lost.healLink();
    await allServed(stage, names);

    await stage.remove("many.yaml");
    await stage.write("one.yaml", service({ name: "one" }));
    await stage.until(
      "all are given up",
      (list) => {
        const held = list.addresses.filter(({ state }) => state !== "quarantined");
        return list.claims.length === 1 && held.length === 1 ? true : undefined;
      },
      30_000,
    );
    await stage.served("default/one");
  },
);

story(
  "a dual-stack Service is answered on both of its addresses, also after a failover",
  { hasIpv6: true, pools: ["both=10.77.0.100-10.77.0.110,fd77::100-fd77::110"] },
  async (stage) => {
    const spec = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    const members = ["10.77.0.21", "10.77.0.22", "fd77::21", "fd77::22"];
    await stage.write("web.yaml", service({ name: "web", spec, members, ports: [HTTP] }));
    const { holder } = await stage.served("default/web");
    await stage.backed();
    const list = await stage.asker.list();
    const [ipv4 = "", ipv6 = ""] =
      claimOf(list, "default/web")?.addresses.map(({ address }) => address) ?? [];
    assert.deepEqual([ipv4, ipv6], ["10.77.0.100", "fd77::100"]);
    for (const address of [ipv4, ipv6]) {
      const byMember = await answers(stage.client, { address, port: 80 });
      assert.deepEqual(Object.keys(byMember), ["member1", "member2"], address);
    }

    await toldAgain(stage, [ipv4, ipv6]);
    await stage.lab.host(holder).cutLink();
    for (const address of [ipv4, ipv6]) {
      await stage.recorder.waitUntil(
        () => othersOf(stage, address, stage.lab.host(holder)).length === 1,
        10_000,
        `another host has ${address}`,
      );
      await answers(stage.client, { address, port: 80 }, 5);
    }
    await stage.lab.host(holder).healLink();
    await stage.served("default/web");
  },
);

/** A client that has an old MAC address of them in mind, and asks nobody, learns who has them. */
async function toldAgain(
  { client, lab, recorder }: Stage,
  addresses: readonly string[],
): Promise<void> {
  await using neighbours = await client.start("ip", ["-o", "monitor", "neigh"]);
  for (const address of addresses) {
    const old = ["lladdr", "02:00:00:00:de:ad", "dev", client.link, "nud", "stale"];
    await client.output("ip", ["neigh", "replace", address, ...old]);
  }
  for (const address of addresses) {
    const mac = await macOf(lab.host(recorder.holders(address).join()));
    const word = `^${address.replaceAll(".", "\\.")} .*lladdr ${mac}`;
    await neighbours.waitForLine(new RegExp(word), REFRESH_MS_MAX);
  }
}

async function macOf(host: Host): Promise<string> {
  return (await host.output("cat", [`/sys/class/net/${host.link}/address`])).trim();
}

async function allServed(stage: Stage, names: readonly string[]): Promise<void> {
  await stage.until(
    "all Services are ready and settled",
    ({ claims, agents }) => {
      const isReady =
        claims.length === names.length && claims.every((one) => one.state === "ready");
      const isSettled = agents.every(
        ({ state, sync }) => state === "connected" && sync === "in-sync",
      );
      return isReady && isSettled ? true : undefined;
    },
    40_000,
  );
}

async function targetsOf(stage: Stage, names: readonly string[]): Promise<readonly string[]> {
  const list = await stage.asker.list();
  return names.map((name) => `${claimOf(list, `default/${name}`)?.addresses[0]?.address}:80`);
}

/** Those that do not answer to one visit. */
async function silentOf(stage: Stage, targets: readonly string[]): Promise<readonly string[]> {
  const seen = await visit(stage.client, targets);
  return targets.filter((target) => !/^member\d /.test(seen[target] ?? ""));
}

/** What the client's kernel learns of new holders comes in the order of their lanes' files. */
async function announcedInOrder(
  stage: Stage,
  moved: readonly string[],
  neighbours: RunningProgram,
): Promise<void> {
  for (const host of stage.balancers) {
    const taken = moved.filter((address) => stage.recorder.holders(address).includes(host.name));
    const file = await host.readFile("/run/fairlead/keepalived/keepalived.conf");
    const listed = taken.toSorted((a, b) => file.indexOf(` ${a}/32`) - file.indexOf(` ${b}/32`));
    const mac = await macOf(host);
    const last = listed.at(-1);
    if (last === undefined) continue;
    const word = `^${last.replaceAll(".", "\\.")} .*lladdr ${mac}`;
    await neighbours.waitForLine(new RegExp(word), 5_000);
    const heard = neighbours
      .lines()
      .filter((line) => line.includes(` lladdr ${mac} `))
      .map((line) => line.split(" ")[0] ?? "")
      .filter((address) => taken.includes(address));
    assert.deepEqual([...new Set(heard)], listed, host.name);
  }
}

function vipsOf(stage: Stage, host: Host): readonly string[] {
  const own = [host.address, host.ipv6];
  return stage.recorder
    .heldBy(host.name)
    .filter((address) => !own.includes(address) && !address.startsWith("169.254."));
}

function othersOf(stage: Stage, address: string, host: Host): readonly string[] {
  return stage.recorder.holders(address).filter((name) => name !== host.name);
}
