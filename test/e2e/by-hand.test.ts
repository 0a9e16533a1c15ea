// Programs started by hand as the README says, with few flags and every default, on hosts that
// somebody else made: a controller with agents, and `fairlead run` alone. Both pages of metrics are
// read as Prometheus does.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createLab, type Host, type Lab, type RunningProgram, startMember } from "@fairlead/lab";

import { toolPath } from "../tools/tool-path.ts";
import { fetchFrom, lintedMetrics } from "./stage/linted-metrics.ts";
import { manifest, service } from "./stage/manifests.ts";
import { program } from "./stage/stage.ts";
import { answers } from "./stage/visitor.ts";

const FOLDER = "/run/host/manifests";
const START_MS_MAX = 20_000;

test("a controller and agents that are started by hand serve a Service", async () => {
  await using lab = await createLab();
  const { client, control, balancers } = await makeHosts(lab, ["lb1", "lb2"]);
  const pool = "default=10.77.0.100-10.77.0.110";
  await start(control, "fairlead-controller", ["--insecure", "--source", FOLDER, "--pool", pool]);
  const to = "10.77.0.5:7702";
  for (const host of balancers) {
    await start(host, "fairlead-agent", ["--insecure", "--controller", to]);
  }
  const status = await control.exec(program("fairlead"), ["status", "--wait", "20s"], {
    timeoutMs: 30_000,
  });
  assert.equal(status.code, 0, `${status.stdout}${status.stderr}`);
  assert.match(status.stdout, /default\/web +10\.77\.0\.100 +80\/TCP +lb\d +ready/);
  const byMember = await answers(client, { address: "10.77.0.100", port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  const agents = await control.exec(program("fairlead"), ["agents", "-o", "yaml"]);
  assert.equal(agents.code, 0, agents.stdout);
  assert.match(agents.stdout, /name: lb1/);

  const [holder] = balancers;
  assert.ok(holder !== undefined);
  for (const [host, port] of [
    [control, 7704],
    [holder, 7714],
  ] as const) {
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal((await fetchFrom(host, `http://127.0.0.1:${port}${path}`)).status, 200, path);
    }
    await lintedMetrics(host, port);
  }
});

test("fairlead run serves a Service on one host, and leaves nothing behind", async () => {
  await using lab = await createLab();
  const { client, balancers } = await makeHosts(lab, ["lb1"]);
  const [host] = balancers;
  assert.ok(host !== undefined);
  await host.writeFile(`${FOLDER}/web.yaml`, manifest(service({ name: "web" })));
  const pool = "default=10.77.0.100-10.77.0.110";
  const flags = ["run", "--source", FOLDER, "--link", "eth0", "--pool", pool];
  const running = await start(host, "fairlead", flags);
  const status = await host.exec(program("fairlead"), ["status", "--wait", "20s"], {
    timeoutMs: 30_000,
  });
  assert.equal(status.code, 0, `${status.stdout}${status.stderr}${running.output()}`);
  const byMember = await answers(client, { address: "10.77.0.100", port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  await lintedMetrics(host, 7704);
  const about = ["-plaintext", "127.0.0.1:7712", "fairlead.v1.AgentDebugService/GetLastApply"];
  assert.match(await host.output(toolPath("grpcurl"), about), /"kind": "hold"/);

  const { code, forced } = await running.stop("SIGTERM", 20_000);
  assert.deepEqual([code, forced], [0, false], running.output());
  const held = (await host.addresses()).filter(({ link }) => link !== "lo");
  assert.deepEqual(
    held.filter(({ family }) => family === "ipv4").map(({ address }) => address),
    [host.address],
  );
  assert.deepEqual(host.pids(), [], "no program of it is left");
  assert.equal(await host.output("nft", ["list", "tables"]), "", "no table of it is left");
});

interface Hosts {
  readonly control: Host;
  readonly client: Host;
  readonly balancers: readonly Host[];
}

/** Hosts with a /var/lib of their own, as defaults write there, and a Service in a folder. */
async function makeHosts(lab: Lab, names: readonly string[]): Promise<Hosts> {
  const add = async (name: string, last: number): Promise<Host> => {
    const host = await lab.addHost(name, { address: `10.77.0.${last}/24`, gateway: "10.77.0.1" });
    await host.output("mount", ["-t", "tmpfs", "tmpfs", "/var/lib"]);
    return host;
  };
  const control = await add("control", 5);
  const client = await add("client", 31);
  const balancers = await Promise.all(names.map((name, index) => add(name, 11 + index)));
  const members = await Promise.all([1, 2].map((n) => add(`member${n}`, 20 + n)));
  await Promise.all(members.map((member) => startMember(member, { tcpPorts: [8080] })));
  await control.writeFile(`${FOLDER}/web.yaml`, manifest(service({ name: "web" })));
  return { control, client, balancers };
}

async function start(
  host: Host,
  name: Parameters<typeof program>[0],
  flags: readonly string[],
): Promise<RunningProgram> {
  const running = await host.start(program(name), flags);
  await running.waitForLine(/ serv(?:es|ing) /, START_MS_MAX).catch((error: unknown) => {
    throw new Error(`${name} does not serve: ${running.output()}`, { cause: error });
  });
  return running;
}
