// How long nobody spoke for a lane before this host took it over: from the last advert of another
// host until the lane's anchor was seen here. Whoever takes over alone can tell, as the one before
// may be dead. Driven by the loop's looks.

import type { DeviceName, LaneReport, LaneResource, ResourceName } from "@fairlead/model";
import { laneAnchor } from "@fairlead/render";
import type { Clock } from "@fairlead/runtime";

import type { Hearing, VrrpListener } from "./ports.ts";
import { remembered } from "./remembered.ts";
import type { LookedAt } from "./sightings.ts";

/** What it is made of. */
export interface TakeoverSilencesOptions {
  readonly clock: Clock;
  readonly vrrp: Pick<VrrpListener, "adverts">;
}

/** By lane that this host took over and has, in ms. */
export type Silences = ReadonlyMap<ResourceName, number>;

/** The memory of what was taken over. */
export interface TakeoverSilences {
  /** Takes a look, begins to read as needed, and says what is known. Never blocks. */
  look(input: LookedAt): Silences;
}

/** Makes it; what the first look finds held was not taken over since. */
export function createTakeoverSilences(options: TakeoverSilencesOptions): TakeoverSilences {
  return new Taking(options);
}

/** These lanes with what is known of their takeover; the same object where nothing is. */
export function withSilences(
  lanes: readonly LaneReport[],
  silences: Silences,
): readonly LaneReport[] {
  if (silences.size === 0) return lanes;
  return lanes.map((lane) => {
    const silenceMs = lane.state === "holder" ? silences.get(lane.name) : undefined;
    return silenceMs === undefined ? lane : { ...lane, silenceMs };
  });
}

/** A lane that came, and when it was first seen here. */
interface Taken {
  readonly routerId: number;
  readonly link: DeviceName;
  readonly atMs: number;
}

class Taking implements TakeoverSilences {
  readonly #options: TakeoverSilencesOptions;
  readonly #lanesHere = remembered(lanesHere);
  /** Those of the last look; undefined before the first one. */
  #here: ReadonlyMap<ResourceName, LaneResource> | undefined;
  /** Of which no advert was read since they came. */
  readonly #taken = new Map<ResourceName, Taken>();
  #silences: Silences = new Map();

  constructor(options: TakeoverSilencesOptions) {
    this.#options = options;
  }

  look({ wanted, kernel }: LookedAt): Silences {
    const here = this.#lanesHere(wanted, kernel.addresses);
    if (here !== this.#here) this.#follow(here);
    if (this.#taken.size > 0) this.#read();
    return this.#silences;
  }

  #follow(here: ReadonlyMap<ResourceName, LaneResource>): void {
    const before = this.#here;
    this.#here = here;
    const atMs = this.#options.clock.nowMs();
    const known = new Map(this.#silences);
    for (const name of [...this.#taken.keys(), ...known.keys()]) {
      if (here.has(name)) continue;
      this.#taken.delete(name);
      known.delete(name);
    }
    for (const [name, { routerId, link }] of before === undefined ? [] : here) {
      if (!before?.has(name)) this.#taken.set(name, { routerId, link, atMs });
    }
    this.#silences = known;
  }

  #read(): void {
    const { clock, vrrp } = this.#options;
    const firstMs = Math.min(...Array.from(this.#taken.values(), ({ atMs }) => atMs));
    const hearing = vrrp.adverts(clock.nowMs() - firstMs);
    if (hearing === undefined) return;
    const found = new Map<ResourceName, number>();
    for (const [name, taken] of this.#taken) {
      if (hearing.readMs < taken.atMs) continue;
      this.#taken.delete(name);
      const lastMs = lastAdvertMs(taken, hearing);
      // A new lane: nobody had it before.
      if (lastMs !== undefined) found.set(name, Math.max(0, Math.round(taken.atMs - lastMs)));
    }
    if (found.size > 0) this.#silences = new Map([...this.#silences, ...found]);
  }
}

/** When another host spoke for the lane last: what a host says itself does not come in. */
function lastAdvertMs({ routerId, link }: Taken, { adverts }: Hearing): number | undefined {
  const own = adverts.filter((one) => one.routerId === routerId && one.link === link);
  return own.length === 0 ? undefined : Math.max(...own.map(({ lastMs }) => lastMs));
}

/** Lanes of the plan whose anchors the host has. */
function lanesHere(
  wanted: LookedAt["wanted"],
  addresses: LookedAt["kernel"]["addresses"],
): ReadonlyMap<ResourceName, LaneResource> {
  const has = new Set(addresses.map(({ address }) => address));
  const lanes = new Map<ResourceName, LaneResource>();
  for (const resource of wanted?.plan.resources.values() ?? []) {
    if (resource.kind !== "lane" || !has.has(laneAnchor(resource).address)) continue;
    lanes.set(resource.name, resource);
  }
  return lanes;
}
