// Hands the listeners to nginx: what is taken by others is left out and named first; what the
// daemon then refuses is found by halving, so that one bad listener never keeps the others from
// being served. What was served before and is refused now stays as it was. Where the daemon does
// not decide in its time, that is nobody's fault: all stays as it was, and nothing more is tried.

import type { ListenerResource, Remark, ResourceName } from "@fairlead/model";

import type { Applied, Problem, ServedListener } from "./applied.ts";
import { upstreamKey } from "./generation-id.ts";
import { type Halving, TRIES_MAX, halve } from "./halve.ts";
import { placeOf } from "./listen-place.ts";
import type { NginxDaemon, PortProbe } from "./ports.ts";
import { type AnsweringGeneration, restoreServed } from "./restore-served.ts";
import { withMembersOf } from "./served-listeners.ts";
import type { Step } from "./steps.ts";
import { isResting, type Undecided, undecided } from "./undecided.ts";

/** What serving needs. */
export interface ServeOptions {
  /** The instance for TCP. */
  readonly nginx: NginxDaemon;
  /** The instance for UDP; it runs only while something is served there. */
  readonly nginxUdp: NginxDaemon;
  readonly portProbe: PortProbe;
  /** The file of the instance for one protocol. */
  readonly renderNginx: (
    listeners: readonly ServedListener[],
    generation: string,
    protocol: Protocol,
  ) => string;
  /** Wishes of a listener that this daemon does not do; it serves without them. */
  readonly nginxRefusals: (listener: ListenerResource) => readonly Remark[];
  /** Id of the generation that serves exactly these: equal for equal content. */
  readonly generationOf: (listeners: readonly ServedListener[]) => string;
}

/** What serving needs, with monotonic ms. */
type TimedOptions = ServeOptions & { readonly nowMs: () => number };

type Protocol = ListenerResource["protocol"];

/** What is served after the step. */
export interface ServeResult {
  /** Of this protocol and of the other one. */
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  /** Of this protocol. */
  readonly generation: string | undefined;
  /** The instance of this protocol was ended, as nothing is to be served. */
  readonly ended?: true;
  readonly problems: ReadonlyMap<ResourceName, Problem>;
  /** What nginx had no time for. */
  readonly undecided: Undecided | undefined;
  readonly reloads: number;
  /** How long the longest reload took that came to something, in ms; 0 without any. */
  readonly reloadMs: number;
}

/** Where nothing had to be read again. */
const NO_RELOAD = { reloads: 0, reloadMs: 0 };

/** What the instance of one protocol served before. */
interface Before {
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  readonly generation: string | undefined;
  readonly undecided: Undecided | undefined;
}

/** Makes the nginx of a protocol serve `wanted`, as far as it can be had. */
export async function serveListeners(
  options: TimedOptions,
  { protocol, listeners: wanted }: Extract<Step, { kind: "serve" }>,
  applied: Applied,
): Promise<ServeResult> {
  const nginx = protocol === "udp" ? options.nginxUdp : options.nginx;
  const listeners = [...applied.listeners];
  const others = listeners.filter(([, { listener }]) => listener.protocol !== protocol);
  if (protocol === "udp" && wanted.length === 0) {
    await nginx.end();
    const none = { generation: undefined, problems: new Map<ResourceName, Problem>() };
    return { ...none, ...NO_RELOAD, ended: true, undecided: undefined, listeners: new Map(others) };
  }
  const generation = protocol === "udp" ? applied.udpGeneration : applied.generation;
  const own = listeners.filter(([, { listener }]) => listener.protocol === protocol);
  const slow = applied.undecided.get(protocol);
  const before = { listeners: new Map(own), generation, undecided: slow };
  const served = await serveHere({ ...options, nginx, protocol }, wanted, before);
  return { ...served, listeners: new Map([...others, ...served.listeners]) };
}

/** Serving with the one instance `nginx`. */
type Here = TimedOptions & { readonly protocol: Protocol };

async function serveHere(
  options: Here,
  wanted: readonly ServedListener[],
  remembered: Before,
): Promise<ServeResult> {
  const { nginx } = options;
  const problems = new Map<ResourceName, Problem>();
  const offered: ServedListener[] = [];
  const answering = await answeringNow(nginx, remembered);
  const before = restored(options, wanted, remembered, answering);
  // A port is tried only where nginx of ours cannot be the one that has it already.
  const isListening = ({ listener }: ServedListener): boolean =>
    answering !== undefined &&
    (before.listeners.has(listener.name) || answering.places.has(placeOf(listener)));
  for (const entry of wanted) {
    const taken = isListening(entry) ? undefined : await options.portProbe.probe(entry.listener);
    const remark = taken ?? options.nginxRefusals(entry.listener)[0];
    if (taken === undefined) offered.push(entry);
    if (remark === undefined) continue;
    problems.set(entry.listener.name, { ...remark, revision: entry.revision });
  }
  // One that miscounts is handed over again, and has to rest as any other.
  const isMiscounting =
    before.undecided !== undefined && (await nginx.generationsAlive()).some((one) => one.miscounts);
  const inForce = isMiscounting ? undefined : answering?.id;
  return await new Attempts({ ...options, isListening, inForce }, before, problems).run(offered);
}

/**
 * The generation that answers, or has workers that have no time to: its ports are its own all the
 * same. One that should and has none is stopped first: it may be starting again and again because
 * somebody took a port of it, and holds the others.
 */
async function answeringNow(
  nginx: NginxDaemon,
  before: Before,
): Promise<AnsweringGeneration | undefined> {
  const id = await nginx.generation();
  const isFirstPass = before.generation === undefined;
  const alive = id === undefined ? await nginx.generationsAlive() : [];
  if (id !== undefined || alive.some(({ isServing }) => isServing)) {
    return { id, places: isFirstPass ? await nginx.places() : new Set() };
  }
  if (!isFirstPass && alive.length === 0) await nginx.stop();
  return undefined;
}

/** An agent that has just started serves what the one before it served. */
function restored(
  { generationOf }: Here,
  wanted: readonly ServedListener[],
  before: Before,
  answering: AnsweringGeneration | undefined,
): Before {
  if (before.generation !== undefined) return before;
  const nothing = { ...before, listeners: new Map() };
  if (answering === undefined) return nothing;
  const listeners = restoreServed(wanted, answering, generationOf);
  return listeners.size === 0 ? nothing : { ...before, listeners, generation: answering.id };
}

interface AttemptsOptions extends Here {
  /** Whether it listens already, be it in another revision. */
  readonly isListening: (entry: ServedListener) => boolean;
  /** The generation that answers and needs no other in its place. */
  readonly inForce: string | undefined;
}

/** The search for what can be served: sets grow from what served before. */
class Attempts {
  readonly #options: AttemptsOptions;
  readonly #problems: Map<ResourceName, Problem>;
  #served: ReadonlyMap<ResourceName, ServedListener>;
  #generation: string | undefined;
  #reload = NO_RELOAD;
  #tries = 0;
  /** Whether any try was taken. */
  #hasServed = false;
  /** What nginx had no time for before. */
  readonly #before: Undecided | undefined;
  /** The same now: no other part of its file is to blame, and none is tried. */
  #undecided: Undecided | undefined;

  constructor(options: AttemptsOptions, before: Before, problems: Map<ResourceName, Problem>) {
    this.#options = options;
    this.#problems = problems;
    this.#served = before.listeners;
    this.#generation = before.generation;
    this.#before = before.undecided;
  }

  async run(offered: readonly ServedListener[]): Promise<ServeResult> {
    const kept = new Map(offered.map((entry) => [entry.listener.name, entry]));
    const fresh = offered.filter((entry) => !this.#isServed(entry));
    // What is served already stays in every try; what it became is tried with the fresh ones.
    const base = new Map(
      [...this.#served]
        .filter(([name]) => kept.has(name))
        .map(([name, served]) => [name, withMembersOf(kept.get(name), served)]),
    );
    const refused = await this.#try(base, fresh);
    if (refused !== undefined) await this.#search(base, fresh, refused);
    return {
      listeners: this.#known(offered),
      generation: this.#generation,
      problems: this.#problems,
      undecided: this.#undecided,
      ...this.#reload,
    };
  }

  /** Where a generation serves on that an agent before this one made, what listens there is. */
  #known(offered: readonly ServedListener[]): ReadonlyMap<ResourceName, ServedListener> {
    if (this.#generation !== undefined) return this.#served;
    const listening = offered.filter(this.#options.isListening);
    return new Map(listening.map((entry) => [entry.listener.name, entry]));
  }

  #isServed(entry: ServedListener): boolean {
    const served = this.#served.get(entry.listener.name);
    if (served?.revision !== entry.revision) return false;
    return upstreamKey(served) === upstreamKey(entry);
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
    const rests = generation !== inForce && isResting(this.#before, generation, nowMs());
    if (rests) this.#undecided = this.#before;
    if (this.#undecided !== undefined) return this.#undecided.remark;
    this.#tries += 1;
    const text = renderNginx(listeners, generation, protocol);
    const news = renderNginx(fresh, generation, protocol);
    const begunMs = nowMs();
    const outcome = await nginx.apply(text, generation, news);
    if (outcome.kind === "undecided") {
      this.#undecided = undecided(this.#before, generation, outcome.remark, nowMs());
    }
    if (outcome.kind !== "applied") return outcome.remark;
    for (const entry of fresh) base.set(entry.listener.name, entry);
    this.#served = all;
    this.#hasServed = true;
    this.#generation = generation;
    if (outcome.reloaded) this.#reloaded(nowMs() - begunMs);
    return undefined;
  }

  /** What was refused was waited for, and is no measure of the host. */
  #reloaded(tookMs: number): void {
    const { reloads, reloadMs } = this.#reload;
    this.#reload = { reloads: reloads + 1, reloadMs: Math.max(reloadMs, tookMs) };
  }

  /**
   * Of what was refused together, who lost its port to another process is found by trying; what
   * listens already goes before what is new, as it was accepted once; of each the halves are tried.
   */
  async #search(
    base: Map<ResourceName, ServedListener>,
    fresh: readonly ServedListener[],
    refused: Remark,
  ): Promise<void> {
    const left = refused.reason === "PortTaken" ? await this.#withoutTaken(fresh) : fresh;
    const { isListening } = this.#options;
    const parts = [left.filter(isListening), left.filter((entry) => !isListening(entry))];
    const halving: Halving<ServedListener> = {
      isSpent: () => this.#undecided !== undefined || this.#tries >= TRIES_MAX,
      offer: (part) => this.#try(base, part),
      refuse: (part, remark) => this.#refuse(part, remark),
    };
    for (const part of parts.filter(({ length }) => length > 0)) {
      const again = part.length === fresh.length ? refused : await this.#try(base, part);
      if (again !== undefined) await halve(halving, part, again);
    }
    // What is gone must go also where nothing new was taken.
    if (!this.#hasServed && this.#generation !== undefined) await this.#try(base, []);
  }

  /** The word of a probe names the other process, and nginx's does not. */
  async #withoutTaken(fresh: readonly ServedListener[]): Promise<readonly ServedListener[]> {
    const left: ServedListener[] = [];
    for (const entry of fresh) {
      const { isListening, portProbe } = this.#options;
      const taken = isListening(entry) ? undefined : await portProbe.probe(entry.listener);
      if (taken === undefined) left.push(entry);
      else this.#refuse([entry], taken);
    }
    return left;
  }

  #refuse(left: readonly ServedListener[], remark: Remark): void {
    for (const { listener, revision } of left) {
      this.#problems.set(listener.name, { ...remark, revision });
    }
  }
}
