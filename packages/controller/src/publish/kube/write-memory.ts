// When a write to one Service may go: what was written last and what became of it, conflicts, and
// waits after failures. One for each Service, of one uid. Given the time; it waits for nothing.

import type { Backoff } from "@fairlead/runtime";

import { readVersion } from "../../kube/object-fields.ts";
import type { ServiceRecord } from "../../kube/service-record.ts";
import type { ServiceWrite } from "./next-write.ts";
import { createRetryWaits, RETRY_MS_MIN } from "./write-gate.ts";
import { recordSignature, writeSignature } from "./write-request.ts";

/** A write about conditions alone waits so long: the proof of an address often follows at once. */
const CONDITIONS_SETTLE_MS = 300;
/** A write about the words of a condition alone waits so long for the next ones. */
const WORDS_SETTLE_MS = 2000;
/** After a conflict the book has to show a newer version; it is looked at again after this long. */
const CONFLICT_MS_MAX = 5000;
/** So many conflicts in a row are bad luck; after more each costs a wait. */
const CONFLICTS_FREE = 3;
/** What the server does not accept is offered again after this long. */
const REFUSED_MS = 300_000;
/** Waits of a Service that somebody else writes as well: at once, then these, doubled each time. */
const OVERWRITTEN_MS = { base: 1000, max: 300_000 };
/** Words that stood so long count as left alone. */
const LEFT_ALONE_MS = 600_000;

/** What may be done about a Service now. */
export type Timing =
  | { readonly kind: "go" }
  | { readonly kind: "wait"; readonly untilMs: number }
  /** The server did not take it: other writes may go before. */
  | { readonly kind: "held-back"; readonly untilMs: number }
  /** The server made of this very write what the record shows: it is as good as it gets. */
  | { readonly kind: "settled" };

/** A write that succeeded, and what somebody else did since. */
interface Settled {
  readonly signature: string;
  /** What the record showed of it then. */
  readonly seen: string;
  readonly atMs: number;
  /** How often in a row it was overwritten. */
  readonly overwrites: number;
  /** When it is put right; absent while nobody overwrote it. */
  readonly rightMs?: number;
}

/** What the server did not take. */
interface Objection {
  readonly waits: Backoff;
  readonly untilMs: number;
  /** Of what it will not accept; absent: it may accept the same later. */
  readonly signature?: string;
}

/** The memory of one Service. Times are monotonic ms. */
export class WriteMemory {
  readonly uid: string;
  readonly #random: () => number;
  /** By part of the Service; most Services never have one. */
  readonly #objections: Partial<Record<Part, Objection>> = {};
  /** No map: ten thousand Services have one of these each, and the smallest map is large. */
  readonly #settled: Partial<Record<Part, Settled>> = {};
  #sinceMs: number | undefined;
  #conflict: { readonly version: number; readonly untilMs: number } | undefined;
  #conflicts = 0;

  constructor(uid: string, random: () => number) {
    this.uid = uid;
    this.#random = random;
  }

  /** Failures in a row of writes like this one. */
  failures(write: ServiceWrite): number {
    return this.#objections[partOf(write)]?.waits.attempts() ?? 0;
  }

  /** When the record may be trusted again after a conflict; undefined: it may. */
  conflictUntilMs(record: ServiceRecord, nowMs: number): number | undefined {
    if (this.#conflict === undefined) return undefined;
    const { version, untilMs } = this.#conflict;
    if (readVersion(record.resourceVersion) <= version && nowMs < untilMs) return untilMs;
    this.#conflict = undefined;
    return undefined;
  }

  /** Whether this write may go. */
  judge(write: ServiceWrite, nowMs: number): Timing {
    const signature = writeSignature(write);
    const part = partOf(write);
    const settled = this.#settled[part];
    let rightMs = Number.NEGATIVE_INFINITY;
    if (settled?.signature === signature) {
      if (settled.seen === recordSignature(write.kind, write.record)) return { kind: "settled" };
      const overwritten = this.#overwritten(settled, nowMs);
      this.#settled[part] = overwritten;
      rightMs = overwritten.rightMs;
    }
    this.#sinceMs ??= nowMs;
    const objection = this.#objections[part];
    const isMeant = (objection?.signature ?? signature) === signature;
    if (objection !== undefined && isMeant && nowMs < objection.untilMs) {
      return { kind: "held-back", untilMs: objection.untilMs };
    }
    const dueMs = Math.max(this.#sinceMs + settleMs(write), rightMs);
    return dueMs <= nowMs ? { kind: "go" } : { kind: "wait", untilMs: dueMs };
  }

  /** Nothing has to be written. */
  rest(): void {
    this.#sinceMs = undefined;
  }

  /** The write succeeded; `answer` is the Service as it is then. */
  written(write: ServiceWrite, answer: ServiceRecord, nowMs: number): void {
    const signature = writeSignature(write);
    const part = partOf(write);
    const before = this.#settled[part];
    this.#settled[part] = {
      signature,
      seen: recordSignature(write.kind, answer),
      atMs: nowMs,
      overwrites: before?.signature === signature ? before.overwrites : 0,
    };
    this.#sinceMs = undefined;
    delete this.#objections[part];
    this.#conflict = undefined;
    this.#conflicts = 0;
  }

  /** Somebody changed or deleted it since it was recorded. */
  conflicted(write: ServiceWrite, nowMs: number): void {
    const version = readVersion(write.record.resourceVersion);
    this.#conflict = { version, untilMs: nowMs + CONFLICT_MS_MAX };
    this.#conflicts += 1;
    if (this.#conflicts > CONFLICTS_FREE) this.failed(write, nowMs);
  }

  /** The server does not accept the write, now or later. */
  refused(write: ServiceWrite, nowMs: number): void {
    const signature = writeSignature(write);
    const waits = this.#waitsOf(write);
    this.#objections[partOf(write)] = { waits, untilMs: nowMs + REFUSED_MS, signature };
  }

  /** The write failed and may succeed later. */
  failed(write: ServiceWrite, nowMs: number): void {
    const waits = this.#waitsOf(write);
    const untilMs = nowMs + Math.max(RETRY_MS_MIN, waits.nextMs());
    this.#objections[partOf(write)] = { waits, untilMs };
  }

  #waitsOf(write: ServiceWrite): Backoff {
    return this.#objections[partOf(write)]?.waits ?? createRetryWaits(this.#random);
  }

  #overwritten(settled: Settled, nowMs: number): Settled & { readonly rightMs: number } {
    const { rightMs } = settled;
    if (rightMs !== undefined) return { ...settled, rightMs };
    const wasLeftAlone = nowMs - settled.atMs >= LEFT_ALONE_MS;
    const overwrites = wasLeftAlone ? 1 : settled.overwrites + 1;
    const { base, max } = OVERWRITTEN_MS;
    const ceilingMs = overwrites === 1 ? 0 : Math.min(max, base * 2 ** (overwrites - 2));
    return { ...settled, overwrites, rightMs: nowMs + ceilingMs * (0.5 + this.#random() / 2) };
  }
}

type Part = "finalizer" | "external" | "status";

function partOf({ kind }: ServiceWrite): Part {
  if (kind === "external") return kind;
  return kind === "hold" || kind === "release" ? "finalizer" : "status";
}

function settleMs(write: ServiceWrite): number {
  if (write.kind !== "status" || write.news === "addresses") return 0;
  return write.news === "words" ? WORDS_SETTLE_MS : CONDITIONS_SETTLE_MS;
}
