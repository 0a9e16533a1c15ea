// Hands the listeners to nginx: what is taken by others is left out and named first; what the
// daemon then refuses is found by halving, so that one bad listener never keeps the others from
// being served. What was served before and is refused now stays as it was.

import type { ListenerResource, Remark, ResourceName } from "@fairlead/model";

import type { Applied, Problem, ServedListener } from "./applied.ts";
import { upstreamKey } from "./generation-id.ts";
import type { NginxDaemon, PortProbe } from "./ports.ts";

/** Tries of one pass to find what a daemon refuses; each may cost a reload. */
const TRIES_MAX = 16;

/** What serving needs. */
export interface ServeOptions {
  readonly nginx: NginxDaemon;
  readonly portProbe: PortProbe;
  readonly renderNginx: (listeners: readonly ServedListener[], generation: string) => string;
  /** Wishes of a listener that this daemon does not do; it serves without them. */
  readonly nginxRefusals: (listener: ListenerResource) => readonly Remark[];
  /** Id of the generation that serves exactly these: equal for equal content. */
  readonly generationOf: (listeners: readonly ServedListener[]) => string;
}

/** What is served after the step. */
export interface ServeResult {
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  readonly generation: string | undefined;
  readonly problems: ReadonlyMap<ResourceName, Problem>;
  readonly reloads: number;
}

/** Makes nginx serve `wanted`, as far as it can be had. */
export async function serveListeners(
  options: ServeOptions,
  wanted: readonly ServedListener[],
  before: Applied,
): Promise<ServeResult> {
  const problems = new Map<ResourceName, Problem>();
  const offered: ServedListener[] = [];
  const answering = await answeringNow(options.nginx, before);
  for (const entry of wanted) {
    const taken = await probe(options, entry.listener, { before, answering });
    const remark = taken ?? options.nginxRefusals(entry.listener)[0];
    if (taken === undefined) offered.push(entry);
    if (remark === undefined) continue;
    problems.set(entry.listener.name, { ...remark, revision: entry.revision });
  }
  return await new Attempts(options, before, problems).run(offered);
}

/**
 * The generation that answers. One that should and does not, without a worker, is stopped first: it
 * may be starting again and again because somebody took a port of it, and holds the others.
 */
async function answeringNow(nginx: NginxDaemon, before: Applied): Promise<string | undefined> {
  const answering = await nginx.generation();
  if (answering !== undefined || before.generation === undefined) return answering;
  if ((await nginx.generationsAlive()) === 0) await nginx.stop();
  return undefined;
}

/** A port is tried only where nginx of ours cannot be the one that has it already. */
async function probe(
  options: ServeOptions,
  listener: ListenerResource,
  known: { readonly before: Applied; readonly answering: string | undefined },
): Promise<Remark | undefined> {
  const isFirstPass = known.before.generation === undefined;
  const isOurs = isFirstPass || known.before.listeners.has(listener.name);
  if (isOurs && known.answering !== undefined) return undefined;
  return await options.portProbe.probe(listener);
}

/** The search for what can be served: sets grow from what served before. */
class Attempts {
  readonly #options: ServeOptions;
  readonly #problems: Map<ResourceName, Problem>;
  #served: ReadonlyMap<ResourceName, ServedListener>;
  #generation: string | undefined;
  #reloads = 0;
  #tries = 0;

  constructor(options: ServeOptions, before: Applied, problems: Map<ResourceName, Problem>) {
    this.#options = options;
    this.#problems = problems;
    this.#served = before.listeners;
    this.#generation = before.generation;
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
    if (refused !== undefined) await this.#halve(base, fresh, refused);
    return {
      listeners: this.#served,
      generation: this.#generation,
      problems: this.#problems,
      reloads: this.#reloads,
    };
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
    this.#tries += 1;
    const all = new Map(base);
    for (const entry of fresh) all.set(entry.listener.name, entry);
    const listeners = [...all.values()];
    const generation = this.#options.generationOf(listeners);
    const text = this.#options.renderNginx(listeners, generation);
    const outcome = await this.#options.nginx.apply(text, generation);
    if (outcome.kind === "refused") return outcome.remark;
    for (const entry of fresh) base.set(entry.listener.name, entry);
    this.#served = all;
    this.#generation = generation;
    if (outcome.reloaded) this.#reloads += 1;
    return undefined;
  }

  async #halve(
    base: Map<ResourceName, ServedListener>,
    fresh: readonly ServedListener[],
    remark: Remark,
  ): Promise<void> {
    if (fresh.length <= 1 || this.#tries >= TRIES_MAX) {
      for (const { listener, revision } of fresh) {
        this.#problems.set(listener.name, { ...remark, revision });
      }
      return;
    }
    const middle = Math.ceil(fresh.length / 2);
    for (const half of [fresh.slice(0, middle), fresh.slice(middle)]) {
      const refused = await this.#try(base, half);
      if (refused !== undefined) await this.#halve(base, half, refused);
    }
  }
}

/** Members in the kernel's table change beside nginx: only what its file says stays as it was. */
function withMembersOf(wanted: ServedListener | undefined, served: ServedListener): ServedListener {
  if (wanted === undefined || served.place === undefined) return served;
  if (wanted.place?.service !== served.place.service) return served;
  const { members, membersRevision } = wanted;
  return { ...served, members, membersRevision };
}
