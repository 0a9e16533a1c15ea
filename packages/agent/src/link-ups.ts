// Tells of links that come up: a switch has forgotten by then who has which address, and waits of
// before may be over. Given the kernel.

import type { DeviceName, Link } from "@fairlead/model";
import { type Clock, createPace } from "@fairlead/runtime";

import type { Kernel } from "./ports.ts";

/** What it is made of. */
export interface LinkUpsOptions {
  readonly clock: Clock;
  readonly kernel: Pick<Kernel, "view" | "onChange">;
  /** Takes the links that were not up at the look before. */
  readonly cameUp: (links: ReadonlySet<DeviceName>) => void;
}

/** A link that comes up makes many events, in ms. */
const QUIET_MS = 50;
const WAIT_MS_MAX = 500;

/** Starts it; what is up now did not come up. Rejects when the kernel cannot be looked at. */
export async function watchLinkUps(options: LinkUpsOptions): Promise<AsyncDisposable> {
  const { clock, kernel, cameUp } = options;
  let up = namesUp((await kernel.view()).links);
  const looks = createPace({
    clock,
    quietMs: QUIET_MS,
    maxWaitMs: WAIT_MS_MAX,
    run: async () => {
      const before = up;
      up = namesUp((await kernel.view()).links);
      const came = new Set([...up].filter((name) => !before.has(name)));
      if (came.size > 0) cameUp(came);
    },
    // The next event looks again; the loop of the agent says what is wrong with the kernel.
    onError: () => undefined,
  });
  const events = kernel.onChange(() => void looks.poke());
  return {
    [Symbol.asyncDispose]: async () => {
      events[Symbol.dispose]();
      await looks[Symbol.asyncDispose]();
    },
  };
}

function namesUp(links: readonly Link[]): Set<DeviceName> {
  return new Set(links.filter(({ up }) => up).map(({ name }) => name));
}
