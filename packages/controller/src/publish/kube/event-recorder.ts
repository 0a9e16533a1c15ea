// Writes Events: in their order, paced, each tried a few times and then dropped; while the right is
// missing one is tried now and then, and all wait. Nothing depends on an Event, and nothing waits
// for one. Given drafts; it decides nothing about what is told.

import { createHash } from "node:crypto";

import type { Clock, Timer } from "@fairlead/runtime";

import { crash } from "../../crash.ts";
import { isRightMissing } from "../../kube/grant-commands.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import {
  createSeriesBook,
  type EventSeries,
  type Regarding,
  seriesDueMs,
  seriesRequest,
} from "./event-series.ts";
import type { EventDraft } from "./event-words.ts";
import { createLostEvents, type LostEvents } from "./lost-events.ts";
import type { Troubles } from "./publish-trouble.ts";
import { createRightGates, type RightGates, type RightThere } from "./right-gates.ts";
import { createRetryWaits, RETRY_MS_MIN } from "./write-gate.ts";
import { createWritePace, type Job, type WritePace } from "./write-pace.ts";
import { askedMs, failureResult, type OnWrite } from "./write-result.ts";

/** A thousand Events at once are written within 10 s, and never get in the way of a status. */
const PACE = { atOnceMax: 2, perSecond: 100, burst: 200 };
/** Events that wait to be written at the most. */
const WAITING_MAX = 2000;
/** Tries that the server answered, before an Event is dropped. */
const TRIES_MAX = 5;
/** An Event that could not be written for so long is no news any more, in ms. */
const AGE_MS_MAX = 600_000;

/** What the recorder works on. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Who reports: the name of the pod or the host. */
  readonly instance: string;
  readonly troubles: Troubles;
  readonly onWrite: OnWrite;
  /** An Event was dropped. */
  readonly onDropped: () => void;
}

/** The recorder. Disposing drops what waits. */
export interface EventRecorder extends AsyncDisposable {
  /** Takes one to be written, or counted where it repeats. Returns at once. */
  record(regarding: Regarding, draft: EventDraft): void;
  /** Drops what is not written yet: it is somebody else's to tell. */
  forget(): void;
}

/** An Event, or a count, that is to be written. */
interface Waiting {
  readonly series: EventSeries;
  readonly bornMs: number;
  tries: number;
}

/** A write that failed: the count that it was to say, and why. */
interface Failure {
  readonly count: number;
  readonly error: unknown;
}

/** Makes a recorder at rest. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #stop = new AbortController();
  readonly #book = createSeriesBook();
  /** What may be written, in its order. */
  readonly #ready = new Set<Waiting>();
  /** What waits for its time: a retry, or the next count of a series. */
  readonly #timers = new Map<Waiting, Timer>();
  readonly #bySeries = new Map<EventSeries, Waiting>();
  readonly #pace: WritePace;
  /** Events that wait for a right are in none of the sets above but the last. */
  readonly #rights: RightGates<Waiting>;
  readonly #losses: LostEvents;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#losses = createLostEvents(options.clock, options.troubles);
    this.#pace = createWritePace({ ...options, ...PACE, take: () => this.#take() });
    this.#rights = createRightGates({
      ...options,
      onDue: (waiting) => {
        this.#ready.add(waiting);
        this.#pace.poke();
      },
    });
  }

  record(regarding: Regarding, draft: EventDraft): void {
    const { clock } = this.#options;
    if (this.#stop.signal.aborted) return;
    const at = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    const name = eventName(regarding, draft, at.wallMs);
    const series = this.#book.count(regarding, draft, { ...at, name });
    this.#schedule(series);
    this.#pace.poke();
  }

  forget(): void {
    for (const waiting of this.#bySeries.values()) {
      this.#timers.get(waiting)?.cancel();
      this.#rights.leave(waiting);
      this.#book.forget(waiting.series);
    }
    this.#timers.clear();
    this.#bySeries.clear();
    this.#losses.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#ready.clear();
    this.#rights[Symbol.dispose]();
    this.#losses[Symbol.dispose]();
    await this.#pace[Symbol.asyncDispose]();
  }

  /** Makes the series wait for its turn, unless it does so already or all of it is written. */
  #schedule(series: EventSeries): void {
    const { clock, onDropped } = this.#options;
    const dueMs = seriesDueMs(series);
    if (dueMs === undefined || this.#bySeries.has(series)) return;
    if (this.#bySeries.size >= WAITING_MAX) {
      this.#book.forget(series);
      onDropped();
      return;
    }
    const waiting = { series, bornMs: clock.nowMs(), tries: 0 };
    this.#bySeries.set(series, waiting);
    this.#wait(waiting, dueMs - clock.nowMs());
  }

  #wait(waiting: Waiting, delayMs: number): void {
    if (delayMs <= 0) {
      this.#ready.add(waiting);
      return;
    }
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(waiting);
      this.#ready.add(waiting);
      this.#pace.poke();
    });
    this.#timers.set(waiting, timer);
  }

  #take(): Job | undefined {
    for (const waiting of this.#ready) {
      this.#ready.delete(waiting);
      // One that was under way when all were forgotten is not tried again.
      if (this.#bySeries.get(waiting.series) !== waiting) continue;
      const there = rightThere(waiting.series);
      if (this.#options.clock.nowMs() - waiting.bornMs >= AGE_MS_MAX) this.#drop(waiting);
      else if (this.#rights.enter(there, waiting)) return () => this.#write(waiting, there);
    }
    return undefined;
  }

  async #write(waiting: Waiting, there: RightThere): Promise<void> {
    const { client, instance } = this.#options;
    const { series } = waiting;
    const { signal } = this.#stop;
    const { count } = series;
    try {
      await client.request(seriesRequest(series, instance), signal);
      if (!signal.aborted) this.#written(waiting, there, count);
    } catch (error) {
      if (!signal.aborted) this.#failed(waiting, there, { count, error });
    }
  }

  #written(waiting: Waiting, there: RightThere, count: number): void {
    const { clock, onWrite } = this.#options;
    const { series } = waiting;
    onWrite("event", "written");
    this.#pace.answered();
    this.#rights.passed(there);
    this.#losses.taken(there.right.verb);
    series.saidCount = count;
    series.saidMs = clock.nowMs();
    this.#bySeries.delete(series);
    // It may have happened again meanwhile.
    this.#schedule(series);
  }

  #failed(waiting: Waiting, there: RightThere, { count, error }: Failure): void {
    const { onWrite } = this.#options;
    const { series } = waiting;
    const result = failureResult(error);
    if (result === undefined || !(error instanceof Error)) {
      // A bug of ours: the process ends, and its supervisor restarts it.
      return crash(error);
    }
    // The try before this one got through, and its answer did not.
    const isMadeAlready = series.saidCount === 0 && isKubeError(error, "CONFLICT");
    if (isMadeAlready) return this.#written(waiting, there, count);
    onWrite("event", result);
    if (result === "unreachable") {
      this.#pace.failed(askedMs(error));
      this.#rights.failed(there);
      this.#ready.add(waiting);
      return;
    }
    this.#pace.answered();
    if (result === "forbidden" && isRightMissing(error)) {
      this.#rights.failed(there, error);
      this.#ready.add(waiting);
      return;
    }
    // Whatever else the server has against it, the right is there.
    this.#rights.passed(there);
    // A namespace that goes takes no Events, and one that went has none.
    const isHopeless = result === "conflict" || result === "refused" || result === "forbidden";
    waiting.tries += 1;
    if (isHopeless || waiting.tries >= TRIES_MAX) {
      // One that was under way when all were forgotten is somebody else's loss.
      if (this.#bySeries.get(series) === waiting) this.#losses.lost(there.right.verb, error);
      this.#drop(waiting);
    } else this.#wait(waiting, this.#againMs(waiting));
  }

  #againMs({ tries }: Waiting): number {
    const waits = createRetryWaits(this.#options.random);
    for (let made = 1; made < tries; made += 1) waits.nextMs();
    return Math.max(RETRY_MS_MIN, waits.nextMs());
  }

  #drop(waiting: Waiting): void {
    const { series } = waiting;
    this.#bySeries.delete(series);
    this.#rights.leave(waiting);
    this.#book.forget(series);
    this.#options.onDropped();
  }
}

function rightThere({ saidCount, regarding }: EventSeries): RightThere {
  const verb = saidCount === 0 ? "create" : "patch";
  return { right: { verb, resource: "events.events.k8s.io" }, namespace: regarding.namespace };
}

/** Unique by what it tells and when, so that a try whose answer was lost is not made twice. */
function eventName({ uid, name }: Regarding, draft: EventDraft, wallMs: number): string {
  const whole = JSON.stringify([uid, draft.reason, draft.about, draft.note, wallMs]);
  return `${name}.${createHash("sha256").update(whole).digest("hex").slice(0, 16)}`;
}
