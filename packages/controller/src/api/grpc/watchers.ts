// Those who watch: each gets everything once, and then what changed, as fast as it reads and no
// faster than the pace. Given the journal's source of lists and told when something may have
// changed. Of a watcher it keeps a version and at most one message that is not written yet. While
// nobody watches, nothing is listed.

import { type ServerWritableStream, status } from "@grpc/grpc-js";
import {
  type Clock,
  type Logger,
  type Pace,
  type Timer,
  createPace,
  describeError,
} from "@fairlead/runtime";
import { ListKind, type WatchRequest } from "@fairlead/wire";

import type { ListInit } from "./list.ts";
import { RowJournal, type WatchInit } from "./row-journal.ts";

/** A watcher's call as grpc-js hands it over. */
export type WatchCall = ServerWritableStream<WatchRequest, WatchInit>;

/** What watchers are served from. */
export interface WatchersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The state now, of these kinds. */
  readonly list: (kinds: readonly ListKind[]) => ListInit;
  /** Default 64; the next is refused. */
  readonly watchersMax?: number;
}

/** All watchers. Disposing ends every call. */
export interface Watchers extends AsyncDisposable {
  /** Takes a call in; it is answered until one of both sides ends it. */
  watch(call: WatchCall): void;
  /** Something may have changed. Costs nothing while nobody watches. */
  poke(): void;
}

/** Makes it, with nobody watching. */
export function createWatchers(options: WatchersOptions): Watchers {
  return new Calls(options);
}

const WATCHERS_MAX = 64;
/** At least this long between two messages to a watcher, in ms. */
const GAP_MS = 100;
/** Rows are looked at this often without a poke, in ms: an agent's answer makes no cycle. */
const TICK_MS = 1000;
/** Listing takes at most one part in this many of the time, however much there is to list. */
const SHARE = 10;

const ALL_KINDS: ReadonlySet<ListKind> = new Set([
  ListKind.CLAIMS,
  ListKind.AGENTS,
  ListKind.POOLS,
  ListKind.ADDRESSES,
  ListKind.FINDINGS,
]);

interface Watcher {
  readonly call: WatchCall;
  readonly kinds: ReadonlySet<ListKind>;
  /** The version that the last message had. */
  version: number;
  /** A message is on its way; the next waits until that is written. */
  isWriting: boolean;
}

class Calls implements Watchers {
  readonly #options: WatchersOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #pace: Pace;
  readonly #stop = new AbortController();
  #journal = new RowJournal();
  #tick: Timer | undefined;

  constructor(options: WatchersOptions) {
    this.#options = options;
    this.#pace = createPace({
      clock: options.clock,
      quietMs: 0,
      maxWaitMs: 0,
      gapMs: GAP_MS,
      leading: true,
      run: () => this.#turn(),
      onError: (error) => {
        if (!this.#stop.signal.aborted) this.#failAll(error);
      },
    });
  }

  watch(call: WatchCall): void {
    const { watchersMax = WATCHERS_MAX } = this.#options;
    if (this.#stop.signal.aborted) return endCall(call, STOPPING);
    if (this.#watchers.size >= watchersMax) {
      const details = `${watchersMax} others watch already`;
      return endCall(call, { code: status.RESOURCE_EXHAUSTED, details });
    }
    const { kinds } = call.request;
    const watched = kinds.length === 0 ? ALL_KINDS : new Set(kinds);
    const watcher: Watcher = { call, kinds: watched, version: 0, isWriting: false };
    this.#watchers.add(watcher);
    // Whichever comes first: the caller went, the connection broke, or this side ended it.
    const onEnd = (): void => this.#remove(watcher);
    call.on("cancelled", onEnd).on("close", onEnd).on("error", onEnd);
    this.#armTick();
    try {
      this.#look();
      this.#write(watcher, this.#journal.whole(watched));
    } catch (error) {
      this.#fail(watcher, error);
    }
  }

  poke(): void {
    if (this.#watchers.size > 0) this.#pace.poke();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const { call } of this.#watchers) endCall(call, STOPPING);
    this.#watchers.clear();
    this.#tick?.cancel();
    await this.#pace[Symbol.asyncDispose]();
  }

  /** One round: look, tell everybody who has room, and rest. */
  async #turn(): Promise<void> {
    if (this.#watchers.size === 0) return;
    const { clock } = this.#options;
    const begunMs = clock.nowMs();
    this.#look();
    for (const watcher of this.#watchers) this.#tell(watcher);
    const tookMs = clock.nowMs() - begunMs;
    await clock.sleep(tookMs * (SHARE - 1), this.#stop.signal);
  }

  /** Takes the state of everything that anybody watches into the journal. */
  #look(): void {
    const kinds = new Set([...this.#watchers].flatMap((watcher) => [...watcher.kinds]));
    this.#journal.take(this.#options.list([...kinds]), kinds);
  }

  #tell(watcher: Watcher): void {
    if (watcher.isWriting) return;
    const message = this.#journal.since(watcher.version, watcher.kinds);
    if (message !== undefined) this.#write(watcher, message);
  }

  #write(watcher: Watcher, message: WatchInit): void {
    const { version } = this.#journal;
    watcher.version = version;
    watcher.isWriting = true;
    watcher.call.write(message, () => {
      watcher.isWriting = false;
      // What came meanwhile is in the journal, of each row the newest.
      if (this.#watchers.has(watcher) && this.#journal.version > version) this.#pace.poke();
    });
  }

  #remove(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher) || this.#watchers.size > 0) return;
    this.#tick?.cancel();
    this.#tick = undefined;
    this.#journal = new RowJournal();
  }

  #armTick(): void {
    if (this.#tick !== undefined) return;
    this.#tick = this.#options.clock.setTimer(TICK_MS, () => {
      this.#tick = undefined;
      this.#pace.poke();
      this.#armTick();
    });
  }

  #failAll(error: unknown): void {
    for (const watcher of this.#watchers) this.#fail(watcher, error);
  }

  /** Rows that cannot be made are a bug of ours: a watcher must not take silence for no change. */
  #fail(watcher: Watcher, error: unknown): void {
    this.#options.log.error({ error: describeError(error) }, "a watcher could not be answered");
    this.#remove(watcher);
    endCall(watcher.call, { code: status.INTERNAL, details: describeError(error) });
  }
}

interface CallEnd {
  readonly code: status;
  readonly details: string;
}

const STOPPING: CallEnd = { code: status.UNAVAILABLE, details: "the controller is stopping" };

/** Ends a call in the way in which grpc-js takes a status from the handler of a stream. */
function endCall(call: WatchCall, end: CallEnd): void {
  call.emit("error", Object.assign(new Error(end.details), end));
}
