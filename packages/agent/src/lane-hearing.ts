// Whether this host hears the adverts of those who hold its lanes. Driven by the loop's looks. A
// holder that is not heard while its own address answers is behind a firewall: that is told after
// two readings. One that does not answer is gone or cut off, of which nothing is said, unless
// another host of the lane has it by now: that one speaks to those whom it knows, and not to us.

import {
  ADVERTS_MISSED,
  type Address,
  type AgentName,
  type LaneHearing,
  type LaneResource,
  type ResourceName,
  compareText,
} from "@fairlead/model";
import { laneAnchor } from "@fairlead/render";
import type { Clock } from "@fairlead/runtime";

import type { Hearing, SegmentSight, VrrpListener } from "./ports.ts";
import { remembered } from "./remembered.ts";
import type { LookedAt } from "./sightings.ts";

/** Adverts are missed after this long at the earliest, in ms. */
const SILENT_MS = 1000;
/** While it is not settled whether a holder is heard, a reading may be as old as this, in ms. */
const READ_SOON_MS = 1000;
const READ_SELDOM_MS = 5000;
/** Unsettled is what changed within this time, in ms; a firewall may stay for days. */
const UNSETTLED_MS = 30_000;
/** A holder that was not heard has to be heard for this long, in ms. */
const STEADY_MS = 2000;
/** How often the holder's own address is asked for while it is not heard, in ms. */
const ASK_EVERY_MS = 2000;

/** What it is made of. */
export interface LaneHearingOptions {
  readonly clock: Clock;
  readonly vrrp: Pick<VrrpListener, "adverts" | "isAble">;
  /** Absent: whether a holder answers is never known. */
  readonly sight?: SegmentSight;
}

/** The memory of what was heard. */
export interface LaneHearings {
  /** Takes a look, begins to read and ask as needed, and says what is known. Never blocks. */
  look(input: LookedAt): readonly LaneHearing[];
}

/** Makes it; nothing was heard yet. */
export function createLaneHearings(options: LaneHearingOptions): LaneHearings {
  return new Listening(options);
}

interface Entry {
  readonly source: Address;
  /** When this host was first told of the lane with this holder. */
  readonly sinceMs: number;
  /** Whether nobody had held the lane yet by then, and nothing was heard: its holder begins. */
  isNew: boolean;
  /** When what is said changed last. */
  changedMs: number;
  /** Of readings: since when each was one of silence, or of adverts. */
  silentSinceMs?: number;
  heardSinceMs?: number;
  /** Whether somebody of the lane was found to have it or to be its holder, since silence began. */
  answer?: { readonly isThere: boolean; readonly atMs: number };
  said?: "heard" | "unheard";
}

class Listening implements LaneHearings {
  readonly #options: LaneHearingOptions;
  readonly #entries = new Map<ResourceName, Entry>();
  readonly #heldByOthers = remembered(heldByOthers);
  #isAsking = false;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(options: LaneHearingOptions) {
    this.#options = options;
  }

  look(input: LookedAt): readonly LaneHearing[] {
    const { clock, vrrp } = this.#options;
    const nowMs = clock.nowMs();
    const lanes = this.#heldByOthers(input.wanted, input.kernel);
    this.#follow(lanes, nowMs);
    if (lanes.size === 0) return [];
    const isSoon = [...lanes.values()].some(({ lane }) => this.#isUnsettled(lane, input, nowMs));
    const heard = vrrp.adverts(isSoon ? READ_SOON_MS : READ_SELDOM_MS);
    const isNew = heard !== undefined && heard.readMs > this.#readMs;
    if (isNew) this.#readMs = heard.readMs;
    for (const held of lanes.values()) {
      const entry = this.#entries.get(held.lane.name);
      if (entry === undefined) continue;
      if (isNew) this.#read(held.lane, entry, heard);
      if (entry.silentSinceMs !== undefined) this.#askFor(held, entry, nowMs);
    }
    const known = [...lanes].sort(([a], [b]) => compareText(a, b));
    return known.flatMap(([lane, { holder }]): readonly LaneHearing[] => {
      const state = vrrp.isAble ? this.#entries.get(lane)?.said : "unable";
      return state === undefined ? [] : [{ lane, state, holder }];
    });
  }

  #follow(lanes: ReadonlyMap<ResourceName, HeldLane>, nowMs: number): void {
    for (const name of this.#entries.keys()) if (!lanes.has(name)) this.#entries.delete(name);
    for (const [name, { lane, source }] of lanes) {
      if (this.#entries.get(name)?.source === source) continue;
      const isNew = lane.preempt && lane.intentId === undefined;
      this.#entries.set(name, { source, sinceMs: nowMs, isNew, changedMs: nowMs });
    }
  }

  #isUnsettled(lane: LaneResource, { kernel }: LookedAt, nowMs: number): boolean {
    const entry = this.#entries.get(lane.name);
    if (entry === undefined) return false;
    const anchor = laneAnchor(lane).address;
    const isHere = kernel.addresses.some(({ address }) => address === anchor);
    const isSaid = entry.said === "heard" && entry.silentSinceMs === undefined;
    return isHere || (!isSaid && nowMs - entry.changedMs < UNSETTLED_MS);
  }

  #read(lane: LaneResource, entry: Entry, { readMs, adverts }: Hearing): void {
    const missedMs = Math.max(SILENT_MS, ADVERTS_MISSED * lane.advertIntervalMs);
    const last = adverts.find(
      ({ routerId, source, link }) =>
        routerId === lane.routerId && source === entry.source && link === lane.link,
    );
    if (last !== undefined && readMs - last.lastMs < missedMs) {
      delete entry.silentSinceMs;
      delete entry.answer;
      entry.heardSinceMs ??= readMs;
      // Whoever does not run the lane only gets in on what lasts, unless all begin together.
      const isJoining = lane.listens === true && !entry.isNew;
      const isDoubted = entry.said === "unheard" || isJoining;
      const isSteady = readMs - entry.heardSinceMs >= STEADY_MS;
      entry.isNew = false;
      if (isSteady || !isDoubted) this.#say(entry, "heard");
      return;
    }
    delete entry.heardSinceMs;
    // The holder may have begun a moment before.
    if (readMs - entry.sinceMs < missedMs) return;
    entry.silentSinceMs ??= readMs;
    const isTwice = readMs > entry.silentSinceMs;
    if (isTwice && entry.answer !== undefined) {
      this.#say(entry, entry.answer.isThere ? "unheard" : undefined);
    }
  }

  #say(entry: Entry, said: Entry["said"]): void {
    if (entry.said === said) return;
    entry.changedMs = this.#options.clock.nowMs();
    if (said === undefined) delete entry.said;
    else entry.said = said;
  }

  #askFor(held: HeldLane, entry: Entry, nowMs: number): void {
    const { sight, clock } = this.#options;
    if (sight === undefined || this.#isAsking) return;
    if (entry.answer !== undefined && nowMs - entry.answer.atMs < ASK_EVERY_MS) return;
    this.#isAsking = true;
    // Who cannot ask says nothing.
    void isThere(sight, held, entry.isNew)
      .then((found) => {
        if (found !== undefined) entry.answer = { isThere: found, atMs: clock.nowMs() };
      })
      .catch(() => undefined)
      .finally(() => (this.#isAsking = false));
  }
}

/**
 * Whether the holder's own address answers, or a host of the lane does for its anchor, which only
 * who holds the lane has; undefined: nobody could be asked. That the holder of a new lane is well
 * says nothing: its agent may not have brought the lane yet.
 */
async function isThere(
  sight: SegmentSight,
  { lane, source, peers }: HeldLane,
  isNew: boolean,
): Promise<boolean | undefined> {
  const anchor = laneAnchor(lane).address;
  const seen = await sight.see(lane.link, [...peers, anchor]);
  const holder = seen.get(source)?.mac;
  if (holder === undefined) return undefined;
  if (holder !== "" && !isNew) return true;
  const keeper = seen.get(anchor)?.mac ?? "";
  return keeper !== "" && peers.some((peer) => seen.get(peer)?.mac === keeper);
}

interface HeldLane {
  readonly lane: LaneResource;
  readonly holder: AgentName;
  /** The holder's own address. */
  readonly source: Address;
  /** Own addresses of all others of the lane, the holder's too. */
  readonly peers: readonly Address[];
}

/** Lanes of the plan that another agent holds by it, on links that are up. */
function heldByOthers(
  wanted: LookedAt["wanted"],
  kernel: LookedAt["kernel"],
): ReadonlyMap<ResourceName, HeldLane> {
  const lanes = new Map<ResourceName, HeldLane>();
  const isUp = new Set(kernel.links.filter(({ up }) => up).map(({ name }) => name));
  for (const lane of wanted?.plan.resources.values() ?? []) {
    if (lane.kind !== "lane" || lane.holder === undefined) continue;
    if (lane.holder === wanted?.plan.agent || !isUp.has(lane.link)) continue;
    const { holder } = lane;
    const others = lane.order.filter(({ agent }) => agent !== wanted?.plan.agent);
    const source = others.find(({ agent }) => agent === holder)?.address;
    const peers = others.map(({ address }) => address);
    if (source !== undefined) lanes.set(lane.name, { lane, holder, source, peers });
  }
  return lanes;
}
