// Follows the declarations in etcd: lists them, watches on from there, lists again when the history
// is compacted away, and now and then although nothing is wrong, as watches are not believed to
// show everything. One loop, which ends only when it is disposed.
//
// It waits for: a list; the end of a watch; the back-off after a failure; the time of the next
// list.

import { type Clock, createBackoff, isEdgeError, type Timer } from "@fairlead/runtime";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { EtcdError } from "../../etcd/etcd-errors.ts";
import type { DeclaredVips } from "./declared-vips.ts";

/** Waits between two tries, in ms. */
const BACKOFF_MS_MIN = 200;
const BACKOFF_MS_MAX = 5000;

/** How they are followed. */
export interface FollowVipsOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly prefix: string;
  readonly vips: DeclaredVips;
  /** Time between two lists, in ms. */
  readonly listMs: number;
  /** A whole list was taken in. */
  readonly onListed: () => void;
  /** Changes were taken in; the names that were seen to be deleted. */
  readonly onChanges: (deleted: ReadonlySet<string>) => void;
  /** Following fails, since the first failure of a row; undefined when it works again. */
  readonly onTrouble: (trouble: unknown) => void;
}

/** Follows until it is disposed. */
export function followVips(options: FollowVipsOptions): AsyncDisposable {
  return new Follower(options);
}

class Follower implements AsyncDisposable {
  readonly #options: FollowVipsOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #endWatch: ((error: EtcdError | undefined) => void) | undefined;
  /** Whether a list has to come before the next watch. */
  #mustList = true;
  #failures = 0;
  #audit: Timer | undefined;
  /** One at a time: two that overtake each other would look like an etcd that was put back. */
  #listing: Promise<void> | undefined;

  constructor(options: FollowVipsOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#audit?.cancel();
    this.#endWatch?.(undefined);
    await this.#running;
    await this.#listing?.catch(() => undefined);
    this.#audit?.cancel();
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options;
    const backoff = createBackoff({ baseMs: BACKOFF_MS_MIN, maxMs: BACKOFF_MS_MAX, random });
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#mustList) await this.#list();
        const error = await this.#watch();
        if (error !== undefined) throw error;
        backoff.reset();
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (isEdgeError(error, "COMPACTED")) this.#mustList = true;
        else this.#fail(error);
        await clock.sleep(backoff.nextMs(), this.#stop.signal).catch(() => undefined);
      }
    }
  }

  async #list(): Promise<void> {
    this.#listing ??= this.#listOnce().finally(() => {
      this.#listing = undefined;
    });
    await this.#listing;
  }

  async #listOnce(): Promise<void> {
    const { client, clock, prefix, vips, onListed } = this.#options;
    const list = await client.list(prefix);
    if (this.#stop.signal.aborted) return;
    const isPutBack = vips.takeList(list, clock.nowMs());
    this.#mustList = false;
    this.#works();
    onListed();
    this.#scheduleAudit();
    // A watch waits for revisions that it had seen in another past.
    if (isPutBack) this.#endWatch?.(undefined);
  }

  /** Resolves with why it ended; undefined: we ended it. */
  async #watch(): Promise<EtcdError | undefined> {
    const { client, prefix, vips, onChanges } = this.#options;
    const { promise: ended, resolve } = Promise.withResolvers<EtcdError | undefined>();
    this.#endWatch = resolve;
    using _watch = await client.watch({
      prefix,
      revision: vips.revision + 1n,
      onChanges: (changes) => onChanges(vips.takeChanges(changes)),
      onEnd: resolve,
    });
    this.#works();
    if (this.#stop.signal.aborted) return undefined;
    return await ended;
  }

  #scheduleAudit(): void {
    const { clock, listMs } = this.#options;
    this.#audit?.cancel();
    if (this.#stop.signal.aborted) return;
    this.#audit = clock.setTimer(listMs, () => {
      this.#list().catch(() => {
        // The watch meets the same trouble and tells of it.
        this.#scheduleAudit();
      });
    });
  }

  #fail(error: unknown): void {
    this.#failures += 1;
    // A member that went away is followed by another one at once, and that is no trouble.
    if (this.#failures === 2) this.#options.onTrouble(error);
  }

  #works(): void {
    if (this.#failures >= 2) this.#options.onTrouble(undefined);
    this.#failures = 0;
  }
}
