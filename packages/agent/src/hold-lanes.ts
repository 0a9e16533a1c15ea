// Hands the lanes to keepalived: what it refuses is found by halving, so that one bad lane never
// keeps the others from being held. A lane that was held before and is refused now stays as it was,
// with its VIPs. Given what is wanted, what is held and what was refused by itself in the last
// pass: the search goes on from there, so that in the end each was offered.

import type {
  Address,
  LaneResource,
  Remark,
  ResourceName,
  Revision,
  VipResource,
} from "@fairlead/model";

import type { Applied, HeldLane } from "./applied.ts";
import { type Halving, TRIES_MAX, halve, waitsItsTurn } from "./halve.ts";
import type { KeepalivedDaemon } from "./ports.ts";

/** A keepalived file with the number of VIPs in it. */
export interface KeepalivedText {
  readonly text: string;
  readonly vipCount: number;
}

/** What holding needs. */
export interface HoldOptions {
  readonly keepalived: Pick<KeepalivedDaemon, "apply" | "alive" | "expect">;
  readonly renderKeepalived: (
    lanes: readonly LaneResource[],
    vips: readonly VipResource[],
    udpLanes: ReadonlySet<ResourceName>,
  ) => KeepalivedText;
}

/** What is wanted of keepalived. */
export interface WantedLanes {
  readonly lanes: readonly LaneResource[];
  readonly vips: readonly VipResource[];
  /** Of the lanes, those whose VIPs have listeners over UDP. */
  readonly udpLanes: ReadonlySet<ResourceName>;
  /** Whether keepalived reads its file again even when it is the same. */
  readonly rereads: boolean;
  /** Lanes that it refused in the last pass, with its words: they are offered after the others. */
  readonly suspects: ReadonlyMap<ResourceName, Remark>;
}

/** What keepalived carries after the step. */
export interface HoldResult {
  /** By name; of the wanted ones those that are refused are here as they were before, if at all. */
  readonly held: ReadonlyMap<ResourceName, HeldLane>;
  /**
   * Why each lane is not held that is wanted otherwise: keepalived's words, or that it waits. First
   * those that were not offered by themselves, which come first the next time.
   */
  readonly refused: ReadonlyMap<ResourceName, Remark>;
  readonly reloaded: boolean;
}

const WAITS = waitsItsTurn("keepalived");

/** Makes keepalived carry the wanted lanes, as far as it takes them. */
export async function holdLanes(
  options: HoldOptions,
  wanted: WantedLanes,
  before: ReadonlyMap<ResourceName, HeldLane>,
): Promise<HoldResult> {
  return await new Attempts(options, wanted, before).run();
}

/** What a daemon refused by these problems of the last pass, and is wanted as it was. */
export function suspectsOf(
  problems: Applied["problems"],
  revisions: ReadonlyMap<ResourceName, Revision>,
): WantedLanes["suspects"] {
  return new Map(
    [...problems].filter(
      ([name, { reason, revision }]) =>
        reason === "ConfigRejected" && revision === revisions.get(name),
    ),
  );
}

/** Tells keepalived what `holdLanes` will most likely hand over, so that it is checked by then. */
export function expectLanes(
  options: HoldOptions,
  wanted: WantedLanes,
  before: ReadonlyMap<ResourceName, HeldLane>,
): void {
  new Attempts(options, wanted, before).expect();
}

/** The search for what is taken: the set of lanes as they are wanted grows. */
class Attempts {
  readonly #options: HoldOptions;
  readonly #wanted: WantedLanes;
  readonly #before: ReadonlyMap<ResourceName, HeldLane>;
  readonly #refused = new Map<ResourceName, Remark>();
  /** Lanes that no more could be offered. */
  readonly #left: LaneResource[] = [];
  #held: ReadonlyMap<ResourceName, HeldLane>;
  #reloaded = false;
  #tries = 0;

  constructor(
    options: HoldOptions,
    wanted: WantedLanes,
    before: ReadonlyMap<ResourceName, HeldLane>,
  ) {
    this.#options = options;
    this.#wanted = wanted;
    this.#before = before;
    this.#held = before;
  }

  expect(): void {
    const names = new Set(this.#wanted.lanes.map(({ name }) => name));
    this.#options.keepalived.expect?.(this.#render(this.#with(names)).text);
  }

  async run(): Promise<HoldResult> {
    const { lanes } = this.#wanted;
    const refused = await this.#try(new Set(), lanes);
    if (refused !== undefined) await this.#search(lanes, refused);
    const { suspects } = this.#wanted;
    const left = this.#left.map(({ name }) => [name, suspects.get(name) ?? WAITS] as const);
    const said = new Map([...left, ...this.#refused]);
    return { held: this.#held, refused: said, reloaded: this.#reloaded };
  }

  async #search(lanes: readonly LaneResource[], refused: Remark): Promise<void> {
    // After a restart nobody knows what a living keepalived carries: a part of the lanes would take
    // the others from it.
    const isKnown = this.#before.size > 0 || !(await this.#options.keepalived.alive());
    if (!isKnown) return this.#refuse(lanes, refused);
    const ready = this.#asWanted();
    const fresh = lanes.filter(({ name }) => !ready.has(name));
    // What is held already is no lane's fault.
    if (fresh.length === 0) return this.#refuse(lanes, refused);
    const taken = new Set(ready);
    const halving: Halving<LaneResource> = {
      isSpent: () => this.#tries >= TRIES_MAX,
      offer: (part) => this.#try(taken, part),
      refuse: (lane, remark) => this.#refuse([lane], remark),
      leave: (part) => this.#left.push(...part),
    };
    for (const part of this.#inTurn(fresh)) {
      const again = part.length === fresh.length ? refused : await this.#try(taken, part);
      if (again !== undefined) await halve(halving, part, again);
    }
    // What is gone must go also where nothing new was taken.
    if (taken.size === ready.size && this.#with(ready).size > 0) await this.#try(taken, []);
  }

  /** Of the wanted lanes those that are held just so. */
  #asWanted(): ReadonlySet<ResourceName> {
    const { lanes } = this.#wanted;
    const wanted = this.#with(new Set(lanes.map(({ name }) => name)));
    const textOf = (all: ReadonlyMap<ResourceName, HeldLane>, name: ResourceName): string => {
      const lane = all.get(name);
      return lane === undefined ? "" : this.#render(new Map([[name, lane]])).text;
    };
    return new Set(
      lanes.flatMap(({ name }) =>
        this.#before.has(name) && textOf(this.#before, name) === textOf(wanted, name) ? name : [],
      ),
    );
  }

  /** Those that nothing is known of, and then the others in the order of what was said of them. */
  #inTurn(fresh: readonly LaneResource[]): readonly (readonly LaneResource[])[] {
    const { suspects } = this.#wanted;
    const byName = new Map(fresh.map((lane) => [lane.name, lane]));
    const unknown = fresh.filter(({ name }) => !suspects.has(name));
    const known = [...suspects.keys()].flatMap((name) => byName.get(name) ?? []);
    return [unknown, known].filter(({ length }) => length > 0);
  }

  /** Tries to add `fresh` to `taken`; on success both are carried and `taken` has grown. */
  async #try(
    taken: Set<ResourceName>,
    fresh: readonly LaneResource[],
  ): Promise<Remark | undefined> {
    this.#tries += 1;
    const names = new Set([...taken, ...fresh.map(({ name }) => name)]);
    const held = this.#with(names);
    const { text, vipCount } = this.#render(held);
    const outcome = await this.#options.keepalived.apply(text, vipCount, this.#wanted.rereads);
    if (outcome.kind === "refused") return outcome.remark;
    for (const { name } of fresh) taken.add(name);
    this.#held = held;
    this.#reloaded ||= outcome.reloaded;
    return undefined;
  }

  #render(held: ReadonlyMap<ResourceName, HeldLane>): KeepalivedText {
    return this.#options.renderKeepalived(
      [...held.values()].map(({ lane }) => lane),
      [...held.values()].flatMap(({ vips }) => vips),
      new Set([...held].flatMap(([name, { servesUdp }]) => (servesUdp ? name : []))),
    );
  }

  #refuse(lanes: readonly LaneResource[], remark: Remark): void {
    for (const { name } of lanes) this.#refused.set(name, remark);
  }

  /**
   * These lanes as they are wanted, and the other wanted ones as they are. A VIP on its way into a
   * lane that is not taken stays where it is, and none is in two lanes.
   */
  #with(names: ReadonlySet<ResourceName>): ReadonlyMap<ResourceName, HeldLane> {
    const lanes = new Map<ResourceName, LaneResource>();
    for (const lane of this.#wanted.lanes) {
      const kept = names.has(lane.name) ? lane : this.#before.get(lane.name)?.lane;
      if (kept !== undefined) lanes.set(lane.name, kept);
    }
    const wantedIn = new Map<Address, ResourceName>();
    const vips = new Map<Address, readonly [ResourceName, VipResource]>();
    for (const vip of this.#wanted.vips) {
      if (vip.carrier.kind !== "lane") continue;
      wantedIn.set(vip.address, vip.carrier.resource);
      if (names.has(vip.carrier.resource)) vips.set(vip.address, [vip.carrier.resource, vip]);
    }
    for (const [name, { vips: heldVips }] of this.#before) {
      if (!lanes.has(name)) continue;
      for (const vip of heldVips) {
        const goal = wantedIn.get(vip.address);
        const stays = names.has(name) ? goal !== undefined && !names.has(goal) : true;
        if (stays && !vips.has(vip.address)) vips.set(vip.address, [name, vip]);
      }
    }
    const grouped = Map.groupBy(vips.values(), ([name]) => name);
    return new Map(
      [...lanes].map(([name, lane]) => [
        name,
        {
          lane,
          vips: (grouped.get(name) ?? []).map(([, vip]) => vip),
          servesUdp: this.#servesUdp(name, names),
        },
      ]),
    );
  }

  #servesUdp(name: ResourceName, names: ReadonlySet<ResourceName>): boolean {
    if (names.has(name)) return this.#wanted.udpLanes.has(name);
    return this.#before.get(name)?.servesUdp === true;
  }
}
