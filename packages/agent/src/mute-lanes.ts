// Takes lanes off this host while the address that it speaks VRRP from is gone: keepalived would
// keep them although nobody hears it, and a successor would hold them too. A lane without a
// successor stays, but for a link that was out for long: others may have been given it, and a newer
// plan has to say so first. Given the kernel and the wanted lanes.

import type { Address, AgentName, LaneResource, ResourceName } from "@fairlead/model";
import { type Clock, type Logger, type Timer, createPace, describeError } from "@fairlead/runtime";

import { createLinkOutages, type LinkOutages } from "./link-outages.ts";
import type { TrackFiles } from "./liveness/track-files.ts";
import type { Kernel, KernelAddress } from "./ports.ts";

/** What it is made of. */
export interface MuteLanesOptions {
  readonly agent: AgentName;
  readonly clock: Clock;
  readonly log: Logger;
  readonly kernel: Pick<Kernel, "view" | "onChange">;
  /** The lanes that are wanted now. */
  readonly lanes: () => readonly LaneResource[];
  readonly files: Pick<TrackFiles, "mute">;
}

/** An address that changes goes first and comes after; events of one change are one look. */
const QUIET_MS = 20;
const WAIT_MS_MAX = 100;
/** A newer plan may name the address that the host has: looked for this often, in ms. */
const AGAIN_MS = 1000;

/** Whether nobody hears a host with these addresses in a lane that others could hold. */
export function muteWith(
  agent: AgentName,
  addresses: readonly Pick<KernelAddress, "address">[],
): (lane: LaneResource) => boolean {
  const here = new Set(addresses.map(({ address }) => address));
  return (lane) => {
    const own = ownIn(lane, agent);
    return own !== undefined && lane.order.length > 1 && !here.has(own);
  };
}

function ownIn(lane: LaneResource, agent: AgentName): Address | undefined {
  return lane.order.find((peer) => peer.agent === agent)?.address;
}

/** Starts it, with a first look in a moment. */
export function startLeavingMuteLanes(options: MuteLanesOptions): AsyncDisposable {
  const { clock, log, kernel } = options;
  const known: Known = { left: new Set(), outages: createLinkOutages() };
  let timer: Timer | undefined;
  let trouble: string | undefined;

  const looks = createPace({
    clock,
    quietMs: QUIET_MS,
    maxWaitMs: WAIT_MS_MAX,
    run: async () => {
      timer?.cancel();
      timer = undefined;
      const againMs = await look(options, known);
      trouble = undefined;
      if (againMs !== undefined) again(againMs);
    },
    onError: (error) => {
      const said = describeError(error);
      if (said !== trouble) log.error({ detail: said }, "cannot see to lanes that nobody hears");
      trouble = said;
      again(AGAIN_MS);
    },
  });
  function again(ms: number): void {
    timer ??= clock.setTimer(ms, () => {
      timer = undefined;
      looks.poke();
    });
  }
  const events = kernel.onChange(() => void looks.poke());
  looks.poke();
  return {
    [Symbol.asyncDispose]: async () => {
      events[Symbol.dispose]();
      timer?.cancel();
      await looks[Symbol.asyncDispose]();
      timer?.cancel();
    },
  };
}

/** What the last look left. */
interface Known {
  readonly left: Set<ResourceName>;
  readonly outages: LinkOutages;
}

/** Returns after how long to look again though nothing happens, in ms. */
async function look(options: MuteLanesOptions, known: Known): Promise<number | undefined> {
  const { agent, clock, files, kernel, lanes, log } = options;
  const { left, outages } = known;
  const { addresses, links } = await kernel.view();
  const nowMs = clock.nowMs();
  outages.look(links, nowMs);
  const wanted = lanes();
  const isUnheard = muteWith(agent, addresses);
  const restMs = (lane: LaneResource): number =>
    isSole(lane, agent) ? outages.restMs(lane.link, nowMs) : 0;
  const isMute = (lane: LaneResource): boolean => isUnheard(lane) || restMs(lane) > 0;
  await files.mute(wanted, isMute);
  const before = new Set(left);
  left.clear();
  for (const lane of wanted) {
    const isLeft = isMute(lane);
    if (isLeft) left.add(lane.name);
    if (isLeft === before.has(lane.name)) continue;
    const fields = { lane: lane.name, address: ownIn(lane, agent) };
    if (!isLeft) log.info(fields, "the lane may be held again");
    else if (isUnheard(lane)) log.warn(fields, "the host's own address is gone: the lane is left");
    else log.warn(fields, "the link was out for long: the lane rests for a newer plan");
  }
  if (left.size === 0 && !outages.isAnyOut) return undefined;
  return Math.min(AGAIN_MS, ...wanted.map(restMs).filter((ms) => ms > 0));
}

function isSole({ order }: LaneResource, agent: AgentName): boolean {
  return order.length === 1 && order[0]?.agent === agent;
}
