// Brings the rows' own objects to what the journal says: few writes at once, the newest change of a
// row alone, again until it is there. Given a client and the versions that objects had. Nothing
// waits for it but the journal, which keeps every change until it is done.

import type { Clock, Timer } from "@fairlead/runtime";

import type { KubeClient, KubeRequest } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { childOf, isJson, textOf } from "../../kube/object-fields.ts";
import type { StoreChange } from "../../ports.ts";
import {
  API_ROOT,
  keyOfChange,
  keyText,
  type RowKey,
  rowObject,
  rowOfChange,
} from "./stored-objects.ts";

/** Writes under way at once: a thousand rows take a second or two of an API server. */
const AT_ONCE_MAX = 16;
/** A write that failed is made again after this long at first, and after at most so long, in ms. */
const RETRY_MS = 200;
const RETRY_MS_MAX = 10_000;
/** A server that answers at all does so within this, in ms; then what is under way is given up. */
const END_MS = 1000;

/** What a writer works with. */
export interface RowWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Of this controller now; what is written carries it. */
  readonly epoch: () => number;
  /** Versions of the objects that there are, by key; kept up by the writer. */
  readonly versions: Map<string, string>;
  /** Whether the journal is still of our epoch; asked when an object is not as it was left. */
  readonly isCurrent: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * Writes rows. Disposing begins nothing more and waits a moment for what is under way: a write that
 * is given up may still land, after somebody else has taken its row out. The rest stands in the
 * journal.
 */
export interface RowWriter extends AsyncDisposable {
  /** Changes that objects do not show yet, the newest of each row. */
  pending(): readonly StoreChange[];
  /** Takes changes that the journal has. */
  take(changes: readonly StoreChange[]): void;
  /** Resolves when nothing is pending, or after `ms`. */
  settled(ms: number): Promise<void>;
}

/** Makes a writer at rest. */
export function createRowWriter(options: RowWriterOptions): RowWriter {
  return new Writer(options);
}

class Writer implements RowWriter {
  readonly #options: RowWriterOptions;
  readonly #stop = new AbortController();
  /** By key, in the order in which they came. */
  readonly #pending = new Map<string, StoreChange>();
  /** Keys that may be written now, and those that are. */
  readonly #ready = new Set<string>();
  readonly #busy = new Map<string, Promise<void>>();
  #isEnding = false;
  #retry: Timer | undefined;
  #retryMs = RETRY_MS;
  #onIdle: () => void = () => undefined;

  constructor(options: RowWriterOptions) {
    this.#options = options;
  }

  pending(): readonly StoreChange[] {
    return [...this.#pending.values()];
  }

  take(changes: readonly StoreChange[]): void {
    for (const change of changes) {
      const key = keyText(keyOfChange(change));
      this.#pending.set(key, change);
      this.#ready.add(key);
    }
    this.#pump();
  }

  async settled(ms: number): Promise<void> {
    if (this.#pending.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = this.#options.clock.setTimer(ms, resolve);
    await promise;
    timer.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    this.#retry?.cancel();
    const late = this.#options.clock.setTimer(END_MS, () => {
      this.#stop.abort(new Error("stopped"));
    });
    await Promise.all(this.#busy.values());
    late.cancel();
  }

  #pump(): void {
    for (const key of this.#ready) {
      if (this.#isEnded() || this.#busy.size >= AT_ONCE_MAX) return;
      if (this.#busy.has(key)) continue;
      const change = this.#pending.get(key);
      this.#ready.delete(key);
      if (change !== undefined) this.#busy.set(key, this.#carryOut(key, change));
    }
  }

  #isEnded(): boolean {
    return this.#isEnding || this.#stop.signal.aborted;
  }

  async #carryOut(key: string, change: StoreChange): Promise<void> {
    try {
      await this.#write(key, change);
      if (this.#pending.get(key) === change) this.#pending.delete(key);
      this.#retryMs = RETRY_MS;
    } catch {
      // Whatever it was: the journal has the change, and the next commit tells of a server away.
      this.#retryLater(key);
    }
    this.#busy.delete(key);
    if (this.#pending.size === 0) this.#onIdle();
    this.#pump();
  }

  #retryLater(key: string): void {
    const { clock } = this.#options;
    if (this.#isEnded()) return;
    this.#ready.delete(key);
    if (this.#retry !== undefined) return;
    this.#retry = clock.setTimer(this.#retryMs, () => {
      this.#retry = undefined;
      for (const left of this.#pending.keys()) this.#ready.add(left);
      this.#pump();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  async #write(key: string, change: StoreChange): Promise<void> {
    const { client, versions } = this.#options;
    const request = this.#requestOf(change, versions.get(key));
    if (request === undefined) return;
    try {
      const answer = await client.request(request, this.#stop.signal);
      const version = isJson(answer)
        ? textOf(childOf(answer, "metadata"), "resourceVersion")
        : undefined;
      if (request.method === "DELETE" || version === undefined) versions.delete(key);
      else versions.set(key, version);
    } catch (error) {
      if (!isKubeError(error, "CONFLICT", "NOT_FOUND")) throw error;
      await this.#lookAgain(key, keyOfChange(change));
      // What it is now is known; the change itself is tried again.
      throw error;
    }
  }

  /** An object is not as it was left: by a hand, or by a leader after us, who then rules. */
  async #lookAgain(key: string, { resource, name }: RowKey): Promise<void> {
    const { client, versions, isCurrent } = this.#options;
    if (!(await isCurrent(this.#stop.signal))) {
      this.#stop.abort(new Error("another controller leads"));
      return;
    }
    try {
      const path = `${API_ROOT}/${resource}/${name}`;
      const found = await client.request({ method: "GET", path }, this.#stop.signal);
      const metadata = isJson(found) ? childOf(found, "metadata") : {};
      versions.set(key, textOf(metadata, "resourceVersion") ?? "");
    } catch (error) {
      if (!isKubeError(error, "NOT_FOUND")) throw error;
      versions.delete(key);
    }
  }

  /** Undefined: it is as it should be, as what is to be deleted is not there. */
  #requestOf(change: StoreChange, resourceVersion: string | undefined): KubeRequest | undefined {
    const key = keyOfChange(change);
    const path = `${API_ROOT}/${key.resource}`;
    const row = rowOfChange(change);
    if (row !== undefined) {
      const body = rowObject(key, row, { epoch: this.#options.epoch(), resourceVersion });
      return resourceVersion === undefined
        ? { method: "POST", path, body }
        : { method: "PUT", path: `${path}/${key.name}`, body };
    }
    if (resourceVersion === undefined) return undefined;
    const preconditions = { resourceVersion };
    const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
    return { method: "DELETE", path: `${path}/${key.name}`, body };
  }
}
