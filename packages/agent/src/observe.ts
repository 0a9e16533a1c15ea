// One look at the host: what the kernel has, which generation answers, which daemons live. It
// reads and changes nothing of what is served; nginx's port may end a generation beyond its bound,
// and routes to the table of members are put back.

import type { HeardRouter, Remark } from "@fairlead/model";

import type { Applied } from "./applied.ts";
import type { FullListeners } from "./full-listeners.ts";
import type { DownFile } from "./liveness/track-files.ts";
import type {
  InputGuard,
  KeepalivedDaemon,
  Kernel,
  KernelView,
  LivingGeneration,
  NginxDaemon,
  ServiceRoutes,
  Unrouted,
  VrrpListener,
} from "./ports.ts";

/** What was seen at one moment. */
export interface Observation {
  readonly kernel: KernelView;
  /** Of the nginx for TCP, as it answers. */
  readonly generation: string | undefined;
  /** Of the one for UDP. */
  readonly udpGeneration: string | undefined;
  /** Whether lanes are kept off this host for it, whatever it answers; absent: they are not. */
  readonly isNginxDown?: true;
  readonly isNginxUdpDown?: true;
  /** Generations with living workers, of each instance the serving one first. */
  readonly generations: readonly ObservedGeneration[];
  readonly keepalivedAlive: boolean;
  /** Everybody who speaks VRRP on its links. */
  readonly routers: readonly HeardRouter[];
  /** Why the host's own services may answer on addresses of ours; absent when they do not. */
  readonly unguarded?: Remark;
  /** Families of which nobody reaches the kernel's table of members; absent when there is none. */
  readonly unrouted?: readonly Unrouted[];
  /** Listeners that take no further clients; absent when there is none. */
  readonly full?: readonly Remark[];
}

/** A generation with living workers, and whose it is. */
export type ObservedGeneration = LivingGeneration & { readonly protocol: "tcp" | "udp" };

/** What is said to lanes of each instance of nginx. */
export interface DownFiles {
  readonly nginx: Pick<DownFile, "isDown">;
  readonly nginxUdp: Pick<DownFile, "isDown">;
}

/** An answer that somebody else got is good for this long, in ms: it is asked for as often. */
const RECENT_MS = 250;

/** Looks at the host. Rejects with the kernel's EdgeError; a silent daemon is an observation. */
async function observe(host: {
  readonly kernel: Kernel;
  readonly nginx: NginxDaemon;
  readonly nginxUdp: NginxDaemon;
  readonly keepalived: KeepalivedDaemon;
  readonly vrrp: VrrpListener;
  readonly guard: Pick<InputGuard, "trouble">;
  readonly full?: Pick<FullListeners, "remarks">;
  readonly routes?: Pick<ServiceRoutes, "unrouted">;
  readonly downFiles?: DownFiles;
}): Promise<Observation> {
  // It may take a second until nobody has answered, or programs have ended on a busy host, in which
  // lanes come and go: what is there by then is what counts, so the kernel comes last.
  const [generation, udpGeneration] = await Promise.all([
    host.nginx.generation(RECENT_MS),
    host.nginxUdp.generation(RECENT_MS),
  ]);
  const [tcp, udp, keepalivedAlive, unrouted = []] = await Promise.all([
    host.nginx.generationsAlive(),
    host.nginxUdp.generationsAlive(),
    host.keepalived.alive(),
    host.routes?.unrouted(),
  ]);
  const kernel = await host.kernel.lastView();
  const generations = [
    ...tcp.map((one) => ({ ...one, protocol: "tcp" as const })),
    ...udp.map((one) => ({ ...one, protocol: "udp" as const })),
  ];
  const routers = host.vrrp.heard(kernel.links);
  const trouble = host.guard.trouble();
  const unguarded = trouble === undefined ? {} : { unguarded: trouble };
  const full = host.full?.remarks() ?? [];
  return {
    kernel,
    generation,
    udpGeneration,
    ...(host.downFiles?.nginx.isDown() === true ? { isNginxDown: true } : {}),
    ...(host.downFiles?.nginxUdp.isDown() === true ? { isNginxUdpDown: true } : {}),
    generations,
    keepalivedAlive,
    routers,
    ...unguarded,
    ...(full.length === 0 ? {} : { full }),
    ...(unrouted.length === 0 ? {} : { unrouted }),
  };
}

/** What is being done to the host while somebody looks at it. */
export interface Doing {
  /** Goes up when steps begin and when they end: odd while they run. */
  readonly phase: number;
  /** The generations that are known to serve. */
  readonly applied: Pick<Applied, "generation" | "udpGeneration">;
}

/**
 * Looks at a host that is being changed. Between two generations of nginx either may answer, and
 * each has what was served before and still is wanted: that must not be taken for lost. `doing` is
 * asked before and after; the look that follows a pass is strict again.
 */
export async function observeAmid(
  host: Parameters<typeof observe>[0],
  doing: () => Doing,
): Promise<Observation> {
  const before = doing();
  const observed = await observe(host);
  const { phase, applied } = doing();
  if (before.phase % 2 === 0 && before.phase === phase) return observed;
  return {
    ...observed,
    generation: known(observed.generation, applied.generation),
    udpGeneration: known(observed.udpGeneration, applied.udpGeneration),
  };
}

function known(observed: string | undefined, serving: string | undefined): string | undefined {
  return observed === undefined ? undefined : (serving ?? observed);
}
