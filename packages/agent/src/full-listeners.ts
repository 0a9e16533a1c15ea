// Says which listeners over UDP have as many sessions as they may: beyond that datagrams get no
// answer, and nginx does not say so. Given what is served and the sessions by service address. A
// listener whose members stand in nginx's file has no address of its own, and is not named.

import type { Address, ListenerResource, ResourceName } from "@fairlead/model";
import { type Clock, type Logger, type Timer, describeError } from "@fairlead/runtime";

import type { ConvergeView } from "./converge-view.ts";

/** What it is made of. */
export interface FullListenersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly view: () => Pick<ConvergeView, "applied">;
  /** Sessions of nginx over UDP by what it speaks from. */
  readonly sessions: () => Promise<ReadonlyMap<Address, number>>;
  /** How many a listener may have that has no limit of its own. */
  readonly sessionsMax: number;
}

/** A session lasts for 20 s of silence at most, so a full one is seen full. In ms. */
const LOOK_MS = 10_000;
/** One that falls below this part of its limit has room again: it is not said at each session. */
const ROOM_SHARE = 0.9;

/** Starts looking, for as long as something is served over UDP. */
export function startTellingFull(options: FullListenersOptions): AsyncDisposable {
  return new Teller(options);
}

class Teller implements AsyncDisposable {
  readonly #options: FullListenersOptions;
  #full: ReadonlySet<ResourceName> = new Set();
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(options: FullListenersOptions) {
    this.#options = options;
    this.#arm();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #arm(): void {
    if (this.#isEnded) return;
    this.#timer = this.#options.clock.setTimer(LOOK_MS, () => {
      this.#looking = this.#look().then(() => this.#arm());
    });
  }

  async #look(): Promise<void> {
    const { view, sessions, log } = this.#options;
    if (view().applied.udpGeneration === undefined) return;
    try {
      this.#judge(await sessions());
      this.#trouble = undefined;
    } catch (error) {
      const trouble = describeError(error);
      if (trouble !== this.#trouble) log.warn({ trouble }, "sessions over UDP cannot be counted");
      this.#trouble = trouble;
    }
  }

  #judge(sessions: ReadonlyMap<Address, number>): void {
    const { view, log } = this.#options;
    const full = new Set<ResourceName>();
    for (const { listener, place } of view().applied.listeners.values()) {
      const count = place === undefined ? undefined : sessions.get(place.service);
      if (listener.protocol !== "udp" || count === undefined) continue;
      const most = this.#mostOf(listener);
      const wasFull = this.#full.has(listener.name);
      if (count < (wasFull ? ROOM_SHARE * most : most)) continue;
      full.add(listener.name);
      if (wasFull) continue;
      const { name, claim } = listener;
      log.warn(
        { listener: name, claim, sessions: count, sessionsMax: most },
        "a listener has as many UDP sessions as it may, further clients get no answer: allow it " +
          "more with the annotation fairlead.io/max-connections, or keep strangers from it with " +
          "loadBalancerSourceRanges",
      );
    }
    for (const name of this.#full) {
      if (full.has(name)) continue;
      log.info({ listener: name }, "a listener has room for UDP sessions again");
    }
    this.#full = full;
  }

  #mostOf({ connectionsMax }: ListenerResource): number {
    return connectionsMax ?? this.#options.sessionsMax;
  }
}
