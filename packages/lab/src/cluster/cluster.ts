// A real Kubernetes control plane for tests: etcd, API server and controller manager, on a host of
// the lab or on loopback. Given the paths of the programs. It is ready when the API server says so
// and the controller manager works, and nothing of it outlives the lab or this process.

import { randomUUID } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "../host.ts";
import { labError } from "../lab-error.ts";
import { type ApiConnection, createApiConnection } from "./api-connection.ts";
import { type AuditEntry, parseAuditLog } from "./audit-log.ts";
import { createAuthority } from "./certificates.ts";
import type { ClusterProgram } from "./cluster-program.ts";
import { ADMIN, type ClusterUser, CONTROLLER_MANAGER, createTokenUsers } from "./cluster-users.ts";
import {
  type ClusterPrograms,
  type ControlPlane,
  createControlPlane,
  writeFiles,
} from "./control-plane.ts";
import { createEtcdCopies, type EtcdCopies, type EtcdSnapshot } from "./etcd-copies.ts";
import { FILES, type FlagOptions, SERVER_NAMES, USUAL_PORTS } from "./flags.ts";
import { hostPlace } from "./host-place.ts";
import { type Credentials, kubeconfigText } from "./kubeconfig.ts";
import { createLoopbackPlace } from "./loopback-place.ts";
import type { Place } from "./place.ts";

/** How a cluster is started. */
export interface ClusterOptions {
  readonly programs: ClusterPrograms;
  /**
   * The host of the lab that it runs on, for itself. Default: an address of this machine's loopback
   * that is its own.
   */
  readonly host?: Host;
  /** Users who are known by a token from the start. Default: none but those of `ADMIN`. */
  readonly users?: readonly ClusterUser[];
  /** Added to the flags of the API server. Default: none. */
  readonly apiserverFlags?: readonly string[];
}

/** A control plane that runs. */
export interface Cluster extends AsyncDisposable {
  /** The API server's URL. */
  readonly server: string;
  /** Who signed the API server's certificate. */
  readonly caPem: string;
  /** Where it runs, for further programs beside it. */
  readonly place: Place;
  readonly etcd: ClusterProgram;
  readonly apiserver: ClusterProgram;
  readonly controllerManager: ClusterProgram;
  /** A kubeconfig of one who may do everything. */
  adminKubeconfig(): string;
  kubeconfigFor(user: string, credentials: Credentials): string;
  /** By what a user of `ClusterOptions.users` is known. */
  credentialsOf(name: string): Credentials;
  /** Makes a user who is known by a certificate, at any time. RBAC gives it its rights. */
  addUser(name: string, groups?: readonly string[]): Promise<Credentials>;
  /** Connects this program, also to a host of the lab. Default: as one who may do everything. */
  connect(credentials?: Credentials): ApiConnection;
  /** A copy of all objects as they are now. */
  snapshotEtcd(): Promise<EtcdSnapshot>;
  /**
   * Makes the cluster what it was, resource versions included: all three programs are killed and
   * start again over the copy. Clients find a server that knows less than they do.
   */
  restoreEtcd(snapshot: EtcdSnapshot): Promise<void>;
  /** All requests so far, in the order in which they ended; watches only when they have ended. */
  auditLog(): Promise<readonly AuditEntry[]>;
  /** Ends the three programs, and the place when it is on loopback. */
  stop(): Promise<void>;
}

/** Starts a cluster and waits until it is ready. Rejects with what the programs said. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { host } = options;
  const place = host === undefined ? await createLoopbackPlace() : hostPlace(host);
  const ending = new AbortController();
  try {
    return await furnish(place, options, ending);
  } catch (error) {
    ending.abort();
    await place[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(
  place: Place,
  options: ClusterOptions,
  ending: AbortController,
): Promise<Cluster> {
  const [address] = place.addresses;
  const ports = await place.ports(USUAL_PORTS);
  const { dir, isReachable } = place;
  const { apiserverFlags = [] } = options;
  const flags: FlagOptions = { dir, isReachable, address, ports, apiserverFlags };
  const server = `https://${address}:${ports.apiserver}`;
  const tokens = createTokenUsers(options.users ?? []);
  const [authority, way] = await Promise.all([createAuthority(place), place.way(ports.apiserver)]);
  const { caPem } = authority;
  const [serverName] = SERVER_NAMES;
  const connect = (credentials = tokens.credentialsOf(ADMIN)): ApiConnection =>
    createApiConnection({ way, caPem, serverName, credentials });
  const admin = connect();
  const kubeconfigFor = (user: string, credentials: Credentials): string =>
    kubeconfigText({ server, caPem, user, credentials });
  const plane = createControlPlane({
    place,
    programs: options.programs,
    flags,
    admin,
    signal: ending.signal,
  });
  const data = `${dir}/${FILES.etcdData}`;
  const copies = createEtcdCopies(place, [{ etcd: plane.etcd, data }]);
  const etcdStarts = plane.etcd.start();
  const manager = tokens.credentialsOf(CONTROLLER_MANAGER);
  await writeFiles(place, {
    caPem,
    serving: await authority.server([...SERVER_NAMES, place.name], place.addresses),
    tokens: tokens.file,
    controllerManagerConfig: kubeconfigFor(CONTROLLER_MANAGER, manager),
  });
  await Promise.all([etcdStarts, plane.apiserver.start(), plane.controllerManager.start()]);
  const stop = async (): Promise<void> => {
    ending.abort();
    admin[Symbol.dispose]();
    try {
      await killAll(plane);
    } finally {
      await place[Symbol.asyncDispose]();
    }
  };
  return {
    server,
    caPem,
    place,
    ...plane,
    adminKubeconfig: () => kubeconfigFor(ADMIN, tokens.credentialsOf(ADMIN)),
    kubeconfigFor,
    credentialsOf: (name) => tokens.credentialsOf(name),
    addUser: async (name, groups = []) => ({
      kind: "certificate",
      ...(await authority.client(name, groups)),
    }),
    connect,
    snapshotEtcd: () => copies.take(),
    restoreEtcd: (snapshot) => restore(plane, copies, snapshot),
    auditLog: () => readAuditLog(place, admin),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function killAll(plane: ControlPlane): Promise<void> {
  const programs = [plane.controllerManager, plane.apiserver, plane.etcd];
  await Promise.all(programs.map((program) => program.kill()));
}

async function restore(
  plane: ControlPlane,
  copies: EtcdCopies,
  snapshot: EtcdSnapshot,
): Promise<void> {
  await killAll(plane);
  await copies.putBack(snapshot);
  await Promise.all([plane.etcd, plane.apiserver, plane.controllerManager].map((p) => p.start()));
}

const FENCE = "/version?fence=";
const FENCE_MS_MAX = 10_000;
const FENCE_LOOK_EVERY_MS = 10;

/** The log is written behind the answers: a request of ours in it shows that it has caught up. */
async function readAuditLog(place: Place, admin: ApiConnection): Promise<readonly AuditEntry[]> {
  const uri = `${FENCE}${randomUUID()}`;
  await admin.request({ method: "GET", path: uri });
  for (let waitedMs = 0; waitedMs < FENCE_MS_MAX; waitedMs += FENCE_LOOK_EVERY_MS) {
    const text = await place.readFile(`${place.dir}/${FILES.auditLog}`);
    const entries = parseAuditLog(text);
    const end = entries.findIndex((entry) => entry.uri === uri);
    if (end >= 0) return entries.slice(0, end).filter((entry) => !entry.uri.startsWith(FENCE));
    await wait(FENCE_LOOK_EVERY_MS);
  }
  throw labError("DEADLINE", "the audit log does not catch up");
}
