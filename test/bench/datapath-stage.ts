// The ways from a client to two members that the bench of the data path compares, each over a
// load-balancer host of its own, so that none pays for what another one switches on in its kernel:
// nginx as we ship it, nginx with its members in its file, HAProxy, and a router.

import type { Host } from "@fairlead/lab";

import { pool, service } from "../e2e/stage/manifests.ts";
import { createStage, type Stage } from "../e2e/stage/stage.ts";

/** One way. */
export interface Way {
  readonly name: WayName;
  /** Where the client asks: `http://ADDRESS:PORT`. */
  readonly url: string;
  /** The host in the middle. */
  readonly host: Host;
  /** The program there; absent: its kernel alone. */
  readonly program?: "nginx" | "haproxy";
}

/** The ways by their names. */
export type WayName = "member table" | "upstreams" | "haproxy" | "haproxy, splicing" | "routed";

/** The stage with its ways, in which the first is ours. */
export interface DatapathStage extends AsyncDisposable {
  readonly client: Host;
  readonly ways: readonly Way[];
}

/** Members answer "/" in a few bytes, and this with 16 MB. */
export const BULK_PATH = "/bulk";

const OURS = "10.77.0.120";
const PLAIN = "10.77.0.121";
/** Where members answer over HTTP. */
export const MEMBER_PORT = 9080;
/** As our nginx has workers. */
const THREADS = 2;
/** Of both sides twice as many files: few machines grant more to a program without a supervisor. */
const CONNECTIONS_MAX = 4096;
const START_MS_MAX = 10_000;
/** Addresses that lie behind the router for both sides, which are neighbours else. */
const FAR_CLIENT = "10.78.1.31";
const FAR_MEMBER = "10.78.0.21";
/** What preflight advises for hosts with many connections, and the client needs as much. */
const SYSCTLS = ["net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1"];

const MEMBER_CONF = `
daemon off;
worker_processes 2;
pid /run/bench-nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  server {
    listen ${MEMBER_PORT};
    location = / { return 200 "ok\\n"; }
    location = ${BULK_PATH} { alias /run/host/bulk; }
  }
}
`;

const haproxyConf = (members: readonly Host[]): string => `
global
  nbthread ${THREADS}
  maxconn ${CONNECTIONS_MAX}
defaults
  mode tcp
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  balance roundrobin
${[80, 81].map((port) => haproxyListen(port, members)).join("")}`;

function haproxyListen(port: number, members: readonly Host[]): string {
  const splicing = port === 81 ? "  option splice-auto\n" : "";
  const servers = members.map(
    ({ name, address }) => `  server ${name} ${address}:${MEMBER_PORT}\n`,
  );
  return `listen port${port}\n  bind :${port}\n${splicing}${servers.join("")}`;
}

/** Makes it. Without HAProxy on the machine its ways are left out, and goals against it missed. */
export async function createDatapathStage(tell: (line: string) => void): Promise<DatapathStage> {
  const stage = await createStage({
    balancers: 2,
    pools: [],
    agentFlags: (host) => (host === "lb2" ? ["--member-switch=nginx"] : []),
  });
  try {
    await startHttpMembers(stage);
    const ways = [
      ...(await startAgentsWays(stage)),
      ...(await startHaproxy(stage, tell)),
      await startRouter(stage),
    ];
    await allowManyConnections([stage.client, ...ways.map((way) => way.host)]);
    return {
      client: stage.client,
      ways,
      [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
    };
  } catch (error) {
    await stage[Symbol.asyncDispose]();
    throw error;
  }
}

/** Starts a web server on each of the members, at `MEMBER_PORT`. */
export async function startHttpMembers({ members }: Stage): Promise<void> {
  for (const host of members) {
    await host.output("sh", ["-c", "head -c 16M /dev/zero >/run/host/bulk"]);
    await host.writeFile("/run/host/member.conf", MEMBER_CONF);
    const command = ["nginx", "-e", "stderr", "-c", "/run/host/member.conf"];
    await startDaemon(host, command, MEMBER_PORT);
  }
}

/** Else their ports are used up for a minute by some 470 connections a second to one place. */
export async function allowManyConnections(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) await host.output("sysctl", ["-q", "-w", ...SYSCTLS]);
}

/** Until it answers on the port. What it says against that stands in the failure. */
async function startDaemon(
  host: Host,
  [command = "", ...args]: readonly string[],
  port: number,
): Promise<void> {
  const program = await host.start(command, args);
  const untilUp = `until curl -sf http://${host.address}:${port}/; do sleep 0.1; done`;
  await host.output("sh", ["-c", untilUp], { timeoutMs: START_MS_MAX }).catch((cause: unknown) => {
    throw new Error(`${command} does not answer; it said:\n${program.output()}`, { cause });
  });
}

/** One Service with an address of each host: the same listener on both, and other members' ways. */
async function startAgentsWays(stage: Stage): Promise<readonly Way[]> {
  const lan = pool("lan", [`${OURS}-${PLAIN}`]);
  const spec = { ...(lan["spec"] as object), mode: "host" };
  await stage.write("pool.yaml", [{ ...lan, spec }]);
  const ports = [{ name: "http", port: 80, targetPort: MEMBER_PORT }];
  await stage.write("web.yaml", service({ name: "web", ports }));
  await stage.until("both addresses are published", ({ claims }) => {
    const found = claims.flatMap(({ addresses }) => addresses.filter((one) => one.published));
    return found.length === 2 ? true : undefined;
  });
  const [lb1, lb2] = stage.balancers;
  if (lb1 === undefined || lb2 === undefined) throw new Error("the stage has two balancers");
  const program = "nginx";
  return [
    { name: "member table", url: `http://${OURS}:80`, host: lb1, program },
    { name: "upstreams", url: `http://${PLAIN}:80`, host: lb2, program },
  ];
}

async function startHaproxy(stage: Stage, tell: (line: string) => void): Promise<readonly Way[]> {
  const host = await stage.lab.addHost("proxy", { address: "10.77.0.13/24" });
  if ((await host.exec("sh", ["-c", "command -v haproxy"])).code !== 0) {
    tell("  haproxy is not installed here (apt-get install haproxy): its goals are MISSED");
    return [];
  }
  await host.writeFile("/run/host/haproxy.cfg", haproxyConf(stage.members));
  await startDaemon(host, ["haproxy", "-db", "-f", "/run/host/haproxy.cfg"], 81);
  const program = "haproxy";
  return [
    { name: "haproxy", url: `http://${host.address}:80`, host, program },
    { name: "haproxy, splicing", url: `http://${host.address}:81`, host, program },
  ];
}

/** Both directions go over the router, as they do over a proxy. One member is behind it. */
async function startRouter({ lab, client, members }: Stage): Promise<Way> {
  const [member] = members;
  if (member === undefined) throw new Error("the stage has members");
  const host = await lab.addHost("router", { address: "10.77.0.14/24" });
  const settings = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0"];
  await host.output("sysctl", ["-q", "-w", ...settings, "net.ipv4.conf.eth0.send_redirects=0"]);
  const batch = (on: Host, ...lines: readonly string[]): Promise<string> =>
    on.output("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
  await batch(
    host,
    `route add ${FAR_MEMBER} via ${member.address}`,
    `route add ${FAR_CLIENT} via ${client.address}`,
  );
  await batch(
    member,
    `address add ${FAR_MEMBER}/32 dev lo`,
    `route add ${FAR_CLIENT} via ${host.address} src ${FAR_MEMBER}`,
  );
  await batch(
    client,
    `address add ${FAR_CLIENT}/32 dev lo`,
    `route add ${FAR_MEMBER} via ${host.address} src ${FAR_CLIENT}`,
  );
  return { name: "routed", url: `http://${FAR_MEMBER}:${MEMBER_PORT}`, host };
}
