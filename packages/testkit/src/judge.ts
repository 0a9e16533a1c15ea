// Judges at the end of a test what the kernels told about who held which address: pure. Given the
// history and the times in which hosts could not hear each other. It knows nothing of plans: what
// it forbids, no plan may ask for.

import { assertNever } from "@fairlead/model";
import type { HolderEvent, PartitionWindow } from "@fairlead/lab";

/** What is judged. All times are milliseconds on one clock. */
export interface HolderTrial {
  /** In the order of time, with what was there at the start as added. */
  readonly history: readonly HolderEvent[];
  /** When which hosts could not hear VRRP of the others. */
  readonly partitions: readonly PartitionWindow[];
  /** When the test ended. */
  readonly endMs: number;
  /** What must hold at the end. Undefined: nothing. */
  readonly end?: EndState;
  /** Two hosts that hear each other may hold one address for this long. Default: 500. */
  readonly overlapMsMax?: number;
  /** And for this long after the end of a partition between them. Default: 1 000. */
  readonly healedOverlapMsMax?: number;
}

/** Who may hold what at the end. */
export interface EndState {
  /** Whether the address is one of ours, such as of the test's pools. */
  readonly isManaged: (address: string) => boolean;
  /** Managed addresses with exactly one holder. All other managed ones must have none. */
  readonly held: readonly string[];
}

/** What was wrong. */
export type HolderViolation =
  | {
      readonly kind: "two-holders";
      readonly address: string;
      /** The two, by name in order. */
      readonly hosts: readonly [string, string];
      /** Both held it from here on, and heard each other. */
      readonly fromMs: number;
      readonly toMs: number;
      /** When it should have ended at the latest. */
      readonly allowedUntilMs: number;
    }
  | { readonly kind: "left-over"; readonly address: string; readonly host: string }
  | {
      readonly kind: "not-one-holder";
      readonly address: string;
      readonly hosts: readonly string[];
    };

const OVERLAP_MS_DEFAULT = 500;
const HEALED_OVERLAP_MS_DEFAULT = 1_000;

/** Gives every violation, by address. An empty list is a good test. */
export function judgeHolders(trial: HolderTrial): readonly HolderViolation[] {
  const holdings = readHoldings(trial);
  const addresses = [...holdings.keys()].sort();
  const overlaps = addresses.flatMap((address) =>
    judgeOverlaps(trial, address, holdings.get(address) ?? []),
  );
  return [...overlaps, ...judgeEnd(trial, holdings)];
}

/** One line for people: which rule, where, how long. */
export function describeViolation(violation: HolderViolation): string {
  const { kind, address } = violation;
  switch (kind) {
    case "two-holders": {
      const { hosts, fromMs, toMs, allowedUntilMs } = violation;
      const tookMs = Math.round(toMs - fromMs);
      const allowedMs = Math.round(allowedUntilMs - fromMs);
      return `${address} was on ${hosts.join(" and ")} for ${tookMs} ms, allowed are ${allowedMs}`;
    }
    case "left-over":
      return `${address} was left over on ${violation.host}`;
    case "not-one-holder": {
      const hosts = violation.hosts.join(", ") || "none";
      return `${address} must have one holder at the end, has: ${hosts}`;
    }
    default:
      return assertNever(kind, "no such violation");
  }
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

interface Holding extends Span {
  readonly host: string;
}

/** Who held each address from when to when. Those without an end last until the trial's end. */
function readHoldings(trial: HolderTrial): ReadonlyMap<string, readonly Holding[]> {
  const holdings = new Map<string, Holding[]>();
  const open = new Map<string, HolderEvent>();
  const close = (begin: HolderEvent, toMs: number): void => {
    const list = holdings.get(begin.address) ?? [];
    holdings.set(begin.address, list);
    list.push({ host: begin.host, fromMs: begin.atMs, toMs });
  };
  for (const event of trial.history) {
    const key = `${event.host} ${event.address}`;
    const begin = open.get(key);
    if (event.event === "added") open.set(key, begin ?? event);
    else if (begin !== undefined) {
      open.delete(key);
      close(begin, event.atMs);
    }
  }
  for (const begin of open.values()) close(begin, trial.endMs);
  for (const list of holdings.values()) list.sort(byHostThenTime);
  return holdings;
}

function byHostThenTime(a: Holding, b: Holding): number {
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.fromMs - b.fromMs;
}

function judgeOverlaps(
  trial: HolderTrial,
  address: string,
  holdings: readonly Holding[],
): readonly HolderViolation[] {
  return holdings.flatMap((one, index) =>
    holdings
      .slice(index + 1)
      .filter((other) => other.host !== one.host)
      .flatMap((other) => judgePair(trial, address, one, other)),
  );
}

function judgePair(
  trial: HolderTrial,
  address: string,
  one: Holding,
  other: Holding,
): readonly HolderViolation[] {
  const both = {
    fromMs: Math.max(one.fromMs, other.fromMs),
    toMs: Math.min(one.toMs, other.toMs),
  };
  if (both.fromMs >= both.toMs) return [];
  const parted = partedSpans(trial, one.host, other.host);
  // Holdings come sorted by host.
  const hosts = [one.host, other.host] as const;
  return subtract(both, parted).flatMap((span) => {
    const allowedUntilMs = allowedUntil(trial, span, parted);
    if (span.toMs <= allowedUntilMs) return [];
    return [{ kind: "two-holders", address, hosts, ...span, allowedUntilMs } as const];
  });
}

/** The windows that name exactly one of the two, in order of time. */
function partedSpans(trial: HolderTrial, one: string, other: string): readonly Span[] {
  return trial.partitions
    .filter(({ hosts }) => hosts.includes(one) !== hosts.includes(other))
    .map(({ fromMs, toMs }) => ({ fromMs, toMs: toMs ?? Number.POSITIVE_INFINITY }))
    .sort((x, y) => x.fromMs - y.fromMs);
}

/** The parts of `whole` that lie in none of the spans, which are in order of time. */
function subtract(whole: Span, spans: readonly Span[]): readonly Span[] {
  const parts: Span[] = [];
  let fromMs = whole.fromMs;
  for (const span of spans) {
    if (span.fromMs > fromMs) parts.push({ fromMs, toMs: Math.min(span.fromMs, whole.toMs) });
    fromMs = Math.max(fromMs, span.toMs);
    if (fromMs >= whole.toMs) return parts.filter(({ fromMs: from, toMs }) => from < toMs);
  }
  parts.push({ fromMs, toMs: whole.toMs });
  return parts.filter(({ fromMs: from, toMs }) => from < toMs);
}

function allowedUntil(trial: HolderTrial, span: Span, parted: readonly Span[]): number {
  const usual = span.fromMs + (trial.overlapMsMax ?? OVERLAP_MS_DEFAULT);
  const healedMs = trial.healedOverlapMsMax ?? HEALED_OVERLAP_MS_DEFAULT;
  const healed = parted
    .filter(({ toMs }) => toMs <= span.fromMs)
    .map(({ toMs }) => toMs + healedMs);
  return Math.max(usual, ...healed);
}

function judgeEnd(
  trial: HolderTrial,
  holdings: ReadonlyMap<string, readonly Holding[]>,
): readonly HolderViolation[] {
  const { end } = trial;
  if (end === undefined) return [];
  const atEnd = (address: string): readonly string[] =>
    (holdings.get(address) ?? [])
      .filter(({ toMs }) => toMs >= trial.endMs)
      .map(({ host }) => host)
      .sort();
  const lacking = end.held.flatMap((address): readonly HolderViolation[] => {
    const hosts = atEnd(address);
    return hosts.length === 1 ? [] : [{ kind: "not-one-holder", address, hosts }];
  });
  const leftOver = [...holdings.keys()]
    .filter((address) => end.isManaged(address) && !end.held.includes(address))
    .sort()
    .flatMap((address) =>
      atEnd(address).map((host): HolderViolation => ({ kind: "left-over", address, host })),
    );
  return [...lacking, ...leftOver];
}
