// How much life an address of a device has at any time, for as long as its agent lives. Given views
// of the kernel that are as old as they may be, on a fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock, createLogger } from "@fairlead/runtime";
import { acceptedPlan, address, device, deviceVipOf } from "@fairlead/testkit";

import { LIFETIME_MS } from "./attach.ts";
import { createKeptView } from "./netlink/kept-view.ts";
import type { AddedAddress, KernelView, LedgerEntry } from "./ports.ts";
import { startRenewing } from "./renew-addresses.ts";

/** What docs/how-to/modes.md promises of an agent that is dead. */
const LEFT_MS_MIN = 30_000;
/** As the kernel's adapter keeps a view. */
const KEPT_MS = 10_000;
const ROUND_MS = 5000;
const STEP_MS = 500;
const PLACE = { address: address("192.0.2.100"), link: device("eth0") };

/** What happens besides: when it was put there before the first round, and when a pass looks. */
interface Moments {
  readonly putBeforeMs: number;
  readonly lookedAtMs: number;
}

/** The least life that the address has within a minute. */
async function leastLife({ putBeforeMs, lookedAtMs }: Moments): Promise<number> {
  const clock = createFakeClock();
  let endMs = clock.nowMs() + LIFETIME_MS - putBeforeMs;
  const look = (): Promise<KernelView> => {
    const entry = { ...PLACE, prefixLength: 24, validMs: endMs - clock.nowMs() };
    return Promise.resolve({ links: [], addresses: [entry] });
  };
  const kept = createKeptView({ clock, look, keptMs: KEPT_MS, silentPart: () => "" });
  const kernel = {
    lastView: () => kept.last(),
    putAddress: ({ validMs = 0 }: AddedAddress) => {
      endMs = clock.nowMs() + validMs;
      kept.outdate();
      return Promise.resolve();
    },
  };
  const wanted = acceptedPlan("a", [deviceVipOf(PLACE.address)]);
  const ledger: readonly LedgerEntry[] = [{ ...PLACE, foreign: false, added: true }];
  const log = createLogger({ level: "silent", format: "text" });
  await using _ = startRenewing({
    clock,
    log,
    host: { kernel },
    known: () => ({ wanted, ledger }),
  });
  let least = LIFETIME_MS;
  for (let ms = STEP_MS; ms <= LIFETIME_MS; ms += STEP_MS) {
    await clock.advance(STEP_MS - 1);
    least = Math.min(least, endMs - clock.nowMs());
    await clock.advance(1);
    if (ms !== lookedAtMs) continue;
    // Something else of the host changed, and what the pass sees is good for the rounds.
    kept.outdate();
    await kernel.lastView();
  }
  return least;
}

test("an agent that is killed leaves its addresses half a minute at least", async () => {
  for (let putBeforeMs = 0; putBeforeMs < ROUND_MS; putBeforeMs += STEP_MS) {
    for (let lookedAtMs = STEP_MS; lookedAtMs < LIFETIME_MS; lookedAtMs += STEP_MS) {
      const leftMs = await leastLife({ putBeforeMs, lookedAtMs });
      const when = `put ${putBeforeMs} ms before a round, looked at after ${lookedAtMs} ms`;
      assert.ok(leftMs >= LEFT_MS_MIN, `${leftMs} ms are left: ${when}`);
      assert.ok(leftMs < LIFETIME_MS - KEPT_MS, `renewed all the time: ${when}`);
    }
  }
});
