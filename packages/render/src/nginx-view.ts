// Every decision about nginx.conf: which listeners, how members are chosen, which limits. Flat,
// sorted and checked, so that the template only loops. It is given resources, never text.

import {
  type ListenerResource,
  type Member,
  assert,
  compareAddress,
  compareBy,
  compareNumber,
  compareText,
  present,
} from "@fairlead/model";
import type { NginxInput, NginxSettings } from "./nginx-input.ts";
import { type PlacedListener, type PlacedView, placedView } from "./nginx-placed.ts";
import {
  type BalancingView,
  type ListenView,
  LIMIT_ZONE,
  type PolicyView,
  balancing,
  endpoint,
  listenView,
  policyView,
  upstreamName,
} from "./nginx-policy.ts";

/** A member as the template writes it. */
export interface MemberView {
  readonly endpoint: string;
  readonly weight: number;
  /** `down` for a draining member: no new connections. */
  readonly flags: readonly string[];
}

/** A listener with its members. */
export interface ProxiedView extends ListenView, BalancingView, PolicyView {
  readonly upstream: string;
  readonly members: readonly MemberView[];
}

/** All of nginx.conf. */
export interface NginxView {
  readonly streamModule: string;
  readonly pidFile: string;
  readonly errorLog: string;
  readonly users: readonly string[];
  readonly workerProcesses: number;
  readonly workerConnections: number;
  readonly openFilesMax: number;
  readonly shutdownTimeoutMs: number;
  /** Of one connection in one direction. */
  readonly bufferBytes: number;
  readonly limitZones: readonly string[];
  /** How loudly each refusal of a limit is said; empty: as an error. */
  readonly limitLogLevels: readonly string[];
  readonly probeSocket: string;
  /** What the probe socket leads to; empty: nothing, it answers itself. */
  readonly answerSockets: readonly string[];
  readonly generation: string;
  /** Listeners whose members stand in this file. */
  readonly proxied: readonly ProxiedView[];
  /** Without an active member: every connection is closed at once. */
  readonly refusing: readonly ListenView[];
  /** Listeners whose members stand in the kernel's table. */
  readonly placed: PlacedView;
}

/** Workers get connections for their sockets in steps of this many: most files have none to add. */
const SOCKETS_STEP = 1024;
/**
 * A connection has two such buffers, and memory for as much of them as was ever used. Of bulk that
 * is proxied, nginx takes a third less processor time than with its default of 16 kB (measured).
 */
const TCP_BUFFER_BYTES = 32_768;
/** The longest datagram fits: nginx cuts off what does not. */
const UDP_BUFFER_BYTES = 65_536;
/** Longest path of a unix socket (unix(7): 108 with its NUL). */
const SOCKET_PATH_LENGTH_MAX = 107;

/** Decides everything that nginx.conf says. A plan that breaks its own rules asserts. */
export function nginxView(input: NginxInput): NginxView {
  const { paths, ...limits } = input.settings;
  const answerSockets = paths.answerSocket === undefined ? [] : [paths.answerSocket];
  for (const path of [paths.probeSocket, ...answerSockets]) {
    assert(path.length <= SOCKET_PATH_LENGTH_MAX, "the path of a socket fits");
  }
  const listeners = input.listeners.toSorted(compareListener);
  const names = new Set(listeners.map(upstreamName));
  assert(names.size === listeners.length, "no listener twice");
  const proxied: ProxiedView[] = [];
  const refusing: ListenView[] = [];
  const placed: PlacedListener[] = [];
  for (const listener of listeners) {
    const place = input.places?.get(listener.name);
    if (place !== undefined) {
      placed.push({ listener, place });
      continue;
    }
    const { members } = present(input.memberSets.get(listener.members), "members in the plan");
    const served = members.some((member) => member.state === "active");
    if (served) proxied.push(proxiedView(listener, members));
    else refusing.push(listenView(listener));
  }
  return {
    streamModule: paths.streamModule,
    pidFile: paths.pid,
    errorLog: paths.errorLog,
    users: limits.user === undefined ? [] : [limits.user],
    workerProcesses: limits.workerProcesses,
    workerConnections: workerConnections(limits, listeners),
    openFilesMax: limits.openFilesMax,
    shutdownTimeoutMs: limits.shutdownTimeoutMs,
    bufferBytes: listeners.some(isUdp) ? UDP_BUFFER_BYTES : TCP_BUFFER_BYTES,
    limitZones: listeners.some((one) => one.connectionsMax !== undefined) ? [LIMIT_ZONE] : [],
    // A flood over UDP would fill the log: one line a datagram.
    limitLogLevels: listeners.every(isUdp) ? ["info"] : [],
    probeSocket: paths.probeSocket,
    answerSockets,
    generation: input.generation,
    proxied,
    refusing,
    placed: placedView(placed, input.targets),
  };
}

const isUdp = ({ protocol }: ListenerResource): boolean => protocol === "udp";

/** nginx refuses a file with more sockets than a worker has connections; UDP has one a worker. */
function workerConnections(
  { workerConnections: least, workerProcesses }: Omit<NginxSettings, "paths">,
  listeners: readonly ListenerResource[],
): number {
  const udp = listeners.filter(isUdp).length;
  const sockets = listeners.length + udp * (workerProcesses - 1);
  return least + Math.floor(sockets / SOCKETS_STEP) * SOCKETS_STEP;
}

const compareListener = compareBy<ListenerResource>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareText(a.protocol, b.protocol),
  (a, b) => compareNumber(a.port, b.port),
);

const compareMember = compareBy<Member>(
  (a, b) => compareAddress(a.address, b.address),
  (a, b) => compareNumber(a.port, b.port),
);

function proxiedView(listener: ListenerResource, members: readonly Member[]): ProxiedView {
  return {
    ...listenView(listener),
    upstream: upstreamName(listener),
    ...balancing(listener),
    members: members.toSorted(compareMember).map(memberView),
    ...policyView(listener),
  };
}

function memberView(member: Member): MemberView {
  return {
    endpoint: endpoint(member.address, member.port),
    weight: member.weight,
    flags: member.state === "draining" ? ["down"] : [],
  };
}
