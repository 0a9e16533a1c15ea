// The stage of the stories: three load-balancer hosts, two members, a client and a control host on
// one network, with a real controller and real agents as processes of their own. Given what differs
// from that. It waits by looking and never blindly, and every wait says what it saw.

import { join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  createLab,
  type EtcdCluster,
  type Host,
  type HolderRecorder,
  type HostOptions,
  type Lab,
  type LabOptions,
  recordHolders,
  startEtcdCluster,
  startMember,
} from "@fairlead/lab";

import { formatHostPort } from "@fairlead/runtime";

import { toolPath } from "../../tools/tool-path.ts";
import { addApiHost, type ApiHost, KUBECONFIG } from "./api-host.ts";
import { type Asker, type ClaimJson, type ListJson, startAsker } from "./asker.ts";
import { type Document, manifest } from "./manifests.ts";
import { createSeat, type Seat } from "./seat.ts";
import { areBacked, areInSync } from "./settled.ts";
import { createUntil, type Until } from "./until.ts";

/** The top folder of the project. */
export const TOP: string = fileURLToPath(new URL("../../../", import.meta.url));
/** The folder of manifests on the control host. */
export const MANIFESTS = "/run/host/manifests";
/** The state directory of every program, on its own host; it outlives crashes. */
export const STATE_DIR = "/run/host/state";
/** The pool of a stage that asks for none. */
export const POOL = "lan=10.77.0.100-10.77.0.150";

/** What differs from the usual stage. */
export interface StageOptions {
  /** Who the lab runs as. Default: the caller. */
  readonly user?: LabOptions;
  /** Pools given as flags; an empty list for none. Default: POOL. */
  readonly pools?: readonly string[];
  /** Load-balancer hosts. Default: 3. */
  readonly balancers?: number;
  /** Prefix length of the hosts' network 10.77.0.0. Default: 24; pools of thousands need 16. */
  readonly prefixLength?: number;
  /** Whether hosts have IPv6 addresses: fd77::N, N being the last octet. Default: no. */
  readonly hasIpv6?: boolean;
  /** Whether hosts have no IPv4 at all, and fd77::N as their address. Default: no. */
  readonly isIpv6Only?: boolean;
  /**
   * Where Services come from: a folder of the control host, or a real cluster on a host "api" of
   * its own. Default: folder.
   */
  readonly source?: "folder" | "kubernetes";
  /** Added to the controller's flags. */
  readonly controllerFlags?: readonly string[];
  /** Added to the flags of the cluster's API server. */
  readonly apiserverFlags?: readonly string[];
  /** Added to the flags of the agent on the host of this name. Default: none. */
  readonly agentFlags?: (host: string) => readonly string[];
  /** Added to the environment of every agent. Default: none. */
  readonly agentEnv?: Readonly<Record<string, string>>;
  /** Whether leases are kept in an etcd of three members on a host "etcd". Default: in a file. */
  readonly hasEtcd?: boolean;
  /** Whether a second controller starts after the first, on a host "standby". Default: no. */
  readonly hasStandby?: boolean;
}

/** What a Service got. */
export interface Served {
  readonly address: string;
  readonly holder: string;
}

/** The stage with everything running on it. */
export interface Stage extends AsyncDisposable {
  readonly lab: Lab;
  readonly control: Host;
  readonly balancers: readonly Host[];
  readonly members: readonly Host[];
  readonly client: Host;
  /** Who held which address, from the kernels. */
  readonly recorder: HolderRecorder;
  readonly controller: Seat;
  /** The second controller. Undefined: there is one alone. */
  readonly standby: Seat | undefined;
  /** The seat of the agent on the host of this name. */
  agent(name: string): Seat;
  readonly seats: readonly Seat[];
  readonly asker: Asker;
  /** The cluster. Undefined: Services come from a folder. */
  readonly apiHost: ApiHost | undefined;
  /** The cluster of a stage that has one. */
  api(): ApiHost;
  /** The etcd of a stage that has one. */
  etcd(): EtcdCluster;
  /** Writes a file of the folder of manifests. */
  write(file: string, documents: readonly Document[]): Promise<void>;
  /** Removes a file of the folder of manifests. */
  remove(file: string): Promise<void>;
  /** Runs `fairlead` on the control host. */
  fairlead(...args: readonly string[]): Promise<{
    readonly code: number | undefined;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  /** Asks again until `look` finds something, and gives that. Says what it saw at the deadline. */
  readonly until: Until;
  /** Waits until every agent that is connected has applied what it was told, as far as it can. */
  inSync(ms?: number): Promise<void>;
  /**
   * Waits until the Service NAMESPACE/NAME is ready and no move is under way, and gives its first
   * address and holder.
   */
  served(name: string, ms?: number): Promise<Served>;
  /** Waits until every host that is connected has each address, or stands by for it. */
  backed(ms?: number): Promise<void>;
}

/** The line by which our programs say that they serve. */
const SERVES = / serv(?:es|ing) /;

/** Makes the hosts and starts the programs. */
export async function createStage(options: StageOptions = {}): Promise<Stage> {
  const lab = await createLab(options.user);
  try {
    return await furnish(lab, options);
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(lab: Lab, options: StageOptions): Promise<Stage> {
  const host = (name: string, last: number): Promise<Host> =>
    lab.addHost(name, addressesOf(last, options));
  const control = await host("control", 5);
  const second = options.hasStandby === true ? [await host("standby", 7)] : [];
  const cluster =
    options.source === "kubernetes"
      ? addApiHost(lab, control, { ...options, others: second })
      : Promise.resolve(undefined);
  // Told where it is waited for, also when something else fails first.
  cluster.catch(() => undefined);
  const etcd = options.hasEtcd === true ? await startEtcd(await host("etcd", 8)) : undefined;
  const numbers = Array.from({ length: options.balancers ?? 3 }, (_, index) => index + 1);
  const balancers = await Promise.all(numbers.map((n) => host(`lb${n}`, 10 + n)));
  const members = await Promise.all([1, 2].map((n) => host(`member${n}`, 20 + n)));
  const client = await host("client", 31);
  const recorder = await recordHolders(balancers);
  const controller = createController(control, options, etcd);
  const [standby] = second.map((one) => createController(one, options, etcd));
  const places = [control, ...second]
    .map(({ address }) => formatHostPort({ host: address, port: 7702 }))
    .join();
  const agents = balancers.map((balancer) => createAgent(balancer, places, options));
  await control.output("mkdir", ["-p", MANIFESTS]);
  const apiHost = await cluster;
  const ports = { tcpPorts: [8080, 8081], udpPorts: [5353] };
  await Promise.all([controller.start(), ...members.map((member) => startMember(member, ports))]);
  const [asker] = await Promise.all([
    startAsker(control),
    standby?.start(),
    ...agents.map((seat) => seat.start()),
  ]);
  const seats = [controller, ...(standby === undefined ? [] : [standby]), ...agents];
  const until = createUntil(asker, seats);
  await until("all agents are connected", ({ agents: rows }) => {
    const connected = rows.filter(({ state }) => state === "connected");
    return connected.length === balancers.length ? true : undefined;
  });
  return {
    lab,
    control,
    balancers,
    members,
    client,
    recorder,
    controller,
    standby,
    asker,
    apiHost,
    api: () => {
      if (apiHost === undefined) throw new Error("this stage has no cluster");
      return apiHost;
    },
    etcd: () => {
      if (etcd === undefined) throw new Error("this stage has no etcd");
      return etcd;
    },
    until,
    seats,
    agent: (name) => {
      const seat = agents.find((one) => one.host.name === name);
      if (seat === undefined) throw new Error(`there is no agent on ${name}`);
      return seat;
    },
    write: (file, documents) => control.writeFile(`${MANIFESTS}/${file}`, manifest(documents)),
    remove: (file) => control.removeFile(`${MANIFESTS}/${file}`),
    fairlead: (...args) => control.exec(program("fairlead"), args, { timeoutMs: 30_000 }),
    inSync: async (ms) => {
      await until("every agent has applied its plan", (list) => areInSync(list), ms);
    },
    served: (name, ms) =>
      until(
        `${name} is ready and settled`,
        (list) => {
          const served = servedOf(list, name);
          if (served === undefined || areInSync(list) !== true) return undefined;
          return recorder.holders(served.address).join() === served.holder ? served : undefined;
        },
        ms,
      ),
    backed: async (ms) => {
      await until("every host has each address or stands by for it", areBacked, ms);
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

function addressesOf(last: number, options: StageOptions): HostOptions {
  const ipv6 = `fd77::${last}/64`;
  if (options.isIpv6Only === true) return { address: ipv6, gateway: "fd77::1" };
  return {
    address: `10.77.0.${last}/${options.prefixLength ?? 24}`,
    gateway: "10.77.0.1",
    ...(options.hasIpv6 === true ? { ipv6 } : {}),
  };
}

/** The path of one of the project's programs. */
export function program(name: "fairlead" | "fairlead-agent" | "fairlead-controller"): string {
  return join(TOP, "bin", name);
}

/** A claim by NAMESPACE/NAME. */
export function claimOf(list: ListJson, name: string): ClaimJson | undefined {
  return list.claims.find((claim) => `${claim.namespace}/${claim.name}` === name);
}

function servedOf(list: ListJson, name: string): Served | undefined {
  const claim = claimOf(list, name);
  const [first] = claim?.addresses ?? [];
  if (claim?.state !== "ready" || first === undefined || first.holder === "") return undefined;
  return { address: first.address, holder: first.holder };
}

function startEtcd(host: Host): Promise<EtcdCluster> {
  return startEtcdCluster({ program: toolPath("etcd", "server"), host, members: 3 });
}

function createController(host: Host, options: StageOptions, etcd?: EtcdCluster): Seat {
  const pools = (options.pools ?? [POOL]).flatMap((pool) => ["--pool", pool]);
  return createSeat({
    host,
    command: program("fairlead-controller"),
    args: [
      "--insecure",
      options.source === "kubernetes" ? `--kubeconfig=${KUBECONFIG}` : `--source=${MANIFESTS}`,
      `--state-dir=${STATE_DIR}`,
      ...(etcd === undefined ? [] : [`--store=etcd:${etcd.urls.join(",")}`]),
      ...pools,
      ...(options.controllerFlags ?? []),
    ],
    ready: SERVES,
  });
}

function createAgent(host: Host, controllers: string, options: StageOptions): Seat {
  return createSeat({
    host,
    command: program("fairlead-agent"),
    args: [
      "--insecure",
      `--name=${host.name}`,
      `--controller=${controllers}`,
      `--state-dir=${STATE_DIR}`,
      ...(options.agentFlags?.(host.name) ?? []),
    ],
    ready: SERVES,
    program: { env: options.agentEnv ?? {} },
  });
}
