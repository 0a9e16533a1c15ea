// Tells neighbours again who has the addresses that the agent holds by itself: all of a link when
// it comes up, as its switch has forgotten them, and a few at a time for ever, as neighbours may
// have been told wrong. keepalived does so for its own. Given what is held.

import { vipName } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import type { ConvergeView } from "./converge-view.ts";
import { watchLinkUps } from "./link-ups.ts";
import type { AddedAddress, Announcer, Kernel } from "./ports.ts";

/** What it is made of. */
export interface AnnounceAgainOptions {
  readonly clock: Clock;
  readonly kernel: Pick<Kernel, "view" | "onChange">;
  readonly announcer: Pick<Announcer, "announce">;
  /** What the agent has added and the kernel has now, in an order that stays. */
  readonly held: () => readonly Place[];
}

/** An address on a device. */
export type Place = Pick<AddedAddress, "address" | "link">;

/** Time between two rounds, in ms: that of keepalived's own refresh. */
const ROUND_MS = 30_000;
/** Addresses of one round: each costs two processes, and an idle agent shall cost nothing. */
const ROUND_ADDRESSES = 15;

/** Starts it; the links that are up now were told of when their addresses were added. */
export async function startAnnouncingAgain(
  options: AnnounceAgainOptions,
): Promise<AsyncDisposable> {
  const { clock, kernel, announcer, held } = options;
  let next = 0;
  let timer: Timer | undefined;

  const round = (): void => {
    const all = held();
    if (next >= all.length) next = 0;
    const some = all.slice(next, next + ROUND_ADDRESSES);
    next += some.length;
    if (some.length > 0) announcer.announce(some);
    timer = clock.setTimer(ROUND_MS, round);
  };
  timer = clock.setTimer(ROUND_MS, round);

  const ups = await watchLinkUps({
    clock,
    kernel,
    cameUp: (links) => {
      const came = held().filter(({ link }) => links.has(link));
      if (came.length > 0) announcer.announce(came);
    },
  });
  return {
    [Symbol.asyncDispose]: async () => {
      timer?.cancel();
      await ups[Symbol.asyncDispose]();
    },
  };
}

/** What stands on the host by its lanes, as far as the last look saw it: keepalived added it. */
export function placesInLanes({ wanted, look }: ConvergeView): readonly Place[] {
  const there = look?.observed.kernel.addresses ?? [];
  return there.filter(({ address }) => {
    const resource = wanted?.plan.resources.get(vipName(address));
    return resource?.kind === "vip" && resource.carrier.kind === "lane";
  });
}

/** What the agent has added, as far as its last look saw it there. */
export function placesHeld({ applied, look }: ConvergeView): readonly Place[] {
  const there = look?.observed.kernel.addresses ?? [];
  return there.filter(({ address }) => applied.attached.has(address));
}
