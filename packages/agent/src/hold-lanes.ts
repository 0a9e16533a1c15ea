// Hands the lanes to keepalived: what it refuses is found by halving, so that one bad lane never
// keeps the others from being held. A lane that was held before and is refused now stays as it was,
// with its VIPs. Given what is wanted and what is held; it keeps nothing between two passes.

import type { Address, LaneResource, Remark, ResourceName, VipResource } from "@fairlead/model";

import type { HeldLane } from "./applied.ts";
import { type Halving, TRIES_MAX, halve } from "./halve.ts";
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
}

/** What keepalived carries after the step. */
export interface HoldResult {
  /** By name; of the wanted ones those that are refused are here as they were before, if at all. */
  readonly held: ReadonlyMap<ResourceName, HeldLane>;
  /** keepalived's words for each lane that it does not take as it is wanted. */
  readonly refused: ReadonlyMap<ResourceName, Remark>;
  readonly reloaded: boolean;
}

/** Makes keepalived carry the wanted lanes, as far as it takes them. */
export async function holdLanes(
  options: HoldOptions,
  wanted: WantedLanes,
  before: ReadonlyMap<ResourceName, HeldLane>,
): Promise<HoldResult> {
  return await new Attempts(options, wanted, before).run();
}

/** Tells keepalived what `holdLanes` will most likely hand over, so that it is checked by then. */
export function expectLanes(
  options: HoldOptions,
  wanted: WantedLanes,
  before: ReadonlyMap<ResourceName, HeldLane>,
): void {
  new Attempts(options, wanted, before).expect();
}

/** The search for what is taken: the set of lanes as they are wanted grows from none. */
class Attempts {
  readonly #options: HoldOptions;
  readonly #wanted: WantedLanes;
  readonly #before: ReadonlyMap<ResourceName, HeldLane>;
  readonly #refused = new Map<ResourceName, Remark>();
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
    return { held: this.#held, refused: this.#refused, reloaded: this.#reloaded };
  }

  async #search(lanes: readonly LaneResource[], refused: Remark): Promise<void> {
    // After a restart nobody knows what a living keepalived carries: a part of the lanes would take
    // the others from it.
    const isKnown = this.#before.size > 0 || !(await this.#options.keepalived.alive());
    if (!isKnown) return this.#refuse(lanes, refused);
    const taken = new Set<ResourceName>();
    const isSpent = (): boolean => this.#tries >= TRIES_MAX;
    const halving: Halving<LaneResource> = {
      isSpent,
      offer: async (part, before) => (isSpent() ? before : await this.#try(taken, part)),
      refuse: (part, remark) => this.#refuse(part, remark),
    };
    await halve(halving, lanes, refused);
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
