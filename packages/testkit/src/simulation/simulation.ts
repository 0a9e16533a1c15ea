// A long bad day of a whole ring, made of one seed: random things happen to it while ports fail by
// chance; then nothing fails any more, and it has to come to rest as it should be. What must never
// be is watched all day long.

import { STRANGER_MS } from "@fairlead/planner";

import { describeViolation, judgeHolders } from "../judge.ts";
import { randomBySeed } from "../scenario/faults.ts";
import { createRing, type Ring, type RingOptions } from "../scenario/ring.ts";
import { createDice, type Dice, doDeed, mendAll } from "./chaos.ts";
import { type Trait, traitsOf } from "./day-traits.ts";
import { createLeaseWatch } from "./lease-watch.ts";
import { doOperatorsDeed } from "./operators-deeds.ts";
import { watchPublications } from "./publication-watch.ts";
import { unsettled } from "./settled.ts";
import { createTroubles, type Troubles } from "./trouble-deeds.ts";
import { WISHES } from "./wish-deeds.ts";

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number;
  /** Random things that happen. Default 40. */
  readonly deeds?: number;
  /** Whether operators drain, move, rebalance and freeze meanwhile. Default true. */
  readonly hasOperators?: boolean;
  /** What the day has beside that. Default: what its seed says. */
  readonly traits?: readonly Trait[];
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
/** How often something happens that only this day has, a deed. */
const TRAIT_RATE = 0.6;
/** Share of calls of ports that fail while things happen. */
const FAULT_RATE = 0.1;
/** Between two things that happen there is this much time at the most, in ms. */
const PAUSE_MS_MAX = 8000;
/** The ring has this long to settle: absence takes 40 s, a lease rests 60 s, then some. */
const SETTLE_MS = 300_000;
/** Settled, it has to stay as it is for this long, in ms. */
const REST_MS = 20_000;
/** The last word of a stranger is believed for so long, and the plan is made again after it. */
const QUIET_MS = STRANGER_MS + 5000;
/** Hosts are looked at this often, in ms. */
const LOOK_MS = 250;

/** Runs the day of a seed. Never rejects for what the ring does wrong. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed, deeds = DEEDS, hasOperators = true, log, tell = () => undefined } = options;
  // Of their own, so that the rest of a day is the same with them and without.
  const wishes = createDice(randomBySeed(seed + 2));
  const dice = createDice(randomBySeed(seed));
  const traits = new Set(options.traits ?? traitsOf(seed));
  const turns = createDice(randomBySeed(seed + 3));
  const watch = createLeaseWatch(tell);
  const ring = createRing({
    seed: seed + 1,
    faultRate: FAULT_RATE,
    hosts: hostsOf(2 + dice.below(4), traits.has("families")),
    pools: [`lan=192.0.2.100-192.0.2.105${traits.has("families") ? LAN_IPV6 : ""}`],
    medium: watch.medium,
    ...(log === undefined ? {} : { log }),
  });
  watch.attach(ring);
  const publications = watchPublications(ring);
  const troubles = createTroubles(ring, watch);
  let told = 0;
  const pass = async (ms: number): Promise<void> => {
    for (let leftMs = ms; leftMs > 0; leftMs -= LOOK_MS) {
      await ring.clock.advance(LOOK_MS);
      for (const { atMs, host, event, address } of ring.history.slice(told)) {
        tell(`${atMs} ms: ${host} ${event} ${address}`);
      }
      told = ring.history.length;
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
    if (traits.size > 0 && turns.random() < TRAIT_RATE) {
      tell(`${ring.clock.nowMs()} ms: ${doTraitsDeed({ ring, dice: turns, traits, troubles })}`);
    }
    await pass(dice.below(PAUSE_MS_MAX));
  }
  mendAll(ring);
  troubles.mend();
  const mendedMs = ring.clock.nowMs();
  tell(`${mendedMs} ms: everything is mended`);
  const left = await settle(ring, pass);
  const settledAfterMs = ring.clock.nowMs() - mendedMs;
  const restless = left.length > 0 ? [] : await disturbed(ring, pass);
  return {
    faults: [
      ...watch.faults,
      ...publications.faults,
      ...held(ring, troubles),
      ...left,
      ...restless,
    ],
    settledAfterMs,
  };
}

/** Does one thing of what the day has, and says what. */
function doTraitsDeed(day: {
  readonly ring: Ring;
  readonly dice: Dice;
  readonly traits: ReadonlySet<Trait>;
  readonly troubles: Troubles;
}): string {
  const { ring, dice, traits, troubles } = day;
  const trait = dice.pick([...traits]);
  const wishes = (WISHES[trait] ?? []).map((wish) => () => wish(ring, dice, traits));
  const deeds = (troubles.byTrait[trait] ?? []).map((deed) => () => deed(dice));
  return dice.pick([...wishes, ...deeds])();
}

/** The IPv6 part of the pool `lan`. */
const LAN_IPV6 = ",2001:db8::100-2001:db8::103";

function hostsOf(count: number, isDual: boolean): ReadonlyMap<string, string> {
  const hosts = Array.from({ length: count }, (_, at) => {
    const more = isDual ? `,2001:db8::${11 + at}/64` : "";
    return [`lb${at + 1}`, `192.0.2.${11 + at}/24${more}`] as const;
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
  await pass(QUIET_MS);
  const before = pulse(ring);
  await pass(REST_MS);
  const after = pulse(ring);
  if (before !== after) return [`it does not rest: ${before}, then ${after}`];
  const left = unsettled(ring);
  return left.length > 0 ? left : await changedByRestart(ring, pass);
}

/** A controller that knows nothing but the store, and what others say, wants what the last did. */
async function changedByRestart(
  ring: Ring,
  pass: (ms: number) => Promise<void>,
): Promise<readonly string[]> {
  const before = stateOf(ring);
  ring.controller.kill();
  ring.controller.start();
  await pass(REST_MS);
  const after = stateOf(ring);
  const changes = after.filter((line) => !before.includes(line));
  return [...changes.map((line) => `a restart brought ${line}`), ...unsettled(ring)];
}

/** What the store has and what agents were told, in lines. */
function stateOf(ring: Ring): readonly string[] {
  const rows = [...ring.medium.leases.values()].map((row) => JSON.stringify(row));
  const plans = [...ring.agents.values()].map(({ name, converge }) => {
    return `${name} ${converge?.view().wanted?.revision}`;
  });
  return [...rows, ...plans];
}

function pulse(ring: Ring): string {
  const reloads = [...ring.agents.values()].map(({ converge }) => converge?.view().reloads);
  const passes = [...ring.agents.values()].map(({ converge }) => converge?.view().passes);
  const cycles = ring.controller.context()?.view.cycles;
  return `${cycles} cycles, ${passes.join("+")} passes, ${reloads.join("+")} reloads`;
}

/** Addresses that were on two hosts for too long, all day. */
function held(ring: Ring, { forgotten }: Troubles): readonly string[] {
  const { history, clock } = ring;
  const partitions = [...ring.partitions(), ...forgotten];
  const violations = judgeHolders({ history, partitions, endMs: clock.nowMs() });
  return violations.map(describeViolation);
}
