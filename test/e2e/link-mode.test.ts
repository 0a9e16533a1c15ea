// `fairlead run` on one host without VRRP: addresses stand on its device for as long as a Service
// uses them, whatever others do to them, and go with the command, whichever signal ends it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLab, type Host, type HostOptions, monotonicMs } from "@fairlead/lab";

import { manifest, service } from "./stage/manifests.ts";
import { FOLDER, makeOneHost, startRun, untilShown } from "./stage/one-host.ts";
import { program } from "./stage/stage.ts";
import { answers } from "./stage/visitor.ts";

const POOL = "lan=10.77.0.100-10.77.0.109";
const START_MS_MAX = 20_000;
const STOP_MS_MAX = 20_000;

test("on one host addresses come, stay and go, and what was there before is left alone", async () => {
  await using lab = await createLab();
  const { host, client } = await makeOneHost(lab, addressesOf);
  await host.output("ip", ["address", "add", "10.77.0.105/24", "dev", "eth0"]);
  const own = await shown(host);
  await host.writeFile(`${FOLDER}/web.yaml`, manifest(service({ name: "web" })));
  const adopted = service({ name: "old", spec: { loadBalancerIP: "10.77.0.105" } });
  await host.writeFile(`${FOLDER}/old.yaml`, manifest(adopted));
  let running = await startRun(host, ["--pool", POOL]);
  await ready(host);
  const served = [...own, "10.77.0.100/24 eth0:fl"].toSorted();
  assert.deepEqual(await shown(host), served);
  for (const address of ["10.77.0.100", "10.77.0.105"]) {
    assert.deepEqual(Object.keys(await answers(client, { address, port: 80 })), [
      "member1",
      "member2",
    ]);
  }

  const goneMs = monotonicMs();
  await host.output("ip", ["address", "del", "10.77.0.100/24", "dev", "eth0"]);
  await untilShown(() => shown(host), served);
  const tookMs = monotonicMs() - goneMs;
  assert.ok(tookMs < 1000, `put back after ${Math.round(tookMs)} ms`);

  for (const signal of ["SIGINT", "SIGHUP", "SIGQUIT", "SIGTERM"] as const) {
    const { code, forced } = await running.stop(signal, STOP_MS_MAX);
    assert.deepEqual([code, forced], [0, false], `${signal}: ${running.output()}`);
    assert.deepEqual(await shown(host), own, signal);
    assert.deepEqual(host.pids(), [], `no program of it is left after ${signal}`);
    const flags = signal === "SIGTERM" ? ["--keep-on-exit"] : [];
    running = await startRun(host, ["--pool", POOL, ...flags]);
    await untilShown(() => shown(host), served);
  }
  await ready(host);
  assert.equal((await running.stop("SIGHUP", STOP_MS_MAX)).code, 0);
  assert.deepEqual(await shown(host), served);
  assert.match(
    await host.output("ip", ["address", "show", "dev", "eth0"]),
    /fl\n *valid_lft forever/,
  );
  await answers(client, { address: "10.77.0.100", port: 80 });

  running = await startRun(host, ["--pool", POOL]);
  await host.output("rm", [`${FOLDER}/web.yaml`, `${FOLDER}/old.yaml`]);
  await untilShown(() => shown(host), own);
  await running.stop("SIGTERM", STOP_MS_MAX);
  assert.deepEqual(await shown(host), own);
});

test("without a pool Services share the device's own address by port", async () => {
  await using lab = await createLab();
  const { host, client } = await makeOneHost(lab, addressesOf);
  const own = await shown(host);
  await host.writeFile(`${FOLDER}/web.yaml`, manifest(service({ name: "web" })));
  await host.writeFile(
    `${FOLDER}/alt.yaml`,
    manifest(service({ name: "alt", ports: [{ port: 81, targetPort: 8080 }] })),
  );
  const running = await startRun(host, []);
  await ready(host);
  await refusesAnother(host);
  for (const port of [80, 81]) {
    const byMember = await answers(client, { address: host.address, port });
    assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  }
  await running.stop("SIGTERM", STOP_MS_MAX);
  assert.deepEqual(await shown(host), own);
});

/** One host has one data plane: a second command would write over its files, and end it. */
async function refusesAnother(host: Host): Promise<void> {
  const listen = ["agents", "metrics", "admin", "rest", "debug"].map(
    (of, index) => `--listen-${of}=127.0.0.1:${27_701 + index}`,
  );
  const flags = ["run", "--source", FOLDER, "--state-dir", "/run/host/other", ...listen];
  const { code, stderr } = await host.exec(program("fairlead"), flags, { timeoutMs: START_MS_MAX });
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^ {2}why: {2}an agent with process id \d+ already uses the run directory/m);
}

async function ready(host: Host): Promise<void> {
  const status = await host.exec(program("fairlead"), ["status", "--wait", "20s"], {
    timeoutMs: 30_000,
  });
  assert.equal(status.code, 0, `${status.stdout}${status.stderr}`);
}

/** IPv4 addresses of the device: `10.77.0.100/24 eth0:fl`. */
async function shown(host: Host): Promise<readonly string[]> {
  const text = await host.output("ip", ["-4", "-o", "address", "show", "dev", "eth0"]);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines
    .map((line) => {
      const [, address = ""] = /inet (\S+)/.exec(line) ?? [];
      const [, label = ""] = /(\S+)\\/.exec(line) ?? [];
      return `${address} ${label}`;
    })
    .toSorted();
}

function addressesOf(last: number): HostOptions {
  return { address: `10.77.0.${last}/24`, gateway: "10.77.0.1" };
}
