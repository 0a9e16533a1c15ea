// The line to one IPAM, for one pool: renews what it gave, gives back what nobody wants, and asks
// for what is wanted, in rounds, the oldest wish first. Given the stored registrations whenever
// they change. It wakes for them, when a renewal is due, and when what failed or was refused may be
// tried again. What it knows is what was answered; it decides nothing of who gets what.

import { type Registration, type RegistrationSight, claimTitle } from "@fairlead/model";
import {
  type Backoff,
  type Clock,
  type Pace,
  createBackoff,
  createPace,
  describeError,
  isEdgeError,
} from "@fairlead/runtime";

import { type Holders, type OwnersTold, createOwnersTold } from "./owners-told.ts";
import type { IpamAccount, IpamAnswer, IpamClient } from "./ports.ts";

/** Requests under way at once. */
const BATCH = 16;
/** Uuids of one renewal. */
const RENEWALS_MAX = 1000;
/** What failed or was refused is tried again within times that double from this, in ms. */
const RETRY_MS_BASE = 500;
/** Up to this, in ms: so long waits at the most who is first in line once an address is free. */
const RETRY_MS_MAX = 30_000;
/** Renewals come earlier than asked by up to this part, so that those of many are spread. */
const RENEW_JITTER = 0.2;
/** Characters of an owner at most. */
const OWNER_CHARACTERS_MAX = 200;

/** What was asked, for metrics. */
export type IpamRequest = "register" | "renew" | "release";
/** What came of it. */
export type IpamResult = "done" | "refused" | "failed";

/** What a line works with. */
export interface IpamLineOptions {
  readonly account: IpamAccount;
  readonly client: IpamClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What is seen differs from before. */
  readonly onSeen: () => void;
  readonly onAsked: (request: IpamRequest, result: IpamResult) => void;
  /** A bug: the process ends. */
  readonly onError: (error: unknown) => void;
}

/** Makes a line; nothing is asked before `follow`. */
export class IpamLine implements AsyncDisposable {
  readonly sights: Map<string, RegistrationSight> = new Map<string, RegistrationSight>();
  /** Why the IPAM cannot be asked; undefined: it can, or nobody tried. */
  trouble: string | undefined;
  readonly #options: IpamLineOptions;
  readonly #pace: Pace;
  readonly #failures: Backoff;
  readonly #refusals: Backoff;
  readonly #owners: OwnersTold = createOwnersTold();
  #registrations: readonly Registration[] = [];
  #isStopped = false;
  /** Monotonic ms, each of them. The first renewal is due at the start. */
  #renewMs = Number.NEGATIVE_INFINITY;
  #retryMs = Number.NEGATIVE_INFINITY;
  #askAgainMs = Number.NEGATIVE_INFINITY;

  constructor(options: IpamLineOptions) {
    this.#options = options;
    const { clock, random, onError } = options;
    const waits = { baseMs: RETRY_MS_BASE, maxMs: RETRY_MS_MAX, random };
    this.#failures = createBackoff(waits);
    this.#refusals = createBackoff(waits);
    this.#pace = createPace({
      clock,
      quietMs: 0,
      maxWaitMs: 0,
      run: () => this.#round(),
      onError,
    });
  }

  /** These are the stored registrations of the line, the oldest first, and who has what. */
  follow(registrations: readonly Registration[], holders: Holders): void {
    this.#registrations = registrations;
    const known = new Set(registrations.map(({ uuid }) => uuid));
    for (const uuid of this.sights.keys()) if (!known.has(uuid)) this.sights.delete(uuid);
    this.#owners.follow(registrations, holders);
    // The interval may be shorter now than the one that runs.
    this.#renewMs = Math.min(this.#renewMs, this.#options.clock.nowMs() + this.#everyMs());
    this.#pace.poke();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true;
    await this.#pace[Symbol.asyncDispose]();
  }

  async #round(): Promise<void> {
    const { clock } = this.#options;
    if (!this.#isStopped && clock.nowMs() >= this.#retryMs) {
      try {
        await this.#renewDue();
        await this.#tellOwners();
        await this.#releaseEnding();
        await this.#registerWanted();
        this.#failures.reset();
        this.#setTrouble(undefined);
      } catch (error) {
        if (!isEdgeError(error)) throw error;
        this.#retryMs = clock.nowMs() + this.#failures.nextMs();
        this.#setTrouble(describeError(error));
      }
    }
    if (!this.#isStopped) this.#pace.pokeIn(this.#nextMs() - this.#options.clock.nowMs());
  }

  #nextMs(): number {
    const dues = [this.#renewMs];
    if (this.#wanted().length > 0) dues.push(this.#askAgainMs);
    return Math.max(this.#retryMs, Math.min(...dues));
  }

  #setTrouble(trouble: string | undefined): void {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.#options.onSeen();
  }

  #see(uuid: string, sight: RegistrationSight): void {
    this.sights.set(uuid, sight);
  }

  /** Renews all that has an address; what the IPAM does not know any more is asked for again. */
  async #renewDue(): Promise<void> {
    const { clock, client, account, random } = this.#options;
    if (clock.nowMs() < this.#renewMs) return;
    const held = this.#registrations.filter(({ ending, address }) => !ending && address);
    for (let at = 0; at < held.length; at += RENEWALS_MAX) {
      const some = held.slice(at, at + RENEWALS_MAX);
      const uuids = some.map(({ uuid }) => uuid);
      const unknown = new Set(await this.#asked("renew", client.renew(account, uuids)));
      for (const uuid of uuids) {
        const isLost = this.sights.get(uuid)?.kind === "lost";
        if (isLost && !unknown.has(uuid)) this.sights.delete(uuid);
      }
      await this.#inBatches(
        some.filter(({ uuid }) => unknown.has(uuid)),
        (one) => this.#claimBack(one),
      );
    }
    this.#renewMs = clock.nowMs() + this.#everyMs() * (1 - RENEW_JITTER * random());
  }

  /** How often all is renewed, in ms: as often as the one that asks for it most. */
  #everyMs(): number {
    return Math.min(...this.#registrations.map(({ renewMs }) => renewMs));
  }

  async #claimBack(one: Registration): Promise<void> {
    const { uuid, address } = one;
    const answer = await this.#register({ ...one, ...(address && { wish: address }) });
    const isBack = answer.kind === "granted" && answer.address === address;
    if (isBack) this.sights.delete(uuid);
    else if (answer.kind === "refused") this.#see(uuid, { kind: "lost", detail: answer.detail });
  }

  /** An address may have passed to another one: whoever asks the IPAM finds who has it now. */
  async #tellOwners(): Promise<void> {
    const untold = this.#registrations.filter((one) => this.#owners.isNews(one));
    await this.#inBatches(untold, async (one) => {
      await this.#register({ ...one, ...(one.address && { wish: one.address }) });
    });
  }

  async #releaseEnding(): Promise<void> {
    const { client, account } = this.#options;
    const ending = this.#registrations.filter(
      ({ ending: ends, uuid }) => ends && this.sights.get(uuid)?.kind !== "released",
    );
    await this.#inBatches(ending, async ({ uuid }) => {
      await this.#asked("release", client.release(account, uuid));
      this.#see(uuid, { kind: "released" });
    });
  }

  /** Those that have nothing yet. */
  #wanted(): readonly Registration[] {
    return this.#registrations.filter(
      ({ ending, address, uuid }) =>
        !ending && address === undefined && this.sights.get(uuid)?.kind !== "granted",
    );
  }

  async #registerWanted(): Promise<void> {
    const { clock } = this.#options;
    const isAgain = clock.nowMs() >= this.#askAgainMs;
    const open = this.#wanted().filter(({ uuid }) => isAgain || !this.sights.has(uuid));
    if (open.length === 0) return;
    // What was refused to one who takes any address is refused to the next.
    const refused = new Map<string, RegistrationSight>();
    const isServed = await this.#inBatches(open, async (one) => {
      const { uuid, wish, family } = one;
      const key = wish === undefined ? `${one.class} ${family}` : uuid;
      const before = refused.get(key);
      if (before !== undefined) return this.#see(uuid, before);
      const answer = await this.#register(one);
      this.#see(uuid, answer);
      if (answer.kind === "refused") refused.set(key, answer);
      return undefined;
    });
    if (isServed) this.#refusals.reset();
    if (refused.size > 0) this.#askAgainMs = clock.nowMs() + this.#refusals.nextMs();
  }

  async #register(one: Registration): Promise<IpamAnswer> {
    const { uuid, family, wish } = one;
    const { client, account } = this.#options;
    const claim = this.#owners.of(one);
    const owner = `fairlead: pool ${account.pool}, ${claimTitle(claim)}`.slice(
      0,
      OWNER_CHARACTERS_MAX,
    );
    const own = wish === undefined ? {} : { address: wish };
    const asked = client.register(
      { ...account, class: one.class },
      { uuid, family, ...own, owner },
    );
    const answer = await this.#asked("register", asked);
    this.#owners.told(one, claim);
    return answer;
  }

  async #asked<T extends IpamAnswer | readonly string[] | void>(
    request: IpamRequest,
    asked: Promise<T>,
  ): Promise<T> {
    const { onAsked } = this.#options;
    try {
      const answer = await asked;
      const isRefused = typeof answer === "object" && "kind" in answer && answer.kind === "refused";
      onAsked(request, isRefused ? "refused" : "done");
      return answer;
    } catch (error) {
      onAsked(request, "failed");
      throw error;
    }
  }

  /** Says after each batch what was seen. Resolves with whether anything was granted. */
  async #inBatches(
    all: readonly Registration[],
    each: (one: Registration) => Promise<void>,
  ): Promise<boolean> {
    for (let at = 0; at < all.length && !this.#isStopped; at += BATCH) {
      const results = await Promise.allSettled(all.slice(at, at + BATCH).map(each));
      this.#options.onSeen();
      const failed = results.find((one) => one.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    }
    return all.some(({ uuid }) => this.sights.get(uuid)?.kind === "granted");
  }
}
