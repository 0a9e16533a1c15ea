// What one instance of nginx is rendered from: its listeners with the limits that they have by
// default, their members, and for how long a generation that was replaced may go on. Pure.

import type { ListenerResource, MemberSetResource, ResourceName } from "@fairlead/model";

import type { ServicePlace } from "@fairlead/render";

import type { ServedListener } from "./applied.ts";

/** A generation that was replaced is cut after this at the latest, in ms. */
const SHUTDOWN_TIMEOUT_MS_MAX = 86_400_000;
/**
 * And it may go on for this long at least, in ms: a reload for one Service must not end the
 * connections of all others after that one's drain time. Its memory is bounded by generations.
 */
const SHUTDOWN_TIMEOUT_MS_MIN = 600_000;
/** A session over UDP takes two connections of a worker: one to the client, one to the member. */
const CONNECTIONS_PER_SESSION = 2;
/** The part of an instance's sessions that one UDP listener may have: others stay reachable. */
const SHARE_OF_LISTENER = 0.25;

/** What an instance is rendered from. */
export interface NginxParts {
  readonly listeners: readonly ListenerResource[];
  readonly memberSets: ReadonlyMap<ResourceName, MemberSetResource>;
  /** Where the kernel's table has the members of a listener, by its name. */
  readonly places: ReadonlyMap<ResourceName, ServicePlace>;
  /** nginx has one for all connections: the longest drain time of these listeners, bounded. */
  readonly shutdownTimeoutMs: number;
}

/** Sessions that a UDP listener may have where nothing else is asked for. */
export function udpSessionsMax(settings: {
  readonly workerProcesses: number;
  readonly workerConnections: number;
}): number {
  const { workerProcesses, workerConnections } = settings;
  const sessions = (workerProcesses * workerConnections) / CONNECTIONS_PER_SESSION;
  return Math.max(1, Math.floor(sessions * SHARE_OF_LISTENER));
}

/** Makes the parts of these listeners. */
export function nginxParts(
  served: readonly ServedListener[],
  settings: Parameters<typeof udpSessionsMax>[0],
): NginxParts {
  const sessionsMax = udpSessionsMax(settings);
  const drainsMs = served.map(({ listener }) => listener.drainTimeoutMs);
  const longestMs = Math.max(SHUTDOWN_TIMEOUT_MS_MIN, ...drainsMs);
  return {
    listeners: served.map(({ listener }) => withLimit(listener, sessionsMax)),
    places: new Map(
      served.flatMap(({ listener, place }) =>
        place === undefined ? [] : [[listener.name, place] as const],
      ),
    ),
    memberSets: new Map(served.map(({ members }) => [members.name, members])),
    shutdownTimeoutMs: Math.min(longestMs, SHUTDOWN_TIMEOUT_MS_MAX),
  };
}

/** Anybody may write anybody's address as the sender of a datagram; of TCP he has to be there. */
function withLimit(listener: ListenerResource, sessionsMax: number): ListenerResource {
  if (listener.protocol === "tcp") return listener;
  return { ...listener, connectionsMax: listener.connectionsMax ?? sessionsMax };
}
