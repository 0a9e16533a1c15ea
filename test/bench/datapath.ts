// Connections a second and bulk through the ways of datapath-stage.ts, trial by trial in turn, so
// that what the machine does beside falls on all of them. Ratios are medians over the rounds. All
// hosts share the machine's processors: a ratio is that of the whole way, client and members
// included.

import { cpuOfMachine, cpuOfPrograms } from "./cpu-time.ts";
import { roundsOf } from "./counts.ts";
import {
  BULK_PATH,
  createDatapathStage,
  type DatapathStage,
  type Way,
  type WayName,
} from "./datapath-stage.ts";
import { type Figure, quantile } from "./goal.ts";
import { type Load, makeLoad } from "./load.ts";

const ROUNDS = 7;
const SECONDS = 3;
const WARM_UP_SECONDS = 1;
/** A load that goes on, in parts that are compared. */
const LASTING_PARTS = 5;
const LASTING_SECONDS = 5;
const SHORT_CONNECTIONS = 32;
const BULK_CONNECTIONS = 4;

const KINDS = ["short", "bulk"] as const;
type Kind = (typeof KINDS)[number];

/** One way in one round. */
export interface Trial extends Load {
  readonly kind: Kind;
  readonly way: WayName;
  /** Seconds of processors that the program in the middle took; 0 where there is none. */
  readonly ownCpu: number;
  /** The same of the whole machine, whoever took them. */
  readonly allCpu: number;
}

/** Measures; takes about four minutes. */
export async function benchDatapath(tell: (line: string) => void): Promise<readonly Figure[]> {
  await using stage = await createDatapathStage(tell);
  for (const kind of KINDS) {
    for (const way of stage.ways) await tryOnce(stage, { way, kind, seconds: WARM_UP_SECONDS });
  }
  const rounds = roundsOf(ROUNDS);
  const trials: Trial[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of KINDS) {
      // Each way is the first of a round as often as any other.
      const turn = round % stage.ways.length;
      const ways = [...stage.ways.slice(turn), ...stage.ways.slice(0, turn)];
      for (const way of ways) trials.push(await tryOnce(stage, { way, kind, seconds: SECONDS }));
    }
    tell(`  round ${round + 1} of ${rounds}: ${toldOf(trials, stage.ways.length)}`);
  }
  const names = stage.ways.map(({ name }) => name);
  return [...datapathFigures(trials, names), await lastingFigure(stage)];
}

/**
 * What is left of the rate when a load goes on: ports and connections that the kernel keeps after
 * their end show in no short trial. At a few thousand a second 64 000 ports last for some seconds.
 */
async function lastingFigure(stage: DatapathStage): Promise<Figure> {
  const way = stage.ways.find(({ name }) => name === "member table");
  if (way === undefined) throw new Error("ours is one of the ways");
  const rates: number[] = [];
  for (let part = 0; part < LASTING_PARTS; part += 1) {
    const { perSecond } = await tryOnce(stage, { way, kind: "short", seconds: LASTING_SECONDS });
    rates.push(perSecond);
  }
  const what = `connections: member table, after ${LASTING_PARTS * LASTING_SECONDS} s / at first`;
  const value = (rates.at(-1) ?? Number.NaN) / (rates[0] ?? Number.NaN);
  return { what, value, unit: "x", digits: 2, least: 0.8 };
}

/** What the trials of these ways come to. Goals against a way that was left out are missed. */
export function datapathFigures(
  trials: readonly Trial[],
  names: readonly WayName[],
): readonly Figure[] {
  return [...shortFigures(trials, names), ...bulkFigures(trials, names), failures(trials)];
}

async function tryOnce(
  { client }: DatapathStage,
  { way, kind, seconds }: { readonly way: Way; readonly kind: Kind; readonly seconds: number },
): Promise<Trial> {
  const isShort = kind === "short";
  const cpu = async (): Promise<{ readonly own: number; readonly all: number }> => ({
    own: way.program === undefined ? 0 : await cpuOfPrograms(way.host, way.program),
    all: await cpuOfMachine(),
  });
  const before = await cpu();
  const load = await makeLoad(client, {
    url: `${way.url}${isShort ? "/" : BULK_PATH}`,
    connections: isShort ? SHORT_CONNECTIONS : BULK_CONNECTIONS,
    seconds,
    isShort,
  });
  const after = await cpu();
  const [ownCpu, allCpu] = [(after.own - before.own) / seconds, (after.all - before.all) / seconds];
  return { ...load, kind, way: way.name, ownCpu, allCpu };
}

function shortFigures(trials: readonly Trial[], names: readonly WayName[]): readonly Figure[] {
  const rates = rateOf(trials, "short");
  const perThousand = (way: WayName): number =>
    median(of(trials, "short", way).map(({ ownCpu, perSecond }) => (1e6 * ownCpu) / perSecond));
  const compared = names.filter((name) => name !== "haproxy, splicing");
  const floor = median(rates("routed"));
  return [
    ...compared.map((way) => ({
      what: `${way}: connections a second`,
      value: median(rates(way)),
      unit: "1/s",
      floor,
    })),
    ...compared
      .filter((way) => way !== "routed")
      .map((way) => ({
        what: `${way}: its processor time`,
        value: perThousand(way),
        unit: "us/conn",
      })),
    ratioFigure("connections: member table / upstreams", rates, "upstreams", 0.9),
    ratioFigure("connections: member table / haproxy", rates, "haproxy", 0.95),
  ];
}

function bulkFigures(trials: readonly Trial[], names: readonly WayName[]): readonly Figure[] {
  const rates = rateOf(trials, "bulk");
  const floor = median(rates("routed"));
  const cpuPerGigabit = (way: WayName, cpu: "ownCpu" | "allCpu"): number =>
    median(of(trials, "bulk", way).map((one) => (1000 * one[cpu]) / one.gigabitsPerSecond));
  return [
    ...names.map((way) => ({
      what: `${way}: bulk`,
      value: median(rates(way)),
      unit: "Gbit/s",
      digits: 2,
      floor,
    })),
    ...names
      .filter((way) => way !== "routed")
      .map((way) => ({
        what: `${way}: its processor time`,
        value: cpuPerGigabit(way, "ownCpu"),
        unit: "ms/Gbit",
      })),
    ...names.map((way) => ({
      what: `${way}: processor time of the machine`,
      value: cpuPerGigabit(way, "allCpu"),
      unit: "ms/Gbit",
    })),
    ratioFigure("bulk: member table / upstreams", rates, "upstreams"),
    ratioFigure("bulk: member table / haproxy", rates, "haproxy", 0.8),
    ratioFigure("bulk: member table / haproxy, splicing", rates, "haproxy, splicing"),
  ];
}

function failures(trials: readonly Trial[]): Figure {
  const value = trials.reduce((sum, { failed }) => sum + failed, 0);
  return { what: "failed connections of all ways", value, unit: "failed", goal: 0 };
}

type Rates = (way: WayName) => readonly number[];

function rateOf(trials: readonly Trial[], kind: Kind): Rates {
  const rate = (one: Trial): number => (kind === "short" ? one.perSecond : one.gigabitsPerSecond);
  return (way) => of(trials, kind, way).map(rate);
}

/** Of the same round each. */
function ratioFigure(what: string, rates: Rates, other: WayName, least?: number): Figure {
  const others = rates(other);
  const judged = { what, unit: "x", digits: 2, ...(least === undefined ? {} : { least }) };
  if (others.length === 0) {
    return { ...judged, value: Number.NaN, missing: `${other} was left out: is it installed?` };
  }
  const ratios = rates("member table").map((rate, round) => rate / (others[round] ?? Number.NaN));
  return { ...judged, value: median(ratios) };
}

function of(trials: readonly Trial[], kind: Kind, way: WayName): readonly Trial[] {
  return trials.filter((one) => one.kind === kind && one.way === way);
}

function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

function toldOf(trials: readonly Trial[], ways: number): string {
  return trials
    .slice(-2 * ways)
    .map((one) =>
      one.kind === "short" ? one.perSecond.toFixed(0) : one.gigabitsPerSecond.toFixed(2),
    )
    .join(" ");
}
