// What became of the writes of each pool's status: what was written, until the source shows it, and
// until when a pool is left alone whose status the server did not take. By uid. Given the time; it
// waits for nothing.

import { isDeepStrictEqual } from "node:util";

import { type Backoff } from "@fairlead/runtime";

import { childOf, type Json, readVersion, textOf } from "../../kube/object-fields.ts";
import type { PoolRecord } from "../../kube/pool-record.ts";
import type { PoolStatus } from "./pool-status.ts";
import { createRetryWaits, RETRY_MS_MIN } from "./write-gate.ts";

/** What the server does not accept is offered again after this long, in ms. */
const REFUSED_MS = 300_000;

interface Written {
  readonly version: number;
  readonly resourceVersion: string;
  readonly status: unknown;
}

/** A status that was written, of which the server made another one. */
interface Settled {
  readonly wanted: PoolStatus;
  readonly status: unknown;
}

interface Objection {
  readonly waits: Backoff;
  /** Of the pool that it was about: who changes that may have mended it. */
  readonly resourceVersion: string;
  readonly untilMs: number;
}

/** The memory of all pools. Times are monotonic ms. */
export class PoolMemory {
  readonly #random: () => number;
  readonly #written = new Map<string, Written>();
  /** Only of pools in whose status others say something too. */
  readonly #settled = new Map<string, Settled>();
  readonly #objections = new Map<string, Objection>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The record with our own last write, which the source may not have shown yet. */
  overlaid(record: PoolRecord): PoolRecord {
    const written = this.#written.get(record.uid);
    if (written === undefined) return record;
    if (!(readVersion(record.resourceVersion) < written.version)) {
      this.#written.delete(record.uid);
      return record;
    }
    const { resourceVersion, status } = written;
    return { ...record, resourceVersion, status };
  }

  /** The write of `wanted` succeeded; `answer` is the pool as it is then. */
  written(uid: string, answer: Json, wanted: PoolStatus): void {
    const resourceVersion = textOf(childOf(answer, "metadata"), "resourceVersion") ?? "";
    const version = readVersion(resourceVersion);
    const { status } = answer;
    this.#written.set(uid, { version, resourceVersion, status });
    if (isDeepStrictEqual(status, wanted)) this.#settled.delete(uid);
    else this.#settled.set(uid, { wanted, status });
  }

  /** Whether the server made of this very status what the pool has: it is as good as it gets. */
  isSettled({ uid, status }: PoolRecord, wanted: PoolStatus): boolean {
    const settled = this.#settled.get(uid);
    return isDeepStrictEqual(settled?.wanted, wanted) && isDeepStrictEqual(settled?.status, status);
  }

  /** A write failed; how often one did in a row. `isRefused`: the same write will fail again. */
  failed({ uid, resourceVersion }: PoolRecord, isRefused: boolean, nowMs: number): number {
    const waits = this.#objections.get(uid)?.waits ?? createRetryWaits(this.#random);
    const waitMs = Math.max(RETRY_MS_MIN, waits.nextMs());
    const untilMs = nowMs + (isRefused ? REFUSED_MS : waitMs);
    this.#objections.set(uid, { waits, resourceVersion, untilMs });
    return waits.attempts();
  }

  /** Whether the pool is left alone for now. */
  rests({ uid, resourceVersion }: PoolRecord, nowMs: number): boolean {
    const objection = this.#objections.get(uid);
    return objection?.resourceVersion === resourceVersion && nowMs < objection.untilMs;
  }

  /** A write succeeded, or none is needed any more. */
  isWell(uid: string): void {
    this.#objections.delete(uid);
  }

  /** Uids of pools of which the last write failed. */
  failing(): readonly string[] {
    return [...this.#objections.keys()];
  }

  /** Those that failed come last: a server that is slow to refuse one keeps no other waiting. */
  inTurn(records: readonly PoolRecord[]): readonly PoolRecord[] {
    const isFailing = ({ uid }: PoolRecord): boolean => this.#objections.has(uid);
    return [...records.filter((one) => !isFailing(one)), ...records.filter(isFailing)];
  }

  /** All others are gone. */
  keepOnly(uids: ReadonlySet<string>): void {
    for (const known of [this.#written, this.#settled]) {
      for (const uid of known.keys()) if (!uids.has(uid)) known.delete(uid);
    }
  }
}
