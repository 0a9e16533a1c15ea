// Ends what is left of members that were removed. Given the table of members, which it hands on as
// it is, and the flows that came of it: after a filling that took somebody away, and when a drain
// time is over, it lists the flows and ends those whose time is up. What fails is tried again.

import { type Address, changedKeys } from "@fairlead/model";
import { type Clock, type Logger, type Pace, createPace, describeError } from "@fairlead/runtime";

import type { MemberFlows, MemberTable, PlacedMembers } from "./member-ports.ts";
import {
  type FlowOwner,
  type FlowOwners,
  type StrayTimes,
  flowOwner,
  judgeFlows,
  withoutMembers,
} from "./stray-flows.ts";

/** What it is made of. */
export interface MemberEndingsOptions {
  readonly table: MemberTable;
  readonly flows: MemberFlows;
  readonly clock: Clock;
  readonly log: Logger;
}

/** UDP ends with its member, so the first look comes at once; a burst is looked at each second. */
const QUIET_MS = 20;
const GAP_MS = 1000;
/** What was ended is looked for once more, and what failed is tried again, in ms. */
const AGAIN_MS = 10_000;

/** The table, after whose fillings connections to those who went end in their time. */
export function createMemberEndings(options: MemberEndingsOptions): MemberTable {
  return new Endings(options);
}

type Placed = ReadonlyMap<Address, PlacedMembers>;

class Endings implements MemberTable {
  readonly #options: MemberEndingsOptions;
  readonly #looks: Pace;
  /** What the table was filled with last, by service address. */
  #filled: Placed = new Map();
  /** What it is being filled with: the kernel has the one or the other. */
  #filling: Placed = new Map();
  /** Of listeners that went while they had flows. */
  #gone = new Map<Address, FlowOwner>();
  #times: StrayTimes = new Map();
  #isFilled = false;
  #trouble: string | undefined;

  constructor(options: MemberEndingsOptions) {
    this.#options = options;
    this.#looks = createPace({
      clock: options.clock,
      quietMs: QUIET_MS,
      maxWaitMs: QUIET_MS,
      gapMs: GAP_MS,
      run: () => this.#look(),
      onError: (error) => this.#fail(error),
    });
  }

  place(listeners: Parameters<MemberTable["place"]>[0]): ReturnType<MemberTable["place"]> {
    return this.#options.table.place(listeners);
  }

  async fill(listeners: Placed): Promise<void> {
    this.#filling = listeners;
    await this.#options.table.fill(listeners);
    const before = this.#filled;
    this.#filled = listeners;
    // The first one shows whom earlier lives of the agent left behind.
    let isNews = !this.#isFilled;
    this.#isFilled = true;
    for (const service of changedKeys(before, listeners)) {
      const [was, is] = [before.get(service), listeners.get(service)];
      if (is !== undefined) this.#gone.delete(service);
      else if (was !== undefined) this.#gone.set(service, withoutMembers(flowOwner([was])));
      isNews ||= was !== undefined && (is === undefined || mayEnd(was, is));
    }
    if (isNews) this.#looks.poke();
  }

  get isLost(): boolean {
    return this.#options.table.isLost;
  }

  onDrift(listener: () => void): Disposable {
    return this.#options.table.onDrift(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looks[Symbol.asyncDispose]();
    await this.#options.flows[Symbol.asyncDispose]();
    await this.#options.table[Symbol.asyncDispose]();
  }

  async #look(): Promise<void> {
    const { flows, clock, log } = this.#options;
    const listed = await flows.list();
    // As it is now: a filling may have come while the kernel listed.
    const owners = this.#owners(new Set(listed.map(({ service }) => service)));
    const nowMs = clock.nowMs();
    const judged = judgeFlows(listed, { owners, times: this.#times, nowMs });
    this.#times = judged.times;
    for (const service of this.#gone.keys()) {
      if (!judged.owners.has(service)) this.#gone.delete(service);
    }
    if (judged.over.length > 0) {
      await flows.end(judged.over);
      log.info({ count: judged.over.length }, "ended connections to members that were removed");
    }
    this.#trouble = undefined;
    const againMs = judged.over.length > 0 ? AGAIN_MS : Number.POSITIVE_INFINITY;
    const nextMs = judged.nextMs ?? Number.POSITIVE_INFINITY;
    this.#looks.pokeIn(Math.min(nextMs - nowMs, againMs));
  }

  #owners(services: ReadonlySet<Address>): FlowOwners {
    const owners = new Map<Address, FlowOwner>();
    for (const service of services) {
      const entries = [this.#filled.get(service), this.#filling.get(service)];
      const known = entries.filter((entry) => entry !== undefined);
      const owner = known.length > 0 ? flowOwner(known) : this.#gone.get(service);
      if (owner !== undefined) owners.set(service, owner);
    }
    return owners;
  }

  #fail(error: unknown): void {
    const trouble = describeError(error);
    if (trouble !== this.#trouble) {
      const what = "connections to members that were removed are not ended yet";
      this.#options.log.warn({ trouble }, what);
    }
    this.#trouble = trouble;
    this.#looks.pokeIn(AGAIN_MS);
  }
}

/** Whether somebody went, or those who went earlier have another time. */
function mayEnd(before: PlacedMembers, after: PlacedMembers): boolean {
  if (before.listener.drainTimeoutMs !== after.listener.drainTimeoutMs) return true;
  if (before.membersRevision === after.membersRevision) return false;
  const { members } = flowOwner([after]);
  return [...flowOwner([before]).members].some((member) => !members.has(member));
}
