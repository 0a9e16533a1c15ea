// A long bad day of a whole ring, made of one seed: random things happen to it while ports fail by
// chance; then nothing fails any more, and it has to come to rest as it should be. What must never
// be is watched all day long.

import { describeViolation, judgeHolders } from "../judge.ts";
import { randomBySeed } from "../scenario/faults.ts";
import { createRing, type Ring, type RingOptions } from "../scenario/ring.ts";
import { createDice, doDeed, mendAll } from "./chaos.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { doOperatorsDeed } from "./operators-deeds.ts";
import { watchPublications } from "./publication-watch.ts";
import { unsettled } from "./settled.ts";

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number;
  /** Random things that happen. Default 40. */
  readonly deeds?: number;
  /** Whether operators drain, move, rebalance and freeze meanwhile. Default true. */
  readonly hasOperators?: boolean;
  readonly log?: RingOptions["log"];
  /** Told of each thing that happens. */
  readonly tell?: (line: string) => void;
}

/** What came of it. */
export interface SimulationResult {
  /** What was wrong, a sentence each; empty when all was well. */
  readonly faults: readonly string[];
  /** Simulated time until the ring had settled after the last fault, in ms. */
  readonly settledAfterMs: number;
}

const DEEDS = 40;
/** How often an operator wants something, a deed. */
const WISH_RATE = 0.3;
/** Share of calls of ports that fail while things happen. */
const FAULT_RATE = 0.1;
/** Between two things that happen there is this much time at the most, in ms. */
const PAUSE_MS_MAX = 8000;
/** The ring has this long to settle: absence takes 40 s, a lease rests 60 s, then some. */
const SETTLE_MS = 300_000;
/** Settled, it has to stay as it is for this long, in ms. */
const REST_MS = 20_000;
/** Hosts are looked at this often, in ms. */
const LOOK_MS = 250;

/** Runs the day of a seed. Never rejects for what the ring does wrong. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, deeds = DEEDS, hasOperators = true, log, tell = () => undefined } = options;
  // Of their own, so that the rest of a day is the same with them and without.
  const wishes = createDice(randomBySeed(seed + 2));
  const dice = createDice(randomBySeed(seed));
  const watch = createLeaseWatch();
  const ring = createRing({
    seed: seed + 1,
    faultRate: FAULT_RATE,
    hosts: hostsOf(2 + dice.below(4)),
    pools: ["lan=192.0.2.100-192.0.2.105"],
    medium: watch.medium,
    ...(log === undefined ? {} : { log }),
  });
  watch.attach(ring);
  const publications = watchPublications(ring);
  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= LOOK_MS) {
      await ring.clock.advance(LOOK_MS);
      watch.look();
      publications.look();
    }
  };
  await pass(3000);
  for (let count = 0; count < deeds && watch.faults.length === 0; count += 1) {
    const what = doDeed(ring, dice);
    tell(`${ring.clock.nowMs()} ms: ${what}`);
    if (hasOperators && wishes.random() < WISH_RATE) {
      tell(`${ring.clock.nowMs()} ms: ${doOperatorsDeed(ring, wishes)}`);
    }
    await pass(dice.below(PAUSE_MS_MAX));
  }
  mendAll(ring);
  const mendedMs = ring.clock.nowMs();
  tell(`${mendedMs} ms: everything is mended`);
  const left = await settle(ring, pass);
  const settledAfterMs = ring.clock.nowMs() - mendedMs;
  const restless = left.length > 0 ? [] : await disturbed(ring, pass);
  return {
    faults: [...watch.faults, ...publications.faults, ...held(ring), ...left, ...restless],
    settledAfterMs,
  };
}

function hostsOf(count: number): ReadonlyMap<string, string> {
  const hosts = Array.from({ length: count }, (_, at) => {
    return [`lb${at + 1}`, `192.0.2.${11 + at}/24`] as const;
  });
  return new Map(hosts);
}

/** What is still wrong when the time to settle is over. */
async function settle(ring: Ring, pass: (ms: number) => Promise<void>): Promise<readonly string[]> {
  const endMs = ring.clock.nowMs() + SETTLE_MS;
  // What was asked for at the last moment is under way yet, and no plan knows of it: a freeze that
  // the store did not take is asked for again until somebody thaws.
  ring.controller.act({ kind: "thaw" });
  await pass(1000);
  let left = unsettled(ring);
  while (left.length > 0 && ring.clock.nowMs() < endMs) {
    const plan = ring.controller.context()?.view.plan;
    const isFrozen = plan?.intents.some(({ kind }) => kind === "freeze") === true;
    if (isFrozen) ring.controller.act({ kind: "thaw" });
    await pass(1000);
    left = unsettled(ring);
  }
  return left;
}

/** A ring at rest plans nothing, reloads nothing and writes nothing. */
async function disturbed(
  ring: Ring,
  pass: (ms: number) => Promise<void>,
): Promise<readonly string[]> {
  await pass(REST_MS);
  const before = pulse(ring);
  await pass(REST_MS);
  const after = pulse(ring);
  return before === after ? unsettled(ring) : [`it does not rest: ${before}, then ${after}`];
}

function pulse(ring: Ring): string {
  const reloads = [...ring.agents.values()].map(({ converge }) => converge?.view().reloads);
  const passes = [...ring.agents.values()].map(({ converge }) => converge?.view().passes);
  const cycles = ring.controller.context()?.view.cycles;
  return `${cycles} cycles, ${passes.join("+")} passes, ${reloads.join("+")} reloads`;
}

/** Addresses that were on two hosts for too long, all day. */
function held(ring: Ring): readonly string[] {
  const { history, clock } = ring;
  const partitions = ring.partitions();
  const violations = judgeHolders({ history, partitions, endMs: clock.nowMs() });
  return violations.map(describeViolation);
}
