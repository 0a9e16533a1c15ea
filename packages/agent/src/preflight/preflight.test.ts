// The preflight: the judge on facts made up, and the whole of it on this machine in a sandbox.

import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { inSandbox } from "@fairlead/testkit";
import { type HostFacts, isNoexec } from "./host-facts.ts";
import { judgeHost, mayChangeUser, mayCheckOnReload } from "./judge-host.ts";
import { problemText, runPreflight } from "./preflight.ts";

const GOOD: HostFacts = {
  programs: new Map([
    ["nginx", "/usr/sbin/nginx"],
    ["keepalived", "/usr/sbin/keepalived"],
    ["s6-svscan", "/usr/bin/s6-svscan"],
    ["ip", "/usr/sbin/ip"],
  ]),
  versions: new Map([
    ["nginx", "nginx version: nginx/1.22.1"],
    ["keepalived", "Keepalived v2.2.7 (01/16,2022)"],
  ]),
  streamModule: "/usr/lib/nginx/modules/ngx_stream_module.so",
  capabilities: 0x1ff_ffff_ffffn,
  sysctls: new Map([
    ["net.ipv4.ip_nonlocal_bind", { value: "1", writable: false }],
    ["net.ipv6.ip_nonlocal_bind", { value: "0", writable: true }],
  ]),
  unwritable: new Map(),
  noexec: new Set(),
  links: ["lo", "eth0"],
  network: { networks: [], gateways: [] },
  hasWorkerUser: true,
  allowsSetGroups: true,
};

const judge = (facts: Partial<HostFacts>, link?: string, runDirProblem?: string) =>
  judgeHost(
    { ...GOOD, ...facts },
    { link, runDir: "/run/x", stateDir: "/var/x", runDirProblem },
  ).map(problemText);

const APT = "apt-get install nginx-light keepalived s6 iproute2";
const cases = [
  { name: "a good host", facts: {}, wanted: [] },
  {
    name: "nothing is installed: one line installs it all",
    facts: { programs: new Map(), versions: new Map() },
    wanted: [
      `nginx is not installed (it forwards connections to members): ${APT}`,
      `keepalived is not installed (it holds addresses by VRRP): ${APT}`,
      `s6-svscan is not installed (it keeps the data plane alive without the agent): ${APT}`,
      `ip is not installed (it removes addresses that a dead keepalived left): ${APT}`,
    ],
  },
  {
    name: "an old keepalived",
    facts: { versions: new Map([...GOOD.versions, ["keepalived", "Keepalived v2.1.5"]] as const) },
    wanted: [
      "keepalived is 2.1.5 (its configuration is written for 2.2.7 and later): " +
        "install keepalived 2.2.7 or later",
    ],
  },
  {
    name: "a normal user",
    facts: { capabilities: 0n },
    wanted: [
      "the capability NET_ADMIN is missing (addresses are added and removed with it): " +
        "run the agent as root, or grant CAP_NET_ADMIN",
      "the capability NET_RAW is missing (keepalived speaks VRRP and ARP with it): " +
        "run the agent as root, or grant CAP_NET_RAW",
      "the capability NET_BIND_SERVICE is missing (nginx binds ports below 1024 with it): " +
        "run the agent as root, or grant CAP_NET_BIND_SERVICE",
    ],
  },
  {
    name: "a sysctl that is wrong and cannot be written",
    facts: { sysctls: new Map([["net.ipv4.ip_nonlocal_bind", { value: "0", writable: false }]]) },
    wanted: [
      "the sysctl net.ipv4.ip_nonlocal_bind is 0 and cannot be written " +
        "(standbys listen on addresses that they do not have yet): " +
        "sysctl -w net.ipv4.ip_nonlocal_bind=1",
    ],
  },
  { name: "a run directory without programs", facts: { noexec: new Set(["/run/x"]) }, wanted: [] },
  {
    name: "no folder that may run programs",
    facts: { noexec: new Set(["/run/x", "/var/x"]) },
    wanted: [
      "neither /run/x nor /var/x may run programs (noexec) " +
        "(the supervisor runs scripts that lie there): " +
        "give a folder of another file system with --state-dir",
    ],
  },
  { name: "a host without IPv6", facts: { sysctls: new Map() }, wanted: [] },
  {
    name: "a link that is not there",
    facts: {},
    link: "eth7",
    wanted: [
      "there is no device eth7 (--link names it, and the host has eth0): " +
        "give one of the host's devices with --link",
    ],
  },
] as const;

for (const c of cases) {
  test(`preflight: ${c.name}`, () => {
    assert.deepEqual(judge(c.facts, "link" in c ? c.link : undefined), c.wanted);
  });
}

test("preflight: workers are root's where no other user can be had", () => {
  assert.equal(mayChangeUser(GOOD), true);
  assert.equal(mayChangeUser({ ...GOOD, hasWorkerUser: false }), false);
  assert.equal(mayChangeUser({ ...GOOD, capabilities: 0x3400n }), false);
});

test("preflight: keepalived checks files by itself only where it may set groups", () => {
  assert.equal(mayCheckOnReload(GOOD), true);
  assert.equal(mayCheckOnReload({ ...GOOD, allowsSetGroups: false }), false);
  assert.equal(mayCheckOnReload({ ...GOOD, capabilities: 0x3400n }), false);
});

test("preflight: the mount above a folder says whether it runs programs", () => {
  const table = `1 0 0:1 / / rw,relatime - ext4 /dev/sda rw
2 1 0:2 / /run rw,nosuid,nodev,noexec - tmpfs tmpfs rw
3 2 0:3 / /run/exec rw,nosuid - tmpfs tmpfs rw
`;
  assert.equal(isNoexec(table, "/run/fairlead"), true);
  assert.equal(isNoexec(table, "/run"), true);
  assert.equal(isNoexec(table, "/run/exec/a"), false);
  assert.equal(isNoexec(table, "/runner"), false);
  assert.equal(isNoexec(table, "/var/lib/fairlead"), false);
  assert.equal(isNoexec("", "/var/lib/fairlead"), false);
});

inSandbox({ file: import.meta.url, name: "preflight" }, () => {
  const path = process.env["PATH"];

  const REUSE = "/proc/sys/net/ipv4/tcp_tw_reuse";

  test("on this machine all is well, and the sysctls are set", async () => {
    await writeFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "0");
    await writeFile(REUSE, "2");
    const result = await runPreflight({ runDir: "/run/x", stateDir: "/run/state", path });
    assert.equal(result.kind, "ready", JSON.stringify(result));
    assert.equal(result.programs.nginx.endsWith("/nginx"), true);
    assert.equal(result.programs.streamModule.endsWith("ngx_stream_module.so"), true);
    assert.equal((await readFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "utf8")).trim(), "1");
    assert.equal((await readFile(REUSE, "utf8")).trim(), "1");
  });

  test("ports that somebody wants used once a minute stay so", async () => {
    await writeFile(REUSE, "0");
    const result = await runPreflight({ runDir: "/run/x", stateDir: "/run/state", path });
    assert.equal(result.kind, "ready");
    assert.equal((await readFile(REUSE, "utf8")).trim(), "0");
  });

  test("all problems are said at once, and nothing was touched", async () => {
    await writeFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "0");
    await mkdir("/run/y", { recursive: true });
    await writeFile("/run/y/file", "");
    const result = await runPreflight({
      runDir: "/run/a b",
      stateDir: "/run/y/file/state",
      link: "eth7",
      path,
    });
    assert.equal(result.kind, "unfit");
    const texts = result.problems.map(problemText);
    assert.equal(texts.length, 3, texts.join("\n"));
    assert.match(texts[0] ?? "", /^the run directory "\/run\/a b" cannot be used/);
    assert.match(texts[1] ?? "", /^the folder \/run\/y\/file\/state cannot be written/);
    assert.match(texts[2] ?? "", /^there is no device eth7/);
    assert.equal((await readFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "utf8")).trim(), "0");
  });
});
