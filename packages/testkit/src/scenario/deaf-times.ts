// When a host of a ring could not hear the others' VRRP, whatever the causes: a judge allows two
// holders then. Given the stage's clock.

import type { Clock } from "@fairlead/runtime";

/** The memory of it. */
export interface DeafTimes {
  /** In order; the last one may still last. */
  readonly times: readonly { readonly fromMs: number; readonly toMs: number | undefined }[];
  isBy(cause: string): boolean;
  /** A cause begins or ends. */
  set(cause: string, isDeaf: boolean): void;
}

/** Makes it, of a host that hears. */
export function createDeafTimes(clock: Clock): DeafTimes {
  const times: { readonly fromMs: number; readonly toMs: number | undefined }[] = [];
  const causes = new Set<string>();
  return {
    times,
    isBy: (cause) => causes.has(cause),
    set: (cause, isDeaf) => {
      const nowMs = clock.nowMs();
      const wasDeaf = causes.size > 0;
      if (isDeaf) causes.add(cause);
      else causes.delete(cause);
      if (!wasDeaf && isDeaf) times.push({ fromMs: nowMs, toMs: undefined });
      const last = times.at(-1);
      if (wasDeaf && causes.size === 0 && last !== undefined) {
        times.splice(-1, 1, { ...last, toMs: nowMs });
      }
    },
  };
}
