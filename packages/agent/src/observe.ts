// One look at the host: what the kernel has, which generation answers, which daemons live. It
// reads and never changes anything.

import type { HeardRouter, Remark } from "@fairlead/model";

import type {
  InputGuard,
  KeepalivedDaemon,
  Kernel,
  KernelView,
  NginxDaemon,
  VrrpListener,
} from "./ports.ts";

/** What was seen at one moment. */
export interface Observation {
  readonly kernel: KernelView;
  readonly generation: string | undefined;
  readonly generationsAlive: number;
  readonly keepalivedAlive: boolean;
  /** Everybody who speaks VRRP on its links. */
  readonly routers: readonly HeardRouter[];
  /** Why the host's own services may answer on addresses of ours; absent when they do not. */
  readonly unguarded?: Remark;
}

/** Looks at the host. Rejects with the kernel's EdgeError; a silent daemon is an observation. */
async function observe(host: {
  readonly kernel: Kernel;
  readonly nginx: NginxDaemon;
  readonly keepalived: KeepalivedDaemon;
  readonly vrrp: VrrpListener;
  readonly guard: Pick<InputGuard, "trouble">;
}): Promise<Observation> {
  const [kernel, generation, generationsAlive, keepalivedAlive] = await Promise.all([
    host.kernel.view(),
    host.nginx.generation(),
    host.nginx.generationsAlive(),
    host.keepalived.alive(),
  ]);
  const routers = host.vrrp.heard();
  const trouble = host.guard.trouble();
  const unguarded = trouble === undefined ? {} : { unguarded: trouble };
  return { kernel, generation, generationsAlive, keepalivedAlive, routers, ...unguarded };
}

/** What is being done to the host while somebody looks at it. */
export interface Doing {
  /** Goes up when steps begin and when they end: odd while they run. */
  readonly phase: number;
  /** The generation that is known to serve. */
  readonly generation: string | undefined;
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
  const { phase, generation } = doing();
  const isAmid = before.phase % 2 === 1 || before.phase !== phase;
  const isAnswered = observed.generation !== undefined && generation !== undefined;
  return isAmid && isAnswered ? { ...observed, generation } : observed;
}
