// The IPAM service of a controller that shares its store with others: it runs while this one leads,
// over a store that is opened anew each time, and answers nobody else. Given who leads and how a
// service is opened. A store that somebody else took is opened again only while this one leads.
//
// States: stands by -> opens (the lead is won) -> runs (the store is open) -> stands by. A store
// that fails for good while it runs leads back to opens.

import { type Clock, EdgeError, type Logger, describeError, isEdgeError } from "@fairlead/runtime";

import type { ElectionView } from "../ports.ts";
import type { Registration } from "./ipam-model.ts";
import type { Answer, IpamService } from "./ipam-service.ts";
import { type Command, EMPTY_IPAM, type IpamState } from "./ipam-state.ts";

/** A store that cannot be opened just now is tried again after this long, in ms. */
const OPEN_RETRY_MS = 1000;

/** Nothing more can be written under an opening: somebody has the store, or it was put back. */
const ENDING: ReadonlySet<string> = new Set(["FENCED", "CONFLICT"]);

/** What it is made of. */
export interface LedIpamOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Who leads, at this very moment. */
  readonly lead: () => ElectionView;
  /**
   * Opens a store and the service over it; disposing ends both. Rejects with the store's EdgeError.
   * @param onStoreError told of each commit that failed.
   */
  readonly open: (onStoreError: (error: unknown) => void) => Promise<IpamService>;
}

/** A service that comes and goes: without it its calls fail with NOT_LEADING or OPENING. */
export interface LedIpam extends IpamService {
  onLead(): void;
  onLost(): void;
  /** What is durable, or nothing while it is not there; for metrics. */
  shown(): IpamState;
}

/** Makes it; it stands by until it is told of the lead. */
export function createLedIpam(options: LedIpamOptions): LedIpam {
  return new Led(options);
}

class Led implements LedIpam {
  readonly #options: LedIpamOptions;
  readonly #stop = new AbortController();
  /** Counts openings, so that what an earlier one ends with is not taken for this. */
  #turn = 0;
  #service: IpamService | undefined;
  /** What ends, and what opens after it. */
  #work: Promise<void> = Promise.resolve();
  /** Why the store cannot be opened. */
  #trouble: string | undefined;

  constructor(options: LedIpamOptions) {
    this.#options = options;
  }

  onLead(): void {
    this.#end();
    this.#begin(0);
  }

  onLost(): void {
    this.#end();
    this.#trouble = undefined;
  }

  shown(): IpamState {
    return this.#service?.view() ?? EMPTY_IPAM;
  }

  view(): IpamState {
    return this.#running().view();
  }

  async run<T>(command: Command<T>): Promise<Answer<T>> {
    return await this.#running().run(command);
  }

  timesOf(registration: Registration): ReturnType<IpamService["timesOf"]> {
    return this.#running().timesOf(registration);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    this.#end();
    await this.#work;
  }

  #running(): IpamService {
    const { holder, leads } = this.#options.lead();
    if (!leads) {
      const message = `this controller does not lead; ${holder ?? "nobody"} does`;
      throw new EdgeError({ code: "NOT_LEADING", message, retryable: true });
    }
    if (this.#service !== undefined) return this.#service;
    const message = this.#trouble ?? "the IPAM store is being opened";
    throw new EdgeError({ code: "OPENING", message, retryable: true });
  }

  #end(): void {
    this.#turn += 1;
    const ended = this.#service;
    this.#service = undefined;
    this.#work = this.#work.then(async () => ended?.[Symbol.asyncDispose]());
  }

  #begin(waitMs: number): void {
    this.#turn += 1;
    const mine = this.#turn;
    this.#work = this.#work.then(() => this.#open(mine, waitMs));
  }

  async #open(mine: number, firstWaitMs: number): Promise<void> {
    const { clock, log } = this.#options;
    const isMine = (): boolean => mine === this.#turn && !this.#stop.signal.aborted;
    let waitMs = firstWaitMs;
    while (isMine()) {
      if (waitMs > 0) await clock.sleep(waitMs, this.#stop.signal).catch(() => undefined);
      waitMs = OPEN_RETRY_MS;
      if (!isMine() || !this.#options.lead().leads) continue;
      try {
        const service = await this.#options.open((error) => this.#onStoreError(mine, error));
        if (!isMine()) return await service[Symbol.asyncDispose]();
        this.#service = service;
        if (this.#trouble !== undefined) log.info({}, "the IPAM store can be opened again");
        this.#trouble = undefined;
      } catch (error) {
        if (!isEdgeError(error)) throw error;
        const trouble = describeError(error);
        if (trouble !== this.#trouble) log.error({ trouble }, "the IPAM store cannot be opened");
        this.#trouble = trouble;
        continue;
      }
      return;
    }
  }

  #onStoreError(mine: number, error: unknown): void {
    if (mine !== this.#turn || !isEdgeError(error) || !ENDING.has(error.code)) return;
    this.#end();
    this.#begin(OPEN_RETRY_MS);
  }
}
