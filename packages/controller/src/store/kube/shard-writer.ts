// Brings the objects of the IPAM service to what its journal says, late and many rows at once: what
// is renewed again and again is written once. Given a client and what the objects held. Nothing
// waits for it but the journal, which keeps every change until its object shows it.
//
// A write that was given up may still land. It holds nothing that was not durable, and is over the
// version that was known then: so it is never over a later one of ours, or of a successor.

import { type Clock, type Timer, describeError } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import { childOf, isJson, textOf } from "../../kube/object-fields.ts";
import type { KeyChange } from "../pieces.ts";
import { makeStoreError } from "../store-error.ts";
import { packRows, shardObject, shardOf, SHARDS_PATH, type StoredShard } from "./ipam-shards.ts";
import { ipamClosedError } from "./kube-store-errors.ts";
import { PACKED_CHARACTERS_MAX } from "./packed.ts";

/** Objects that are being written at once. */
const AT_ONCE_MAX = 4;
/**
 * Changes that wait, and the time they do, in ms. The journal grows with them, and is written with
 * each commit; objects are written whole for a few changes each. With ten thousand registrations
 * that are renewed within five minutes both cost about as much here.
 */
const WAITING_MAX = 300;
const WAITING_MS_MAX = 10_000;
/** Objects that could not be written are tried again after this, in ms. */
const RETRY_MS = 2000;

/** What a writer works with. */
export interface ShardWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Of this opening; what is written carries it. */
  readonly epoch: number;
  readonly shards: readonly StoredShard[];
  /** Whether the journal is still of this opening; asked when an object is not as it was left. */
  readonly isCurrent: (signal: AbortSignal) => Promise<boolean>;
}

/** Writes objects. Disposing begins nothing more and gives up what is under way. */
export interface ShardWriter extends AsyncDisposable {
  /** The durable text of a row; undefined where there is none. */
  row(key: string): string | undefined;
  /** Changes that objects do not show yet, the newest of each row. */
  pending(): readonly KeyChange[];
  /** Takes changes that the journal has. */
  take(changes: readonly KeyChange[]): void;
  /**
   * Writes all now. Rejects with the last trouble, or TIMEOUT, when it is not done within `ms`, and
   * at once when nothing is written any more: CLOSED after its end, FENCED by another controller.
   */
  flush(ms: number): Promise<void>;
}

/** Makes a writer at rest. */
export function createShardWriter(options: ShardWriterOptions): ShardWriter {
  return new Writer(options);
}

interface Shard {
  readonly name: string;
  /** Undefined: there is no such object. */
  version: string | undefined;
  /** As the journal says. */
  readonly rows: Map<string, string>;
  /** What the object does not show, by key. */
  readonly pending: Map<string, KeyChange>;
}

class Writer implements ShardWriter {
  readonly #options: ShardWriterOptions;
  readonly #stop = new AbortController();
  readonly #shards: Map<string, Shard>;
  /** Those that are to be written now, and those that are. */
  readonly #ready = new Set<Shard>();
  readonly #busy = new Map<Shard, Promise<void>>();
  #timer: Timer | undefined;
  #trouble: unknown;
  #onIdle: () => void = () => undefined;

  constructor(options: ShardWriterOptions) {
    this.#options = options;
    this.#shards = new Map(
      options.shards.map(({ name, resourceVersion: version, rows }) => [
        name,
        { name, version, rows: new Map(rows), pending: new Map() },
      ]),
    );
  }

  row(key: string): string | undefined {
    return this.#shards.get(shardOf(key))?.rows.get(key);
  }

  pending(): readonly KeyChange[] {
    return [...this.#shards.values()].flatMap(({ pending }) => [...pending.values()]);
  }

  take(changes: readonly KeyChange[]): void {
    for (const change of changes) {
      const shard = this.#shardOf(change.key);
      if (change.value === undefined) shard.rows.delete(change.key);
      else shard.rows.set(change.key, change.value);
      shard.pending.set(change.key, change);
    }
    const count = this.#count();
    if (count >= WAITING_MAX) this.#begin();
    else if (count > 0) this.#later(WAITING_MS_MAX);
  }

  async flush(ms: number): Promise<void> {
    if (this.#count() === 0) return;
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = this.#options.clock.setTimer(ms, () => {
      const why = this.#trouble === undefined ? "" : `: ${describeError(this.#trouble)}`;
      const message = `the IPAM's objects were not written within ${ms} ms${why}`;
      reject(makeStoreError({ code: "TIMEOUT", message, cause: this.#trouble }));
    });
    const onStop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onStop);
    this.#onIdle = resolve;
    this.#begin();
    try {
      await promise;
    } finally {
      timer.cancel();
      signal.removeEventListener("abort", onStop);
      this.#onIdle = () => undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(ipamClosedError());
    this.#timer?.cancel();
    await Promise.all(this.#busy.values());
  }

  #count(): number {
    let count = 0;
    for (const { pending } of this.#shards.values()) count += pending.size;
    return count;
  }

  #shardOf(key: string): Shard {
    const name = shardOf(key);
    const shard = this.#shards.get(name);
    if (shard !== undefined) return shard;
    const made: Shard = { name, version: undefined, rows: new Map(), pending: new Map() };
    this.#shards.set(name, made);
    return made;
  }

  #later(ms: number): void {
    if (this.#stop.signal.aborted) return;
    this.#timer ??= this.#options.clock.setTimer(ms, () => this.#begin());
  }

  #begin(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const shard of this.#shards.values()) if (shard.pending.size > 0) this.#ready.add(shard);
    this.#pump();
  }

  #pump(): void {
    for (const shard of this.#ready) {
      if (this.#stop.signal.aborted || this.#busy.size >= AT_ONCE_MAX) return;
      if (this.#busy.has(shard)) continue;
      this.#ready.delete(shard);
      this.#busy.set(shard, this.#carryOut(shard));
    }
  }

  async #carryOut(shard: Shard): Promise<void> {
    try {
      await this.#write(shard);
    } catch (error) {
      // Whatever it was: the journal has the changes, and the next commit tells of a server away.
      this.#trouble = error;
      this.#later(RETRY_MS);
    }
    this.#busy.delete(shard);
    if (this.#count() === 0) this.#onIdle();
    this.#pump();
  }

  async #write(shard: Shard): Promise<void> {
    const { client, epoch } = this.#options;
    const { name, version: resourceVersion, pending } = shard;
    const shown = new Map(pending);
    const packed = await packRows(Array.from(shard.rows, ([key, value]) => ({ key, value })));
    if (packed.length > PACKED_CHARACTERS_MAX) {
      const message = `the IPAM's object ${name} takes no more rows; an etcd as store does`;
      throw makeStoreError({ code: "NO_SPACE", message });
    }
    const body = shardObject(name, packed, { epoch, resourceVersion });
    try {
      const answer = await client.request(
        resourceVersion === undefined
          ? { method: "POST", path: SHARDS_PATH, body }
          : { method: "PUT", path: `${SHARDS_PATH}/${name}`, body },
        this.#stop.signal,
      );
      shard.version = versionOf(answer);
    } catch (error) {
      // What it is now is known after this; the write itself is tried again.
      if (isKubeError(error, "CONFLICT", "NOT_FOUND")) await this.#lookAgain(shard);
      throw error;
    }
    for (const [key, change] of shown) if (pending.get(key) === change) pending.delete(key);
  }

  /** An object is not as it was left: by a hand, by a late write, or by a leader after us. */
  async #lookAgain(shard: Shard): Promise<void> {
    const { client, isCurrent } = this.#options;
    if (!(await isCurrent(this.#stop.signal))) {
      const message = "another controller took the IPAM of the cluster";
      this.#stop.abort(makeStoreError({ code: "FENCED", message }));
      return;
    }
    try {
      const path = `${SHARDS_PATH}/${shard.name}`;
      shard.version = versionOf(await client.request({ method: "GET", path }, this.#stop.signal));
    } catch (error) {
      if (!isKubeError(error, "NOT_FOUND")) throw error;
      shard.version = undefined;
    }
  }
}

function versionOf(answer: unknown): string | undefined {
  return isJson(answer) ? textOf(childOf(answer, "metadata"), "resourceVersion") : undefined;
}
