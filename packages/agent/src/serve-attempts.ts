// The search for what one nginx can serve: sets of listeners grow from what served before, so that
// one bad listener never keeps the others from being served. Who is bad nginx's checker tells by
// halves, which costs no reload; what only the reload refuses is found by reloads. What could not
// be found out in one pass is left to the next one, and blamed for nothing.

import type { Remark, ResourceName } from "@fairlead/model";

import type { Problem, ServedListener } from "./applied.ts";
import { isSameText } from "./generation-id.ts";
import { type Halving, TRIES_MAX, halve, waitsItsTurn } from "./halve.ts";
import { type RefusedListener, refusalOf, refusedNow } from "./refused-listeners.ts";
import { withMembersOf } from "./served-listeners.ts";
import type { ServedBefore, ServeHere, ServeResult } from "./serve-options.ts";
import { isResting, type Undecided, undecided } from "./undecided.ts";

/** What a search needs. */
export interface AttemptsOptions extends ServeHere {
  /** Whether it listens already, be it in another revision. */
  readonly isListening: (entry: ServedListener) => boolean;
  /** The generation that answers and needs no other in its place. */
  readonly inForce: string | undefined;
  /** Whether nginx has to be started: it may be another one than that which refused something. */
  readonly isStart: boolean;
  /** What was said of the listeners so far; more is said in it. */
  readonly problems: Map<ResourceName, Problem>;
}

/** Checks of one pass: each is a process, and none is a reload. */
const CHECKS_MAX = 40;

/** Where nothing had to be read again. */
const NO_RELOAD = { reloads: 0, reloadMs: 0 };
const WAITS = waitsItsTurn("nginx");

/** Serves as many of these as nginx takes. */
export async function attemptToServe(
  options: AttemptsOptions,
  before: ServedBefore,
  offered: readonly ServedListener[],
): Promise<ServeResult> {
  return await new Attempts(options, before).run(offered);
}

class Attempts {
  readonly #options: AttemptsOptions;
  readonly #before: ServedBefore;
  #served: ReadonlyMap<ResourceName, ServedListener>;
  #generation: string | undefined;
  readonly #refused = new Map<ResourceName, RefusedListener>();
  #isDone = true;
  #reload = NO_RELOAD;
  #tries = 0;
  #checks = 0;
  /** Whether any try was taken. */
  #hasServed = false;
  /** What nginx has no time for: no other part of its file is to blame, and none is tried. */
  #undecided: Undecided | undefined;

  constructor(options: AttemptsOptions, before: ServedBefore) {
    this.#options = options;
    this.#before = before;
    this.#served = before.listeners;
    this.#generation = before.generation;
  }

  async run(offered: readonly ServedListener[]): Promise<ServeResult> {
    const kept = new Map(offered.map((entry) => [entry.listener.name, entry]));
    // What is served already stays in every try; what it became is tried with the fresh ones.
    const base = new Map(
      [...this.#served]
        .filter(([name]) => kept.has(name))
        .map(([name, served]) => [name, withMembersOf(kept.get(name), served)]),
    );
    const { fresh, due, resting } = this.#sorted(offered);
    this.#leave(resting);
    const refused = await this.#try(base, fresh);
    if (refused !== undefined) await this.#search(base, fresh, refused);
    if (due.length > 0) await this.#tryAgain(base, due);
    return {
      listeners: this.#known(offered),
      generation: this.#generation,
      problems: this.#options.problems,
      undecided: this.#undecided,
      refused: this.#refused,
      isDone: this.#isDone && this.#undecided === undefined,
      ...this.#reload,
    };
  }

  /** What is not served yet. */
  #sorted(
    offered: readonly ServedListener[],
  ): Readonly<Record<"fresh" | "due" | "resting", readonly ServedListener[]>> {
    const { isStart, nowMs } = this.#options;
    const ms = nowMs();
    const news = offered.filter(
      (entry) => !isSameText(this.#served.get(entry.listener.name), entry),
    );
    const untilMs = (entry: ServedListener) => refusalOf(this.#before.refused, entry)?.untilMs;
    const isDue = (until: number): boolean => isStart || until <= ms;
    const of = (isOne: (until: number | undefined) => boolean): readonly ServedListener[] =>
      news.filter((entry) => isOne(untilMs(entry)));
    return {
      fresh: of((until) => until === undefined),
      due: of((until) => until !== undefined && isDue(until)),
      resting: of((until) => until !== undefined && !isDue(until)),
    };
  }

  /** Where a generation serves on that an agent before this one made, what listens there is. */
  #known(offered: readonly ServedListener[]): ReadonlyMap<ResourceName, ServedListener> {
    if (this.#generation !== undefined) return this.#served;
    const listening = offered.filter(this.#options.isListening);
    return new Map(listening.map((entry) => [entry.listener.name, entry]));
  }

  /** Tries to add `fresh` to `base`; on success both are served and `base` has grown. */
  async #try(
    base: Map<ResourceName, ServedListener>,
    fresh: readonly ServedListener[],
  ): Promise<Remark | undefined> {
    const all = new Map(base);
    for (const entry of fresh) all.set(entry.listener.name, entry);
    const listeners = [...all.values()];
    const generation = this.#options.generationOf(listeners);
    const { nginx, protocol, renderNginx, nowMs, inForce } = this.#options;
    const last = this.#before.undecided;
    if (generation !== inForce && isResting(last, generation, nowMs())) this.#undecided = last;
    if (this.#undecided !== undefined) return this.#undecided.remark;
    this.#tries += 1;
    const text = renderNginx(listeners, generation, protocol);
    const news = renderNginx(fresh, generation, protocol);
    const begunMs = nowMs();
    const outcome = await nginx.apply(text, generation, news);
    if (outcome.kind === "undecided") this.#ranOut(generation, outcome.remark);
    if (outcome.kind !== "applied") return outcome.remark;
    for (const entry of fresh) base.set(entry.listener.name, entry);
    this.#served = all;
    this.#hasServed = true;
    this.#generation = generation;
    if (outcome.reloaded) this.#reloaded(nowMs() - begunMs);
    return undefined;
  }

  #ranOut(generation: string, remark: Remark): void {
    this.#undecided = undecided(this.#before.undecided, generation, remark, this.#options.nowMs());
  }

  /** What was refused was waited for, and is no measure of the host. */
  #reloaded(tookMs: number): void {
    const { reloads, reloadMs } = this.#reload;
    this.#reload = { reloads: reloads + 1, reloadMs: Math.max(reloadMs, tookMs) };
  }

  /** Of what was refused together, who is to blame is found, and the others are served. */
  async #search(
    base: Map<ResourceName, ServedListener>,
    fresh: readonly ServedListener[],
    refused: Remark,
  ): Promise<void> {
    const left = await (refused.reason === "PortTaken"
      ? this.#withoutTaken(fresh)
      : this.#withoutBad(base, fresh, refused));
    const again = left.length === fresh.length ? refused : await this.#try(base, left);
    if (again !== undefined) await this.#searchByReloads(base, left, again);
    // What is gone must go also where nothing new was taken.
    if (!this.#hasServed && this.#generation !== undefined) await this.#try(base, []);
  }

  async #searchByReloads(
    base: Map<ResourceName, ServedListener>,
    left: readonly ServedListener[],
    refused: Remark,
  ): Promise<void> {
    await this.#halve(left, refused, {
      isSpent: () => this.#undecided !== undefined || this.#tries >= TRIES_MAX,
      offer: (part) => this.#try(base, part),
    });
  }

  /** What listens already goes before what is new, as it was accepted once; of each the halves. */
  async #halve(
    all: readonly ServedListener[],
    refused: Remark,
    ways: Pick<Halving<ServedListener>, "isSpent" | "offer">,
  ): Promise<void> {
    const { isListening } = this.#options;
    const parts = [all.filter(isListening), all.filter((entry) => !isListening(entry))];
    const halving: Halving<ServedListener> = {
      ...ways,
      refuse: (one, remark) => this.#refuse(one, remark),
      leave: (part) => this.#leave(part),
    };
    for (const part of parts.filter(({ length }) => length > 0)) {
      const again = part.length === all.length ? refused : await ways.offer(part);
      if (again !== undefined) await halve(halving, part, again);
    }
  }

  /** Those that the checker takes, or all where it finds nobody. */
  async #withoutBad(
    base: ReadonlyMap<ResourceName, ServedListener>,
    fresh: readonly ServedListener[],
    refused: Remark,
  ): Promise<readonly ServedListener[]> {
    // What is refused without any listener is no listener's fault: a module may be missing.
    const bare = await this.#check(base, []);
    if (bare !== undefined) {
      this.#leave(fresh, bare);
      return [];
    }
    const good: ServedListener[] = [];
    await this.#halve(fresh, refused, {
      isSpent: () => this.#undecided !== undefined || this.#checks >= CHECKS_MAX,
      offer: async (part) => {
        const remark = await this.#check(base, part);
        if (remark === undefined) good.push(...part);
        return remark;
      },
    });
    return good;
  }

  async #check(
    base: ReadonlyMap<ResourceName, ServedListener>,
    part: readonly ServedListener[],
  ): Promise<Remark | undefined> {
    const { nginx, protocol, renderNginx, generationOf } = this.#options;
    this.#checks += 1;
    const generation = generationOf([...base.values(), ...part]);
    const refusal = await nginx.check(renderNginx(part, generation, protocol));
    if (refusal?.kind === "undecided") this.#ranOut(generation, refusal.remark);
    return refusal?.remark;
  }

  /** The word of a probe names the other process, and nginx's does not. */
  async #withoutTaken(fresh: readonly ServedListener[]): Promise<readonly ServedListener[]> {
    const left: ServedListener[] = [];
    for (const entry of fresh) {
      const { isListening, portProbe } = this.#options;
      const taken = isListening(entry) ? undefined : await portProbe.probe(entry.listener);
      if (taken === undefined) left.push(entry);
      else this.#refuse(entry, taken);
    }
    return left;
  }

  /** What was refused before, and may be taken by now. */
  async #tryAgain(
    base: Map<ResourceName, ServedListener>,
    due: readonly ServedListener[],
  ): Promise<void> {
    if (this.#undecided !== undefined) return this.#leave(due);
    const refused = await this.#try(base, due);
    if (refused !== undefined) await this.#search(base, due, refused);
  }

  /** What another process has, it gives back some day; the rest waits for other content. */
  #refuse(entry: ServedListener, remark: Remark): void {
    const { listener, revision } = entry;
    this.#options.problems.set(listener.name, { ...remark, revision });
    if (remark.reason !== "ConfigRejected") this.#isDone = false;
    else this.#refused.set(listener.name, refusedNow(entry, remark, this.#options.nowMs()));
  }

  /** What is known of them stays so; who has nothing to answer for waits for the next pass. */
  #leave(part: readonly ServedListener[], words: Remark = WAITS): void {
    for (const entry of part) {
      const { listener, revision } = entry;
      const known = refusalOf(this.#before.refused, entry);
      if (known !== undefined) this.#refused.set(listener.name, known);
      else this.#isDone = false;
      const remark = known?.remark ?? this.#undecided?.remark ?? words;
      this.#options.problems.set(listener.name, { ...remark, revision });
    }
  }
}
