// One look at the host: what the kernel has, which generation answers, which daemons live. It
// reads and never changes anything.

import type { KeepalivedDaemon, Kernel, KernelView, NginxDaemon } from "./ports.ts";

/** What was seen at one moment. */
export interface Observation {
  readonly kernel: KernelView;
  readonly generation: string | undefined;
  readonly generationsAlive: number;
  readonly keepalivedAlive: boolean;
}

/** Looks at the host. Rejects with the kernel's EdgeError; a silent daemon is an observation. */
export async function observe(host: {
  readonly kernel: Kernel;
  readonly nginx: NginxDaemon;
  readonly keepalived: KeepalivedDaemon;
}): Promise<Observation> {
  const [kernel, generation, generationsAlive, keepalivedAlive] = await Promise.all([
    host.kernel.view(),
    host.nginx.generation(),
    host.nginx.generationsAlive(),
    host.keepalived.alive(),
  ]);
  return { kernel, generation, generationsAlive, keepalivedAlive };
}
