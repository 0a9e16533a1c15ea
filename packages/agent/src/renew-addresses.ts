// Gives the addresses that the agent holds by itself a longer life in the kernel, on a clock of its
// own: a pass may take minutes while nginx refuses, or not come to them while the disk is full.
// Given what is wanted and what the ledger names; it adds nothing, and lets go what is not wanted.

import { type Clock, type Logger, type Timer, createPace, describeError } from "@fairlead/runtime";

import { isAttached, LIFETIME_MS } from "./attach.ts";
import { byPlace, placeOf } from "./by-address.ts";
import type { ConvergeView } from "./converge-view.ts";
import type { AddedAddress, Kernel, KernelAddress } from "./ports.ts";

/** What it is made of. */
export interface RenewOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: { readonly kernel: Pick<Kernel, "lastView" | "putAddress"> };
  /** The newest plan, also while a pass is still at the one before, and the ledger. */
  readonly known: () => Pick<ConvergeView, "wanted" | "ledger">;
}

/** Time between two rounds, in ms. */
const ROUND_MS = 5000;
/**
 * What has less than this left is renewed, in ms. A round goes by a view of up to 10 s ago, and the
 * next one is 5 s later: so half a minute is left at any time.
 */
const RENEW_BELOW_MS = 45_000;

/** Starts it. Disposing it resolves when nothing is renewed any more. */
export function startRenewing({ clock, log, host, known }: RenewOptions): AsyncDisposable {
  let trouble: string | undefined;
  const say = (now: string | undefined): void => {
    if (now !== undefined && now !== trouble) log.warn({ trouble: now }, "cannot renew addresses");
    trouble = now;
  };
  const rounds = createPace({
    clock,
    quietMs: 0,
    maxWaitMs: 0,
    run: async () => {
      const { addresses } = await host.kernel.lastView();
      const renewals = renewalsOf(known(), addresses);
      const ends = await Promise.allSettled(renewals.map((one) => host.kernel.putAddress(one)));
      const failed = ends.find((end) => end.status === "rejected");
      say(failed === undefined ? undefined : describeError(failed.reason));
    },
    onError: (error) => say(describeError(error)),
  });
  let timer: Timer | undefined;
  const round = (): void => {
    void rounds.poke();
    timer = clock.setTimer(ROUND_MS, round);
  };
  round();
  return {
    [Symbol.asyncDispose]: async () => {
      timer?.cancel();
      await rounds[Symbol.asyncDispose]();
    },
  };
}

/** What the ledger names as put there by the agent, and is where the plan has it. */
function renewalsOf(
  { wanted, ledger }: Pick<ConvergeView, "wanted" | "ledger">,
  addresses: readonly KernelAddress[],
): readonly AddedAddress[] {
  const places = byPlace(addresses.filter(isExpiring));
  const ours = new Set(ledger.filter(({ added }) => added === true).map(placeOf));
  return [...(wanted?.plan.resources.values() ?? [])].flatMap((resource) => {
    if (resource.kind !== "vip" || !isAttached(resource)) return [];
    const { address, carrier } = resource;
    if (carrier.kind !== "link") return [];
    const { link } = carrier;
    const here = places.get(placeOf({ address, link }));
    if (here === undefined || !ours.has(placeOf(here))) return [];
    return [{ address, link, prefixLength: here.prefixLength, validMs: LIFETIME_MS }];
  });
}

/** Also what never goes: it was kept over the end of an agent. */
function isExpiring({ validMs }: KernelAddress): boolean {
  return validMs === undefined || validMs < RENEW_BELOW_MS;
}
