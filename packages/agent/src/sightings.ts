// What this host sees of addresses that others hold: it asks for each from time to time, a bounded
// number a second, and for one of a lane soon after its holder changed. Driven by the loop's looks.
// What is seen counts when two answers agree, so that a takeover under way is not told as trouble.

import type { Address, AgentName, DeviceName, LaneResource, ResourceName } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { AcceptedPlan, KernelView, SegmentSight, Sighted } from "./ports.ts";
import { remembered } from "./remembered.ts";

/** An address is asked for about this often, or more seldom where there are many, in ms. */
export const INTERVAL_MS = 10_000;
/** Questions a second on the long run: a thousand addresses cost a thousandth of a core. */
export const RATE_PER_S = 25;
/** Questions of one go. */
export const BATCH_MAX = 128;
/** An answer that is news is asked for again after this long, in ms. */
const CONFIRM_MS = 1000;
/** What is due within this time goes along, in ms. */
const ALONG_MS = 2500;
/** Intervals without an answer of the asker itself after which nothing is known any more. */
const INTERVALS_MAX = 3;

/** What one look knows. */
export interface LookedAt {
  readonly wanted: AcceptedPlan | undefined;
  readonly kernel: KernelView;
}

/** What it is made of. */
export interface SightingsOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1): hosts shall not ask in step. */
  readonly random: () => number;
  readonly sight: SegmentSight;
}

/** The memory of what was seen. */
export interface Sightings {
  /** Takes a look, begins to ask for what is due, and says what counts by now. Never blocks. */
  look(input: LookedAt): ReadonlyMap<Address, Sighted>;
}

/** Makes it; nothing was seen yet. */
export function createSightings(options: SightingsOptions): Sightings {
  return new Seeing(options);
}

interface Target {
  readonly address: Address;
  readonly lane: LaneResource;
  readonly link: DeviceName;
}

interface Entry {
  readonly target: Target;
  readonly holder: AgentName | undefined;
  dueMs: number;
  /** When the segment was last asked for it. */
  askedMs: number;
  /** The last answer, which counts when the next one is the same. */
  last?: Sighted;
  said?: Sighted;
}

class Seeing implements Sightings {
  readonly #options: SightingsOptions;
  readonly #entries = new Map<Address, Entry>();
  #said: ReadonlyMap<Address, Sighted> = new Map();
  readonly #holders = new Map<ResourceName, AgentName | undefined>();
  /** Whether an entry came, went, or says something else since all were gathered. */
  #isNews = false;
  #isAsking = false;
  readonly #targetsOf = remembered(targetsOf);
  #targets: ReadonlyMap<Address, Target> = new Map();
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(options: SightingsOptions) {
    this.#options = options;
  }

  look(input: LookedAt): ReadonlyMap<Address, Sighted> {
    const nowMs = this.#options.clock.nowMs();
    const targets = this.#targetsOf(input.wanted, input.kernel);
    if (targets !== this.#targets) this.#follow(targets, nowMs);
    this.#targets = targets;
    if (!this.#isAsking && nowMs >= this.#nextMs) this.#askDue(nowMs);
    return this.#allSaid();
  }

  /** The same map while all say what they said: who reads it need not read it again. */
  #allSaid(): ReadonlyMap<Address, Sighted> {
    if (!this.#isNews) return this.#said;
    this.#isNews = false;
    const said = new Map<Address, Sighted>();
    let isNews = false;
    for (const [address, entry] of this.#entries) {
      if (entry.said === undefined) continue;
      said.set(address, entry.said);
      isNews ||= this.#said.get(address) !== entry.said;
    }
    if (isNews || said.size !== this.#said.size) this.#said = said;
    return this.#said;
  }

  /** One of each lane that has a new holder is due at once, the others in their time. */
  #follow(targets: ReadonlyMap<Address, Target>, nowMs: number): void {
    this.#isNews = true;
    for (const address of this.#entries.keys()) {
      if (!targets.has(address)) this.#entries.delete(address);
    }
    const first = new Set<ResourceName>();
    for (const target of targets.values()) {
      const { name, holder } = target.lane;
      const known = this.#entries.get(target.address);
      if (known?.holder === holder && known?.target.lane.name === name) continue;
      const isFirst = !first.has(name) && this.#holders.get(name) !== holder;
      if (isFirst) first.add(name);
      const waitMs = isFirst ? 0 : this.#options.random() * this.#intervalMs(targets.size);
      const dueMs = nowMs + waitMs;
      this.#entries.set(target.address, { target, holder, dueMs, askedMs: nowMs });
      if (isFirst) this.#nextMs = Math.min(this.#nextMs, nowMs);
    }
    for (const { lane } of targets.values()) this.#holders.set(lane.name, lane.holder);
  }

  #intervalMs(count: number): number {
    return Math.max(INTERVAL_MS, (count / RATE_PER_S) * 1000);
  }

  #askDue(nowMs: number): void {
    const soon: Entry[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.dueMs <= nowMs + ALONG_MS) soon.push(entry);
    }
    const batch = soon.sort((a, b) => a.dueMs - b.dueMs).slice(0, BATCH_MAX);
    const [soonest] = batch;
    if (soonest === undefined || soonest.dueMs > nowMs) return;
    this.#isAsking = true;
    this.#nextMs = nowMs + (batch.length / RATE_PER_S) * 1000;
    void this.#ask(batch).finally(() => (this.#isAsking = false));
  }

  async #ask(batch: readonly Entry[]): Promise<void> {
    const byLink = Map.groupBy(batch, ({ target }) => target.link);
    for (const [link, entries] of byLink) {
      const addresses = entries.map(({ target }) => target.address);
      // Who cannot ask sees nothing; what he saw is forgotten after a while.
      const seen = await this.#options.sight.see(link, addresses).catch(() => NOTHING);
      const nowMs = this.#options.clock.nowMs();
      for (const entry of entries) this.#take(entry, seen.get(entry.target.address), nowMs);
    }
  }

  #take(entry: Entry, seen: Sighted | undefined, nowMs: number): void {
    const intervalMs = this.#intervalMs(this.#entries.size);
    entry.dueMs = nowMs + intervalMs * (0.9 + 0.2 * this.#options.random());
    if (seen === undefined) {
      if (nowMs - entry.askedMs < INTERVALS_MAX * intervalMs) return;
      delete entry.said;
      delete entry.last;
      this.#isNews = true;
      return;
    }
    entry.askedMs = nowMs;
    if (entry.last?.mac === seen.mac && entry.said?.mac !== seen.mac) {
      entry.said = seen;
      this.#isNews = true;
    } else if (entry.said?.mac !== seen.mac) entry.dueMs = nowMs + CONFIRM_MS;
    entry.last = seen;
  }
}

const NOTHING: ReadonlyMap<Address, Sighted> = new Map();

/** Addresses that another agent holds by the plan, and this host does not, on links that are up. */
function targetsOf(
  wanted: AcceptedPlan | undefined,
  kernel: KernelView,
): ReadonlyMap<Address, Target> {
  const targets = new Map<Address, Target>();
  if (wanted === undefined) return targets;
  const { agent, resources } = wanted.plan;
  const isUp = new Set(kernel.links.filter(({ up }) => up).map(({ name }) => name));
  const here = new Set(kernel.addresses.map(({ address }) => address));
  for (const vip of resources.values()) {
    if (vip.kind !== "vip" || vip.carrier.kind !== "lane" || here.has(vip.address)) continue;
    const lane = resources.get(vip.carrier.resource);
    if (lane?.kind !== "lane" || lane.holder === undefined || lane.holder === agent) continue;
    if (!isUp.has(lane.link)) continue;
    targets.set(vip.address, { address: vip.address, lane, link: lane.link });
  }
  return targets;
}
