// The guard on a real kernel in a sandbox: a host whose services listen on every address, and a
// client in a namespace of its own that knocks at VIPs and at the host's own addresses.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";

import { inSandbox } from "@fairlead/testkit";

import type { InputGuard } from "../ports.ts";
import { at, GUARDED, listener, NFT, openGuard, run, table, until } from "./guard-stage.ts";

const IP = "/usr/sbin/ip";

/** Says for each knock what came of it; a datagram of 4 000 bytes travels in fragments. */
const KNOCKER = `
const { connect } = require("node:net");
const { createSocket } = require("node:dgram");
const knock = ([kind, host, port, size = 1]) => new Promise((resolve) => {
  const timer = setTimeout(() => say("silence"), 10_000);
  const say = (text) => {
    clearTimeout(timer);
    socket[kind === "tcp" ? "destroy" : "close"]();
    resolve(text);
  };
  const socket = kind === "tcp" ? connect({ host, port }) : createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.on("error", (error) => say(error.code));
  if (kind === "tcp") socket.on("connect", () => say("open"));
  else {
    socket.on("message", (data) => say("answer of " + data.length));
    socket.connect(port, host, () => socket.send(Buffer.alloc(size)));
  }
});
Promise.all(JSON.parse(process.argv[1]).map(knock)).then((all) => console.log(JSON.stringify(all)));
`;

type Knock = readonly [kind: "tcp" | "udp", host: string, port: number, size?: number];

async function asClient(...command: readonly string[]): Promise<string> {
  return await run(IP, ["netns", "exec", "client", ...command]);
}

/** Each is answered at once, or the client's kernel would have asked again a second later. */
async function knock(...knocks: readonly Knock[]): Promise<readonly string[]> {
  const before = await askedAgain();
  const text = await asClient(process.execPath, "-e", KNOCKER, JSON.stringify(knocks));
  assert.equal(await askedAgain(), before, "a SYN was sent twice");
  return JSON.parse(text) as readonly string[];
}

/** How many SYNs the client's kernel has sent again. */
async function askedAgain(): Promise<number> {
  const text = await asClient("cat", "/proc/net/netstat");
  const [names, values] = text.split("\n").filter((line) => line.startsWith("TcpExt:"));
  const index = names?.split(" ").indexOf("TCPSynRetrans") ?? -1;
  assert.ok(index > 0, "the kernel counts them");
  return Number(values?.split(" ")[index]);
}

/** A host whose services answer on every address of it. */
async function makeHost(stack: AsyncDisposableStack): Promise<void> {
  await run("/usr/bin/mount", ["-t", "tmpfs", "tmpfs", "/run"]);
  const lines = [
    "netns add client",
    "link add eth0 type veth peer name eth0 netns client",
    "link set eth0 up",
    ...at("11").map(
      (one) => `address add ${one}/${one.includes(":") ? "64 nodad" : "24"} dev eth0`,
    ),
    ...at("100").map(
      (one) => `address add ${one}/${one.includes(":") ? "128 nodad" : "32"} dev eth0`,
    ),
  ];
  await run(IP, ["-batch", "-"], `${lines.join("\n")}\n`);
  const inside = [
    "link set eth0 up",
    ...at("31").map(
      (one) => `address add ${one}/${one.includes(":") ? "64 nodad" : "24"} dev eth0`,
    ),
  ];
  await run(IP, ["-n", "client", "-batch", "-"], `${inside.join("\n")}\n`);
  for (const port of [22, 80]) {
    const server = createServer((socket) => socket.on("error", () => undefined).destroy());
    server.listen({ port, host: "::" });
    await once(server, "listening");
    stack.defer(() => void server.close());
  }
  // One that listens on every address may answer from another one: each address has its own.
  for (const host of [...at("100"), ...at("11")]) {
    for (const port of [53, 161]) {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.on("message", (data, from) => socket.send(data, from.port, from.address));
      socket.bind(port, host);
      await once(socket, "listening");
      stack.defer(() => void socket.close());
    }
  }
}

/** How many packets of VRRP were dropped. */
async function dropped(): Promise<number> {
  const text = await run(NFT, ["list", "chain", "inet", "fairlead_guard", "vrrp"]);
  return Number(/counter packets (\d+)/.exec(text)?.[1]);
}

/** Three probes, a second apart (`ucast_solicit`, `retrans_time_ms`), and a look at the end. */
const PROBES_MS = 4000;

inSandbox({ file: import.meta.url, name: "guard" }, () => {
  const stack = new AsyncDisposableStack();
  let guard: InputGuard;
  after(() => stack.disposeAsync());

  test("without a guard the host's services answer on VIPs", async () => {
    await makeHost(stack);
    const found = await knock(...at("100").map((vip): Knock => ["tcp", vip, 22]));
    assert.deepEqual(found, ["open", "open"]);
  });

  test("a VIP answers on its listeners and is refused on any other port, at once", async () => {
    ({ guard } = await openGuard(stack));
    assert.equal(guard.trouble(), undefined);
    for (const vip of at("100")) {
      const found = await knock(
        ["tcp", vip, 80],
        ["udp", vip, 53],
        ["udp", vip, 53, 4000],
        ["tcp", vip, 22],
        ["tcp", vip, 23],
        ["udp", vip, 161],
      );
      const served = ["open", "answer of 1", "answer of 4000"];
      assert.deepEqual(found, [...served, "ECONNREFUSED", "ECONNREFUSED", "ECONNREFUSED"], vip);
      await asClient("ping", "-n", "-c", "1", "-W", "1", vip);
    }
  });

  test("the host's own addresses answer as ever", async () => {
    for (const own of at("11")) {
      const found = await knock(
        ["tcp", own, 22],
        ["tcp", own, 80],
        ["tcp", own, 23],
        ["udp", own, 161, 4000],
      );
      assert.deepEqual(found, ["open", "open", "ECONNREFUSED", "answer of 4000"], own);
    }
  });

  test("a client that asks a VIP whether it is there still is answered, by ARP and ND", async () => {
    const mac = / link\/ether (\S+)/.exec(await run(IP, ["link", "show", "eth0"]))?.[1] ?? "";
    for (const vip of at("100")) {
      const entry = [vip, "lladdr", mac, "dev", "eth0", "nud", "probe"];
      await run(IP, ["-n", "client", "neigh", "replace", ...entry]);
      const isReachable = async (): Promise<boolean> =>
        (await run(IP, ["-n", "client", "neigh", "show", vip])).includes("REACHABLE");
      await until(`${vip} is reachable`, isReachable, PROBES_MS);
    }
  });

  test("node ports of the host do not answer on a VIP, and do on its own addresses", async () => {
    const nodePorts = `table inet nodeports {
      chain prerouting {
        type nat hook prerouting priority dstnat; policy accept;
        fib daddr type local tcp dport 30080 redirect to :80
      }
    }\n`;
    await run(NFT, ["-f", "-"], nodePorts);
    const knocks = [...at("100"), ...at("11")].map((host): Knock => ["tcp", host, 30_080]);
    const found = await knock(...knocks);
    assert.deepEqual(found, ["ECONNREFUSED", "ECONNREFUSED", "open", "open"]);
    assert.deepEqual(await knock(["tcp", "192.0.2.100", 80]), ["open"]);
    await run(NFT, ["delete", "table", "inet", "nodeports"]);
  });

  test("VRRP is heard of the peers of a lane alone, whatever stands before it", async () => {
    // Options for the destination stand between the header of IPv6 and what it carries.
    const say = (from: string, to: string, hasOptions = false) => {
      const family = from.includes(":") ? 6 : 4;
      const text = `use Socket qw(:all); my ($f, $from, $to, $o) = @ARGV;
        my $pf = $f == 6 ? PF_INET6 : PF_INET; socket(my $s, $pf, SOCK_RAW, 112) or die $!;
        my $at = sub { $f == 6 ? pack_sockaddr_in6(0, inet_pton(AF_INET6, $_[0])) : pack_sockaddr_in(0, inet_aton($_[0])) };
        bind($s, $at->($from)) or die $!;
        if ($o) { setsockopt($s, 41, 59, pack("C8", 0, 0, 1, 4, 0, 0, 0, 0)) or die $!; }
        send($s, pack("C8", 0x31, 51, 200, 1, 0, 10, 0, 0), 0, $at->($to)) or die $!;`;
      return asClient("perl", "-e", text, String(family), from, to, hasOptions ? "1" : "");
    };
    const lines = at("12").map(
      (one) => `address add ${one}/${one.includes(":") ? "128 nodad" : "32"} dev eth0`,
    );
    await run(IP, ["-n", "client", "-batch", "-"], `${lines.join("\n")}\n`);
    for (const [index, own] of at("11").entries()) {
      await say(at("12")[index] ?? "", own);
      await say(at("12")[index] ?? "", own, index === 1);
    }
    assert.equal(await dropped(), 0, "peers are heard");
    for (const [index, own] of at("11").entries()) await say(at("31")[index] ?? "", own);
    assert.equal(await dropped(), 2, "strangers are not");
    await say("2001:db8::31", "2001:db8::11", true);
    assert.equal(await dropped(), 3, "also behind options");
    await guard.guard({ ...GUARDED, lanes: [] }, false);
    await say("192.0.2.31", "192.0.2.11");
    assert.equal(await dropped(), 3, "a host without lanes hears everybody");
    await guard.guard(GUARDED, false);
  });

  test("a port that closes is refused, one that opens answers, and nothing else changed", async () => {
    const [first, second] = GUARDED.vips;
    assert.ok(first !== undefined && second !== undefined);
    const listeners = [listener(first, "tcp", 22), listener(second, "tcp", 80)];
    await guard.guard({ ...GUARDED, listeners }, false);
    const knocks: readonly Knock[] = [
      ["tcp", first, 22],
      ["tcp", first, 80],
      ["tcp", second, 22],
      ["tcp", second, 80],
    ];
    assert.deepEqual(await knock(...knocks), ["open", "ECONNREFUSED", "ECONNREFUSED", "open"]);
    await guard.guard(GUARDED, false);
    const changed = await table();
    await guard.remove();
    await guard.guard(GUARDED, false);
    const sorted = (text: string): readonly string[] =>
      text
        .replaceAll(/revision \{[^}]+\}[^}]*\}/g, "")
        .split(/[,\s]+/)
        .toSorted();
    assert.deepEqual(sorted(await table()), sorted(changed));
  });
});
