// The check on a real host, a sandbox with something wrong of every kind that is read: what it
// finds, and that it changes nothing by looking.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { test } from "node:test";
import { present } from "@fairlead/model";
import { runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";
import { checkHost } from "../check-host.ts";
import type { HostCheck, HostLine } from "./host-line.ts";

async function run(command: string, ...args: readonly string[]): Promise<string> {
  const limits = { timeoutMs: 10_000, maxOutputBytes: 65_536 };
  const result = await runProgram({ command, args, ...limits });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
}

/** All that the check could change: rules, devices with addresses, and files below /run. */
async function hostState(): Promise<string> {
  const parts = await Promise.all([
    run("nft", "list", "ruleset"),
    run("ip", "address", "show"),
    run("find", "/run"),
  ]);
  return parts.join("\n");
}

const wrong = (lines: readonly HostLine[]): readonly string[] =>
  lines
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ verdict, check, subject }) => `${verdict} ${check} ${subject}`);

inSandbox({ file: import.meta.url, name: "check of a host" }, () => {
  const path = process.env["PATH"];
  const where = { runDir: "/run/fairlead", stateDir: "/run/state", path };

  test("a host with nothing wrong, and nothing is changed", async () => {
    await run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other0");
    await run("ip", "address", "add", "192.0.2.11/24", "dev", "eth0");
    await run("ip", "link", "set", "eth0", "up");
    const before = await hostState();
    const lines = await checkHost({ ...where, link: "eth0" });
    // Its hard limit of files is that of whoever runs the tests.
    assert.deepEqual(
      lines.filter(({ verdict, check }) => verdict !== "ok" && check !== "open-files"),
      [],
    );
    const features = lines.filter(({ check, found }) => check === "kernel" && found === "taken");
    assert.equal(features.length, 11, "the kernel was asked for every feature");
    assert.equal(await hostState(), before);
  });

  test("something wrong of every kind is found, with its owner", async () => {
    await run("ip", "link", "add", "eth1", "type", "veth", "peer", "name", "other1");
    await run("ip", "address", "add", "198.51.100.1/24", "dev", "eth1");
    await run("ip", "link", "set", "eth1", "up");
    await run("ip", "link", "set", "other0", "up");
    await run("ip", "link", "set", "other1", "up");
    await run("ip", "link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "other2");
    await writeFile("/proc/sys/net/ipv4/conf/eth1/rp_filter", "1");
    await writeFile("/proc/sys/net/ipv4/conf/eth0/arp_ignore", "8");
    await writeFile("/proc/sys/net/ipv4/ip_local_port_range", "40000 40099");
    await writeFile("/proc/sys/net/ipv4/tcp_tw_reuse", "0");
    await writeFile("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    await run(
      "nft",
      "add table inet f; add chain inet f i { type filter hook input priority 0; policy drop; }",
    );
    await using stage = new AsyncDisposableStack();
    for (const [port, host] of [
      [22, "0.0.0.0"],
      [7712, "127.0.0.1"],
    ] as const) {
      const server = createServer().listen(port, host);
      await once(server, "listening");
      stage.defer(() => void server.close());
    }
    await mkdir("/run/bin");
    for (const name of ["speaker", "kube-vip", "NetworkManager", "systemd-networkd"]) {
      await copyFile("/bin/sleep", `/run/bin/${name}`);
      const child = spawn(`/run/bin/${name}`, ["60"], { stdio: "ignore" });
      await once(child, "spawn");
      stage.defer(() => void child.kill("SIGKILL"));
    }
    const [, index] = present(
      /^(\d+): eth0/.exec(await run("ip", "-o", "link", "show", "eth0")),
      "eth0",
    );
    await mkdir("/run/NetworkManager/devices", { recursive: true });
    await writeFile(`/run/NetworkManager/devices/${index}`, "[device]\nmanaged=true\n");
    await mkdir("/run/systemd/netif/links", { recursive: true });
    await writeFile("/run/lan.network", "[Network]\nDHCP=yes\n");
    await writeFile(`/run/systemd/netif/links/${index}`, "NETWORK_FILE=/run/lan.network\n");

    const lines = await checkHost({ ...where, runDir: "/run/a b" });
    const found = wrong(lines);
    for (const line of [
      "error folder /run/a b",
      "error agent-port 7712/TCP",
      "error arp-ignore net.ipv4.conf.eth0.arp_ignore",
      "warning rp-filter net.ipv4.conf.eth1.rp_filter",
      "warning arp-announce net.ipv4.conf.eth0.arp_announce",
      "warning ipv6 net.ipv6.conf.all.disable_ipv6",
      "warning local-ports net.ipv4.ip_local_port_range",
      "warning time-wait net.ipv4.tcp_tw_reuse",
      "warning wildcard-socket 22/TCP",
      "warning network-manager eth0",
      "warning networkd eth0",
      "warning networkd ManageForeignRoutes",
      "warning announcer speaker",
      "warning announcer kube-vip",
      "warning kube-proxy kube-proxy",
      "warning firewall inet/f/i",
    ]) {
      assert.ok(found.includes(line), `${line} is not among\n${found.join("\n")}`);
    }
    const holder = new RegExp(`\\(pid ${process.pid}\\) listens on all addresses`);
    assert.match(foundOf(lines, "wildcard-socket"), holder);
  });

  test("without capabilities it says so, and goes on", async () => {
    const code = `import { checkHost } from ${JSON.stringify(new URL("../check-host.ts", import.meta.url))};
      console.log(JSON.stringify(await checkHost(${JSON.stringify(where)})));`;
    const bare = ["--bounding-set=-all", "--inh-caps=-all", "--"];
    const node = [process.execPath, "--input-type=module", "--eval", code];
    const lines = JSON.parse(await run("setpriv", ...bare, ...node)) as readonly HostLine[];
    const found = wrong(lines);
    assert.ok(found.includes("error capability NET_ADMIN"), found.join("\n"));
    assert.ok(found.includes("warning kernel nftables"), found.join("\n"));
    assert.ok(found.includes("warning firewall nftables"), found.join("\n"));
  });
});

function foundOf(lines: readonly HostLine[], check: HostCheck): string {
  return present(
    lines.find((line) => line.check === check),
    `a line of ${check}`,
  ).found;
}
