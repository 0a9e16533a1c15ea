// Takes lanes off this host while the address that it speaks VRRP from is gone: keepalived would
// keep them although nobody hears it, and a successor would hold them too. Given the kernel and the
// wanted lanes. A lane without a successor stays, as does one that others took off.

import type { Address, AgentName, LaneResource, ResourceName } from "@fairlead/model";
import { type Clock, type Logger, type Timer, createPace, describeError } from "@fairlead/runtime";

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
  const left = new Set<ResourceName>();
  let timer: Timer | undefined;
  let trouble: string | undefined;

  const looks = createPace({
    clock,
    quietMs: QUIET_MS,
    maxWaitMs: WAIT_MS_MAX,
    run: async () => {
      timer?.cancel();
      timer = undefined;
      await look(options, left);
      trouble = undefined;
      if (left.size > 0) again();
    },
    onError: (error) => {
      const said = describeError(error);
      if (said !== trouble) log.error({ detail: said }, "cannot see to lanes that nobody hears");
      trouble = said;
      again();
    },
  });
  function again(): void {
    timer ??= clock.setTimer(AGAIN_MS, () => {
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

async function look(options: MuteLanesOptions, left: Set<ResourceName>): Promise<void> {
  const { agent, files, kernel, lanes, log } = options;
  const { addresses } = await kernel.view();
  const wanted = lanes();
  const isMute = muteWith(agent, addresses);
  await files.mute(wanted, isMute);
  const before = new Set(left);
  left.clear();
  for (const lane of wanted) {
    const isLeft = isMute(lane);
    if (isLeft) left.add(lane.name);
    if (isLeft === before.has(lane.name)) continue;
    const fields = { lane: lane.name, address: ownIn(lane, agent) };
    if (isLeft) log.warn(fields, "the host's own address is gone: the lane is left");
    else log.info(fields, "the host can be heard again");
  }
}
