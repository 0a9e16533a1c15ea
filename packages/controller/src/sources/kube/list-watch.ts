// Follows all objects of one kind: lists them, watches on, and does so again whatever happens. One
// loop, which ends only when it is disposed. Given a client and who listens.
//
// It waits for: the answer to a list; a line, the end or the failure of a watch; silence for too
// long; the back-off after a failure; the time of the next second look.

import { isDeepStrictEqual } from "node:util";

import { present } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { eventError, isKubeError, KubeError } from "../../kube/kube-errors.ts";
import { childOf, isJson, type Json, readVersion, textOf } from "../../kube/object-fields.ts";
import { listPages } from "../../kube/list-pages.ts";
import { createListWaits } from "./list-waits.ts";
import { readMeta } from "./object-meta.ts";
import {
  type Change,
  type Entry,
  type Listed,
  type ListInProgress,
  type LookOutcome,
  type ObjectMeta,
  ObjectSet,
} from "./object-set.ts";
import { createSecondLook, type SecondLook } from "./second-look.ts";
import { createWatchdog, SILENCE_MS } from "./watchdog.ts";

/** A server ends a watch after a time of our choice between these, in s: not all at once. */
const WATCH_S_MIN = 240;
const WATCH_S_MAX = 300;
/** Failures that say nothing of the server's store: a watch goes on from where it was. */
const SAME_SERVER = ["CUT", "TIMEOUT", "THROTTLED"] as const;
/** A watch that lasted so long was no failure, in ms. */
const LASTED_MS = 10_000;

/** Who listens to a kind. */
export interface KindListener<T> {
  /** What changed, in order; never empty. */
  onChanges(changes: readonly Change<T>[]): void;
  /** A whole list or look was taken in. */
  onListed(): void;
  /** Following fails, since the first failure of a row; undefined when it works again. */
  onTrouble(trouble: Error | undefined): void;
}

/** What is followed, and how. */
export interface ListWatchOptions<T> {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** `/api/v1/services`. */
  readonly path: string;
  /** Time between two second looks, in ms. Default: ten minutes. */
  readonly lookMs?: number | undefined;
  /** Longest wait while the server does not know the kind, in ms. Default: as after any failure. */
  readonly unknownMsMax?: number | undefined;
  /** Reduces an object to what is used of it. Must not throw. */
  readonly read: (object: Json, meta: ObjectMeta) => T;
  readonly listener: KindListener<T>;
}

/** How it went so far, for metrics. */
export interface ListWatchCounts {
  readonly lists: number;
  readonly watches: number;
  readonly failures: number;
  /** Differences that second looks found. Must stay 0. */
  readonly differences: number;
}

/** A kind that is followed. */
export interface ListWatch<T> extends AsyncDisposable {
  start(): void;
  readonly entries: ReadonlyMap<string, Entry<T>>;
  /** Whether a whole list was taken in. */
  isSynced(): boolean;
  counts(): ListWatchCounts;
}

/** Makes it; nothing is asked before `start`. */
export function createListWatch<T>(options: ListWatchOptions<T>): ListWatch<T> {
  return new Follower(options);
}

class Follower<T> implements ListWatch<T> {
  readonly #options: ListWatchOptions<T>;
  readonly #set = new ObjectSet<T>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  readonly #secondLook: SecondLook;
  /** Where a watch goes on; undefined: a list has to come first. */
  #version: string | undefined;
  #isSynced = false;
  #failuresInRow = 0;
  /** Ends the watch under way, and why. */
  #endWatch: ((error: Error) => void) | undefined;
  #counts = { lists: 0, watches: 0, failures: 0, differences: 0 };

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#secondLook = createSecondLook({
      ...options,
      set: this.#set,
      onOutcome: (outcome) => this.#lookedAgain(outcome),
    });
  }

  get entries(): ReadonlyMap<string, Entry<T>> {
    return this.#set.entries;
  }

  isSynced(): boolean {
    return this.#isSynced;
  }

  counts(): ListWatchCounts {
    return { ...this.#counts };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    await this.#running;
    await this.#secondLook[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    const waits = createListWaits(this.#options);
    while (!signal.aborted) {
      const begunMs = clock.nowMs();
      const failure = await this.#follow();
      const hasLasted = clock.nowMs() - begunMs >= LASTED_MS;
      if (hasLasted) waits.reset();
      // A watch that the server ended in its time goes on at once.
      if (hasLasted && failure === undefined) continue;
      await clock.sleep(waits.nextMs(failure), signal).catch(() => undefined);
    }
  }

  /** Lists where that is needed, and watches to the end. Undefined when the server ended it. */
  async #follow(): Promise<Error | undefined> {
    try {
      if (this.#version === undefined) await this.#list();
      await this.#watch();
      return undefined;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (this.#stop.signal.aborted) return error;
      // A server that was away, or that starts, may have an older store: what is written there
      // until its versions have caught up would not show in a watch that goes on from ours.
      if (!isKubeError(error, ...SAME_SERVER)) this.#version = undefined;
      if (!isKubeError(error, "GONE")) this.#fail(error);
      return error;
    }
  }

  async #list(): Promise<void> {
    const { client, clock, path } = this.#options;
    let progress: ListInProgress<T> | undefined;
    this.#counts.lists += 1;
    const version = await listPages({
      client,
      path,
      signal: this.#stop.signal,
      onPage: (items, ofVersion) => {
        progress ??= this.#set.beginList(ofVersion, clock.nowMs());
        this.#tell(progress.take(items.flatMap((item) => this.#readOne(item))));
      },
      onRestart: () => {
        progress = undefined;
      },
    });
    const { changes, isDoubtful } = present(progress, "a list has a page").end();
    this.#version = Number.isNaN(version) ? "" : String(version);
    const isFirst = !this.#isSynced;
    this.#isSynced = true;
    this.#tell(changes);
    this.#options.listener.onListed();
    this.#secondLook.plan(isDoubtful || isFirst ? "soon" : "later");
  }

  async #watch(): Promise<void> {
    const { client, clock, path, random } = this.#options;
    const ended = new AbortController();
    const seconds = Math.round(WATCH_S_MIN + random() * (WATCH_S_MAX - WATCH_S_MIN));
    const request = {
      method: "GET",
      path,
      query: {
        watch: "1",
        allowWatchBookmarks: "true",
        timeoutSeconds: String(seconds),
        resourceVersion: this.#version ?? "",
      },
    } as const;
    using dog = createWatchdog(clock, () => {
      const message = `GET ${path}: the watch was silent for ${SILENCE_MS / 1000} s`;
      ended.abort(new KubeError({ code: "TIMEOUT", message }));
    });
    this.#endWatch = (error) => ended.abort(error);
    this.#counts.watches += 1;
    try {
      await client.watch(request, {
        signal: AbortSignal.any([this.#stop.signal, ended.signal]),
        onOpen: () => {
          dog.heard();
          this.#recover();
        },
        onLine: (line) => {
          dog.heard();
          this.#take(request, line);
        },
      });
    } finally {
      this.#endWatch = undefined;
    }
  }

  /** One line of a watch. Throws what ends it. */
  #take(request: Parameters<typeof eventError>[0], line: unknown): void {
    const object = isJson(line) ? childOf(line, "object") : {};
    const type = isJson(line) ? textOf(line, "type") : undefined;
    if (type === "ERROR") throw eventError(request, object);
    const version = textOf(childOf(object, "metadata"), "resourceVersion");
    if (type === "BOOKMARK") {
      if (!this.#set.bookmark(readVersion(version))) throw wentBack(request.path);
    } else {
      const [read] = this.#readOne(object);
      if (read === undefined) throw badLine(request.path);
      const { meta, value } = read;
      this.#tell(type === "DELETED" ? this.#set.remove(meta) : this.#set.upsert(meta, value));
    }
    this.#version = version ?? this.#version;
  }

  #lookedAgain(outcome: LookOutcome<T>): void {
    const { path, listener } = this.#options;
    this.#counts.differences += outcome.differences;
    this.#tell(outcome.changes);
    listener.onListed();
    if (!outcome.isOutdated) return;
    const message = `GET ${path}: a second look saw what the watch did not show`;
    this.#endWatch?.(new KubeError({ code: "GONE", message }));
  }

  #readOne(object: Json): readonly Listed<T>[] {
    const meta = readMeta(object);
    if (meta === undefined) return [];
    // Most of a list that comes again is known: reading ten thousand objects takes a second.
    const known = this.#set.entries.get(meta.key);
    const isKnown = known?.uid === meta.uid && known.version === meta.version;
    return [{ meta, value: isKnown ? known.value : this.#options.read(object, meta) }];
  }

  #tell(changes: readonly Change<T>[]): void {
    const news = changes.filter((change) => !isSame(change));
    if (news.length > 0) this.#options.listener.onChanges(news);
  }

  #fail(error: Error): void {
    this.#counts.failures += 1;
    this.#failuresInRow += 1;
    this.#options.listener.onTrouble(error);
  }

  #recover(): void {
    if (this.#failuresInRow > 0) this.#options.listener.onTrouble(undefined);
    this.#failuresInRow = 0;
  }
}

/** An object whose used parts stayed as they were, such as a Node that renewed its heartbeat. */
function isSame<T>(change: Change<T>): boolean {
  if (change.kind !== "upsert" || change.before === undefined) return false;
  const { entry, before } = change;
  const isInDoubt = before.absentSinceMs !== undefined;
  return !isInDoubt && isDeepStrictEqual(entry.value, before.value);
}

function wentBack(path: string): KubeError {
  const message = `GET ${path}: the server's resource versions went back`;
  return new KubeError({ code: "GONE", message });
}

function badLine(path: string): KubeError {
  const message = `GET ${path}: a line of the watch holds no object`;
  return new KubeError({ code: "SERVER", message });
}
