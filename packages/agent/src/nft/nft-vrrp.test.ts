// Hearing VRRP on a real kernel in a sandbox: a keepalived in a namespace of its own that speaks to
// the group is heard by its address and id, and nothing is left behind.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { createFakeClock, createLogger, createSystemClock } from "@fairlead/runtime";
import type { DeviceName, Link } from "@fairlead/model";
import { address, device, hostile, inSandbox, nftFaults, VRRP_WORDS } from "@fairlead/testkit";
import { run } from "../neighbour-stage.ts";
import type { RouterSets } from "../ports.ts";
import { createNetlinkSets } from "../netlink/netlink-sets.ts";
import { createNftVrrp, forgetHeard } from "./nft-vrrp.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const NFT = "/usr/sbin/nft";
const LINKS: readonly Link[] = [
  {
    name: device("eth0"),
    mac: "02:00:00:00:00:01",
    up: true,
    primary: true,
    prefixes: [{ address: address("192.0.2.11"), length: 24 }],
  },
];

async function until(isSo: () => boolean): Promise<void> {
  const endMs = clock.nowMs() + 10_000;
  while (!isSo() && clock.nowMs() < endMs) await clock.sleep(50);
  assert.ok(isSo());
}

const CONFIG = `
global_defs {
  vrrp_version 3
}
vrrp_instance stranger {
  state MASTER
  interface eth0
  virtual_router_id 77
  priority 200
  advert_int 0.1
  virtual_ipaddress {
    192.0.2.99/32
  }
}
`;

inSandbox({ file: import.meta.url, name: "vrrp" }, () => {
  test("a keepalived of somebody else is heard, and our table goes when nobody listens", async () => {
    await run("/usr/bin/mount", ["-t", "tmpfs", "tmpfs", "/run"]);
    const lines = [
      "netns add other",
      "link add eth0 type veth peer name eth0 netns other",
      "address add 192.0.2.11/24 dev eth0",
      "link set eth0 up",
    ];
    await run("/usr/sbin/ip", ["-batch", "-"], `${lines.join("\n")}\n`);
    const inside = ["address add 192.0.2.77/24 dev eth0", "link set eth0 up"];
    await run("/usr/sbin/ip", ["-n", "other", "-batch", "-"], `${inside.join("\n")}\n`);
    await writeFile("/run/stranger.conf", CONFIG);
    const start = ["netns", "exec", "other", "/usr/sbin/keepalived", "--dont-fork", "--vrrp"];
    const files = ["-f", "/run/stranger.conf", "-p", "/run/a.pid", "-r", "/run/b.pid"];
    const stranger = spawn("/usr/sbin/ip", [...start, ...files], { stdio: "ignore" });
    try {
      // Time is moved by hand for how often it reads; what the kernel does takes its own.
      let aheadMs = 0;
      const ahead = { ...clock, nowMs: () => clock.nowMs() + aheadMs };
      await using reads = await createNetlinkSets();
      await using vrrp = createNftVrrp({ program: NFT, sets: reads, clock: ahead, logger });
      const endMs = clock.nowMs() + 20_000;
      while (vrrp.heard(LINKS).length === 0 && clock.nowMs() < endMs) {
        aheadMs += 5000;
        await clock.sleep(50);
      }
      const rules = await run(NFT, ["list", "table", "inet", "fairlead_vrrp"]);
      assert.deepEqual(nftFaults(rules, VRRP_WORDS), []);
      assert.deepEqual(vrrp.heard(LINKS), [{ routerId: 77, source: "192.0.2.77", link: "eth0" }]);
      await until(() => vrrp.adverts(0)?.adverts[0]?.source === "192.0.2.77");
      assert.ok(vrrp.isAble);

      // A firewall of the host: what it drops comes to the link, and to nobody's socket.
      const chain = "type filter hook input priority 10\n ip protocol 112 drop";
      await run(NFT, ["-f", "-"], `table inet firewall {\n chain in {\n ${chain}\n }\n}\n`);
      const missed = (): boolean => {
        const hearing = vrrp.adverts(0);
        const lastMs = hearing?.adverts[0]?.lastMs;
        return lastMs !== undefined && hearing !== undefined && hearing.readMs - lastMs >= 1000;
      };
      await until(missed);
      assert.equal(vrrp.heard(LINKS).length, 1, "it is still heard on the link");
      await run(NFT, ["delete", "table", "inet", "firewall"]);
      await until(() => !missed());
    } finally {
      stranger.kill("SIGTERM");
    }
    assert.equal(await run(NFT, ["list", "tables"]), "");
  });

  test("what links of the host are called reaches no rule", async () => {
    const given = "/run/given.nft";
    await writeFile("/run/nft", `#!/bin/sh\ncat >> ${given}\n`, { mode: 0o755 });
    const sets = { read: () => Promise.resolve([]) };
    const rulesFor = async (links: readonly Link[]): Promise<string> => {
      await writeFile(given, "");
      await using vrrp = createNftVrrp({ program: "/run/nft", sets, clock, logger });
      vrrp.heard(links);
      await until(() => vrrp.adverts(60_000) !== undefined);
      return await readFile(given, "utf8");
    };
    const rules = await rulesFor(LINKS);
    assert.match(rules, /^table inet fairlead_vrrp \{$/m);
    assert.deepEqual(nftFaults(rules, VRRP_WORDS), []);
    const names = fc.sample(hostile("eth0"), 200).map((text) => text as DeviceName);
    const links = names.flatMap((name) => LINKS.map((link) => ({ ...link, name })));
    assert.equal(await rulesFor(links), rules);
  });

  test("the table of an agent that was killed stayed after its host was withdrawn", async () => {
    const left = createNftVrrp({
      program: NFT,
      sets: { read: () => Promise.resolve([]) },
      clock,
      logger,
    });
    left.heard(LINKS);
    await until(() => left.adverts(60_000) !== undefined);
    assert.equal(await run(NFT, ["list", "tables"]), "table inet fairlead_vrrp\n");
    await forgetHeard(NFT);
    assert.equal(await run(NFT, ["list", "tables"]), "");
    await forgetHeard(NFT);
    await left[Symbol.asyncDispose]();
  });

  test("a reading that fails leaves what was heard; a host that reads nothing for 15 s hears nobody", async () => {
    const time = createFakeClock();
    let fails = false;
    const sets: Pick<RouterSets, "read"> = {
      read: () => (fails ? Promise.reject(new Error("no answer")) : Promise.resolve([])),
    };
    await using vrrp = createNftVrrp({ program: "/bin/true", sets, clock: time, logger });
    const look = async (aheadMs: number): Promise<void> => {
      await time.advance(aheadMs);
      vrrp.heard(LINKS);
      await time.settle();
    };
    await look(0);
    await until(() => vrrp.adverts(60_000) !== undefined);
    fails = true;
    await look(5000);
    assert.deepEqual([vrrp.isAble, vrrp.adverts(60_000)?.readMs], [true, 0]);
    fails = false;
    await look(1000);
    assert.deepEqual([vrrp.isAble, vrrp.adverts(60_000)?.readMs], [true, 6000]);
    fails = true;
    for (let failed = 0; failed < 9; failed += 1) await look(failed === 0 ? 5000 : 1000);
    assert.equal(vrrp.isAble, true);
    await look(2000);
    assert.deepEqual([vrrp.isAble, vrrp.adverts(60_000)], [false, undefined]);
    fails = false;
    await look(60_000);
    await until(() => vrrp.adverts(60_000) !== undefined);
    assert.equal(vrrp.isAble, true);
  });

  test("a program that cannot listen hears nobody, and nothing breaks", async () => {
    await using sets = await createNetlinkSets();
    const vrrp = createNftVrrp({ program: "/bin/false", sets, clock, logger });
    assert.deepEqual(vrrp.heard(LINKS), []);
    await until(() => !vrrp.isAble);
    assert.equal(vrrp.adverts(0), undefined);
    await vrrp[Symbol.asyncDispose]();
    assert.deepEqual(vrrp.heard(LINKS), []);
  });
});
