// The IPAM service's loop, the only place of it with state: commands in, answers out. Commands that
// come together are one transaction, and nothing is answered before it is durable. Given the store
// and a clock. Its time goes on by the monotonic clock alone, so that a clock that is set ends
// nobody's registration.

import { setImmediate } from "node:timers/promises";

import { type AllotMemory, createAllotMemory } from "@fairlead/planner";
import { type Clock, EdgeError, type Logger, type Timer, describeError } from "@fairlead/runtime";

import type { IpamChange, Registration, Uuid } from "./ipam-model.ts";
import type { IpamReason, Refusal } from "./ipam-refusal.ts";
import {
  type Command,
  type Done,
  EMPTY_IPAM,
  type IpamContext,
  type IpamState,
  type Outcome,
  openState,
} from "./ipam-state.ts";
import { expiresAtMs, sweep } from "./keep.ts";
import type { IpamStore } from "./ports.ts";

/** Commands that may wait at once; a client that is told so tries again. */
const WAITING_MAX = 1000;
/** Time between two looks for what expired or has rested, in ms. */
const SWEEP_MS = 5000;

/** What the service is made of. */
export interface IpamServiceOptions {
  readonly store: IpamStore;
  readonly clock: Clock;
  readonly log: Logger;
  /** A registration that was not renewed for so long has expired. */
  readonly leaseMs: number;
  /** So long after it has expired, its address is taken back. */
  readonly graceMs: number;
  /** Told of each refusal that somebody is answered with. Default: nobody is. */
  readonly onRefused?: (reason: IpamReason) => void;
  /** Told of each commit that failed, before who waits for it is. Default: nobody is. */
  readonly onStoreError?: (error: unknown) => void;
}

/** What a command came to. */
export type Answer<T> = Pick<Done<T>, "kind" | "value" | "isNew"> | Refusal;

/** A service that runs. Disposing it lets waiting commands end; the store is somebody else's. */
export interface IpamService extends AsyncDisposable {
  /** What is durable. */
  view(): IpamState;
  /**
   * Does something. Resolves when it is durable. Rejects with the store's EdgeError when nothing
   * was done, or with BUSY or CLOSED.
   */
  run<T>(command: Command<T>): Promise<Answer<T>>;
  /** When a registration expires, and when its address is taken back; epoch ms. */
  timesOf(registration: Registration): { readonly expiresMs: number; readonly takenBackMs: number };
}

/** Opens the store and starts the service. Rejects with the store's EdgeError. */
export async function createIpamService(options: IpamServiceOptions): Promise<IpamService> {
  const service = new Service(options);
  await service.start();
  return service;
}

interface Waiting {
  /** Runs the command; the function that it returns tells whoever waits. */
  readonly perform: (state: IpamState, context: IpamContext) => Performed;
  readonly reject: (error: Error) => void;
}

interface Performed {
  readonly state: IpamState;
  readonly changes: readonly IpamChange[];
  readonly tell: () => void;
}

class Service implements IpamService {
  readonly #options: IpamServiceOptions;
  readonly #memories = new Map<Uuid, AllotMemory>();
  readonly #openedMs: number;
  readonly #startedMs: number;
  #state: IpamState = EMPTY_IPAM;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #isTroubled = false;
  /** Whether the last commit failed: what came of it without an answer has to be put back. */
  #isInDoubt = false;

  constructor(options: IpamServiceOptions) {
    this.#options = options;
    this.#openedMs = options.clock.wallMs();
    this.#startedMs = options.clock.nowMs();
  }

  async start(): Promise<void> {
    this.#state = openState(await this.#options.store.open());
    this.#sweepLater();
  }

  view(): IpamState {
    return this.#state;
  }

  run<T>(command: Command<T>): Promise<Answer<T>> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(busyError());
    return new Promise((resolve, reject) => {
      const perform = (state: IpamState, context: IpamContext): Performed => {
        const outcome = command(state, context);
        const tell = (): void => {
          if (outcome.kind === "refused") this.#options.onRefused?.(outcome.reason);
          resolve(answerOf(outcome));
        };
        if (outcome.kind === "refused") return { state, changes: [], tell };
        return { state: outcome.state, changes: outcome.changes, tell };
      };
      this.#waiting.push({ perform, reject });
      this.#flushing ??= this.#flush();
    });
  }

  timesOf(registration: Registration): ReturnType<IpamService["timesOf"]> {
    const { leaseMs, graceMs } = this.#options;
    const expiresMs = expiresAtMs(registration, { openedMs: this.#openedMs, leaseMs });
    return { expiresMs, takenBackMs: expiresMs + graceMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    // A turn of the event loop, so that what comes together is one transaction.
    await setImmediate();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#perform(batch);
    }
    this.#flushing = undefined;
  }

  async #perform(batch: readonly Waiting[]): Promise<void> {
    const context = this.#context();
    const changes: IpamChange[] = [];
    const performed: Performed[] = [];
    let state = this.#state;
    for (const { perform } of batch) {
      const one = perform(state, context);
      ({ state } = one);
      changes.push(...one.changes);
      performed.push(one);
    }
    const trouble = await this.#commit(changes);
    if (trouble !== undefined) {
      // Refusals too: what they are for may be what was not stored.
      for (const { reject } of batch) reject(trouble);
      return;
    }
    this.#state = state;
    for (const { tell } of performed) tell();
  }

  async #commit(changes: readonly IpamChange[]): Promise<Error | undefined> {
    const { store, log } = this.#options;
    const isWrite = changes.length > 0;
    if (!isWrite && !this.#isInDoubt) return undefined;
    try {
      await store.commit(changes);
      this.#isInDoubt = false;
      // One without changes may have found nothing to put back, and a disk that is still full.
      if (this.#isTroubled && isWrite) {
        log.info({}, "the IPAM store can be written again");
        this.#isTroubled = false;
      }
      return undefined;
    } catch (error) {
      const trouble = describeError(error);
      if (!this.#isTroubled) log.error({ trouble }, "the IPAM store cannot be written");
      this.#isTroubled = true;
      this.#isInDoubt = true;
      this.#options.onStoreError?.(error);
      return error instanceof Error ? error : new Error(trouble);
    }
  }

  #context(): IpamContext {
    const { clock, leaseMs, graceMs } = this.#options;
    return {
      nowMs: this.#openedMs + (clock.nowMs() - this.#startedMs),
      openedMs: this.#openedMs,
      leaseMs,
      graceMs,
      memoryOf: (uuid) => {
        const memory = this.#memories.get(uuid) ?? createAllotMemory();
        this.#memories.set(uuid, memory);
        return memory;
      },
    };
  }

  #sweepLater(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(SWEEP_MS, () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    try {
      const answer = await this.run(sweep());
      for (const { uuid, address, owner } of answer.kind === "done" ? answer.value : []) {
        const fields = { uuid, address, ...(owner === undefined ? {} : { owner }) };
        this.#options.log.info(fields, "a registration was not renewed; its address is taken back");
      }
    } catch {
      // The store's trouble was told where it was met; the next sweep finds the same again.
    } finally {
      this.#sweepLater();
    }
  }
}

function answerOf<T>(outcome: Outcome<T>): Answer<T> {
  if (outcome.kind === "refused") return outcome;
  const { kind, value, isNew } = outcome;
  return { kind, value, isNew };
}

function busyError(): EdgeError<"BUSY"> {
  const message = `${WAITING_MAX} commands wait for the IPAM store`;
  return new EdgeError({ code: "BUSY", message, retryable: true });
}

function closedError(): EdgeError<"CLOSED"> {
  return new EdgeError({ code: "CLOSED", message: "the IPAM service ends", retryable: true });
}
