// Probing ports on a real kernel: free ones, taken ones with the name of who has them, and
// addresses that are not there yet.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseAddress, present } from "@fairlead/model";
import { inSandbox } from "@fairlead/testkit";
import type { PortProbe } from "../ports.ts";
import { parseSockets } from "../proc-sockets.ts";
import { createPortProbe } from "./port-probe.ts";

const address = (text: string) => present(parseAddress(text), "a good address");

test("sockets of /proc/net: listeners of both families, others left out", () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0A0200C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100
   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100
`;
  assert.deepEqual(parseSockets(tcp, "0A"), [
    { address: address("192.0.2.10"), port: 80, inode: "4711" },
  ]);
  const tcp6 = `   0: B80D0120000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 9 1`;
  assert.deepEqual(parseSockets(tcp6, "0A"), [
    { address: address("2001:db8::1"), port: 22, inode: "9" },
  ]);
});

inSandbox({ file: import.meta.url, name: "port probe" }, () => {
  const probe: PortProbe["probe"] = (listener) => createPortProbe().probe(listener);
  const vip = address("192.0.2.100");

  test("an address that is not here cannot be bound without the sysctl, and can with it", async () => {
    await writeFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "0");
    const remark = await probe({ address: vip, protocol: "tcp", port: 80 });
    assert.deepEqual(remark, {
      reason: "ConfigRejected",
      detail: "192.0.2.100:80/TCP cannot be bound: net.ipv4.ip_nonlocal_bind is not 1",
    });
    await writeFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "1");
    await writeFile("/proc/sys/net/ipv6/ip_nonlocal_bind", "1");
    for (const protocol of ["tcp", "udp"] as const) {
      assert.equal(await probe({ address: vip, protocol, port: 80 }), undefined);
      const vip6 = address("2001:db8::100");
      assert.equal(await probe({ address: vip6, protocol, port: 80 }), undefined);
      // Once more: the first try left nothing behind.
      assert.equal(await probe({ address: vip, protocol, port: 80 }), undefined);
    }
  });

  test("an address that the kernel takes for none of its own is said so, and fails nobody else", async () => {
    // Of a link, and no link is named.
    const local = address("fe80::1");
    for (const protocol of ["tcp", "udp"] as const) {
      const remark = await probe({ address: local, protocol, port: 80 });
      assert.equal(remark?.reason, "ConfigRejected");
      assert.match(remark.detail, /^\[fe80::1\]:80\/(TCP|UDP) cannot be bound: .*EINVAL/);
    }
  });

  test("a program of Node that is in the way is called by its script, not MainThread", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-holder-"));
    const script = join(folder.path, "shop.mjs");
    const listen = "createServer().listen(8022, '0.0.0.0', () => console.log('listening'))";
    await writeFile(script, `import { createServer } from "node:net";\n${listen};\n`);
    const shop = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(shop.stdout, "data");
    const remark = await probe({ address: vip, protocol: "tcp", port: 8022 });
    assert.deepEqual(remark, {
      reason: "PortTaken",
      detail:
        `192.0.2.100:8022/TCP is in use by shop.mjs (pid ${shop.pid}), ` +
        "which listens on 0.0.0.0:8022",
    });
    assert.equal(await probe({ address: vip, protocol: "udp", port: 8022 }), undefined);
    shop.kill();
    await once(shop, "exit");
  });

  test("nobody is told to stop the agent: its own port is named with the flag that moves it", async () => {
    const server = createServer().listen(7714, "0.0.0.0");
    await once(server, "listening");
    const own = { port: 7714, purpose: "metrics", flag: "--listen-metrics" };
    const listener = { address: vip, protocol: "tcp", port: 7714 } as const;
    const said = async (ports: readonly (typeof own)[]): Promise<string | undefined> =>
      (await createPortProbe(ports).probe(listener))?.detail;
    const start = "192.0.2.100:7714/TCP is in use by this agent's own";
    const end = "which listens on 0.0.0.0:7714";
    assert.equal(
      await said([own]),
      `${start} port for metrics (--listen-metrics moves it), ${end}`,
    );
    assert.equal(await said([]), `${start} program (one of its --listen flags moves it), ${end}`);
    server.close();
  });

  test("a wildcard listener for both families is in the way of both", async () => {
    const server = createServer().listen(8023, "::");
    await once(server, "listening");
    const vip6 = address("2001:db8::100");
    const remark = await probe({ address: vip6, protocol: "tcp", port: 8023 });
    assert.match(remark?.detail ?? "", /^\[2001:db8::100\]:8023\/TCP .* listens on \[::\]:8023$/);
    const other = await probe({ address: vip, protocol: "tcp", port: 8023 });
    assert.equal(other?.reason, "PortTaken");
    server.close();
  });

  test("a UDP socket of the host is in the way, also one that allows others", async () => {
    const socket = createSocket({ type: "udp4", reuseAddr: true });
    socket.bind(8053);
    await once(socket, "listening");
    const remark = await probe({ address: vip, protocol: "udp", port: 8053 });
    assert.equal(remark?.reason, "PortTaken");
    assert.match(remark.detail, /listens on 0\.0\.0\.0:8053$/);
    socket.close();
  });
});
