// A guard on a real kernel, for tests in a sandbox: what it guards, how nft is asked, and a guard
// that follows its own monitor while its time passes as a test has it. For tests alone.

import assert from "node:assert/strict";

import { type Address, parseAddress, parseDeviceName, present } from "@fairlead/model";
import { createFakeClock, createLogger, createSystemClock, runProgram } from "@fairlead/runtime";

import type { Guarded, InputGuard } from "../ports.ts";
import { GUARD_TABLE } from "./guard-table.ts";
import { createNftGuard } from "./guard.ts";
import { createNftMonitor } from "./nft-monitor.ts";

/** The program of nftables. */
export const NFT = "/usr/sbin/nft";
const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const random = Math.random;

/** Both families alike: what belongs to the last part of an address stands in one place. */
export function at(last: string): readonly string[] {
  return [`192.0.2.${last}`, `2001:db8::${last}`];
}

/** A listener of a VIP. */
export function listener(
  text: string,
  protocol: "tcp" | "udp",
  port: number,
): Guarded["listeners"][number] {
  return { address: address(text), protocol, port };
}

/** A VIP of each family with two ports, and a lane with one peer. */
export const GUARDED: Guarded = {
  vips: at("100").map(address),
  listeners: at("100").flatMap((vip) => [listener(vip, "tcp", 80), listener(vip, "udp", 53)]),
  lanes: [{ link: present(parseDeviceName("eth0"), "a device"), peers: at("12").map(address) }],
};

/** Runs a program, which has to succeed; what it printed. */
export async function run(command: string, args: readonly string[], input = ""): Promise<string> {
  const limits = { timeoutMs: 20_000, maxOutputBytes: 65_536 };
  const result = await runProgram({ command, args, input, ...limits });
  assert.equal(result.code, 0, `${args.join(" ")}: ${result.stderr}`);
  return result.stdout;
}

/** The whole table without numbers that packets move. */
export async function table(): Promise<string> {
  const text = await run(NFT, ["-s", "list", "table", "inet", "fairlead_guard"]);
  return text.replaceAll(/ counter packets \d+ bytes \d+/g, " counter");
}

/** From news of a change to its repair, by the guard's own clock. */
const REPAIRED_MS = 1000;
/** Programs run in this time on the slowest machine; what they do in it is told by other clocks. */
const WAIT_MS_MAX = 10_000;

/** Resolves once it holds, and fails where that takes too long. */
export async function until(
  what: string,
  holds: () => Promise<boolean>,
  ms: number = WAIT_MS_MAX,
): Promise<void> {
  const endMs = clock.nowMs() + ms;
  while (!(await holds())) {
    assert.ok(clock.nowMs() < endMs, `${what} within ${ms} ms`);
    await clock.sleep(20);
  }
}

/** A guard that guards, and how its repairs are waited for. */
export interface OpenGuard {
  readonly guard: InputGuard;
  /** Time passes by news of the table alone, and for each by no more than a repair may take. */
  readonly untilRepaired: (isSo: () => Promise<boolean>) => Promise<void>;
}

/** Guards until the stack is disposed, with all that happened before its monitor listened seen. */
export async function openGuard(stack: AsyncDisposableStack): Promise<OpenGuard> {
  // The guard's own: it passes as the tests have it.
  const hands = createFakeClock();
  let isNews = false;
  const monitor = stack.use(createNftMonitor({ program: NFT, clock, logger, random }));
  const guard = stack.use(createNftGuard({ program: NFT, monitor, clock: hands, logger, random }));
  const { promise: looksAround, resolve } = Promise.withResolvers<void>();
  monitor.onChange(GUARD_TABLE, ({ revision }) => {
    isNews = true;
    if (revision === undefined) resolve();
  });
  await guard.guard(GUARDED, false);
  // What happened before the monitor listened is unknown: the table is written once more.
  await looksAround;
  await hands.advance(REPAIRED_MS);
  await guard.guard(GUARDED, false);
  return {
    guard,
    untilRepaired: (isSo) =>
      until("it is repaired", async () => {
        if (isNews) {
          isNews = false;
          await hands.advance(REPAIRED_MS);
        }
        return await isSo();
      }),
  };
}

function address(text: string): Address {
  return present(parseAddress(text), text);
}
