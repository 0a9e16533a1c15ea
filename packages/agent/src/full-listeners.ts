// Says which listeners over UDP have as many sessions as they may: beyond that datagrams get no
// answer, and nginx does not say so. Given what is served and the sessions by service address. A
// listener whose members stand in nginx's file has no address of its own, and is not named.

import {
  type Address,
  type ListenerResource,
  type Remark,
  type ResourceName,
  claimTitle,
  placeText,
} from "@fairlead/model";
import { type Clock, type Logger, type Timer, describeError } from "@fairlead/runtime";

import type { ConvergeView } from "./converge-view.ts";

/** What it is made of. */
export interface FullListenersOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Sessions of nginx over UDP by what it speaks from. */
  readonly sessions: () => Promise<ReadonlyMap<Address, number>>;
  /** How many a listener may have that has no limit of its own. */
  readonly sessionsMax: number;
}

/** A session lasts for 20 s of silence at most, so a full one is seen full. In ms. */
const LOOK_MS = 10_000;
/** One that falls below this part of its limit has room again: it is not said at each session. */
const ROOM_SHARE = 0.9;

/** What is served now. */
type View = () => Pick<ConvergeView, "applied">;

/** The listeners that are full. */
export interface FullListeners extends AsyncDisposable {
  /** Starts looking, for as long as something is served over UDP. */
  start(view: View): void;
  /** One for each that is full by the last look; the same for as long as it is. */
  remarks(): readonly Remark[];
}

/** Makes it; nothing is looked at before `start`. */
export function createFullListeners(options: FullListenersOptions): FullListeners {
  return new Teller(options);
}

class Teller implements FullListeners {
  readonly #options: FullListenersOptions;
  #view: View | undefined;
  #full: ReadonlyMap<ResourceName, Remark> = new Map();
  #trouble: string | undefined;
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(options: FullListenersOptions) {
    this.#options = options;
  }

  start(view: View): void {
    this.#view = view;
    this.#arm();
  }

  remarks(): readonly Remark[] {
    return [...this.#full.values()];
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
    const { sessions, log } = this.#options;
    const applied = this.#view?.().applied;
    if (applied?.udpGeneration === undefined) return this.#judge(new Map());
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
    const { log } = this.#options;
    const full = new Map<ResourceName, Remark>();
    for (const { listener, place } of this.#view?.().applied.listeners.values() ?? []) {
      const count = place === undefined ? undefined : sessions.get(place.service);
      if (listener.protocol !== "udp" || count === undefined) continue;
      const most = this.#mostOf(listener);
      const wasFull = this.#full.has(listener.name);
      if (count < (wasFull ? ROOM_SHARE * most : most)) continue;
      full.set(listener.name, remarkOf(listener, most));
      if (wasFull) continue;
      const { name, claim } = listener;
      log.warn(
        { listener: name, claim, sessions: count, sessionsMax: most },
        "a listener has as many UDP sessions as it may, further clients get no answer: allow it " +
          "more with the annotation fairlead.io/max-connections, or keep strangers away by a " +
          "firewall in front of it",
      );
    }
    for (const name of this.#full.keys()) {
      if (full.has(name)) continue;
      log.info({ listener: name }, "a listener has room for UDP sessions again");
    }
    this.#full = full;
  }

  #mostOf({ connectionsMax }: ListenerResource): number {
    return connectionsMax ?? this.#options.sessionsMax;
  }
}

/** Without the count: a report is sent when it differs, and sessions come and go. */
function remarkOf(listener: ListenerResource, most: number): Remark {
  const where = `${placeText(listener)} of ${claimTitle(listener.claim)}`;
  return { reason: "ListenerFull", detail: `${where} has the ${most} sessions that it may have` };
}
