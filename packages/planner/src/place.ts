// Placing: which lane each VIP rides in, or which agent holds it by itself. Given held rows,
// segments and lanes; a VIP that is placed stays where it is, and a lane that carries nothing any
// more goes. Of the rows it reads those that were touched; what lanes carry stands in the rows' own
// count.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Lane,
  type LaneId,
  type LeasedAddress,
  type Placement,
  type PoolName,
  type Remark,
  type Resource,
  type Revision,
  VIPS_PER_LANE_MAX,
  type World,
  compareAddress,
  compareText,
} from "@fairlead/model";

import { type CarrierRule, candidatesIn, isAllowedBy, ruleOf } from "./candidates.ts";
import { vipIn } from "./carried.ts";
import { agentsWith, findLanes, laneOnAgents } from "./found-lanes.ts";
import type { WantedGrants } from "./grant.ts";
import { isRunBy } from "./lane-holders.ts";
import { keepLanes, openLane } from "./lanes.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { canSpeakIn, withPeers } from "./peers.ts";
import { hostFor } from "./place-on-host.ts";
import type { PoolBook } from "./pools.ts";
import type { LaneMove } from "./rank.ts";
import { type SegmentMap, type SegmentView, isInSegment, segmentOf } from "./segments.ts";
import { type Spread, createSpread } from "./spread.ts";
import { mayStillCome } from "./stale.ts";

/** What placing works on. */
export interface PlaceOptions {
  readonly world: World;
  readonly book: PoolBook;
  readonly segments: SegmentMap;
  readonly forgotten: ReadonlySet<AgentName>;
  /** Changed: they get their lanes here. */
  readonly rows: LeaseRows;
  /** What agents shall have. */
  readonly wanted: WantedGrants;
  readonly revisionOf: (resource: Resource) => Revision;
}

/** Where everything is. */
export interface Placed {
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  /** Lanes that are to be held by somebody else than now. */
  readonly moves: ReadonlyMap<LaneId, LaneMove>;
  /** Why wanted rows have none. */
  readonly problems: ReadonlyMap<Address, Remark>;
  /** By lane, the rule of what it carries. */
  readonly rules: ReadonlyMap<LaneId, CarrierRule>;
}

/** Keeps lanes and places what is wanted and has no lane. */
export function place(options: PlaceOptions): Placed {
  return new Placing(options).run();
}

interface Group {
  readonly segment: SegmentView;
  readonly spread: Spread | undefined;
}

class Placing {
  readonly #options: PlaceOptions;
  readonly #groups = new Map<string, Group>();
  readonly #ruleOfPool = new Map<PoolName, CarrierRule>();
  /** Without those that were declared gone. */
  readonly #agents: readonly AgentView[];
  /** Until a lane is added. */
  readonly #masters = new Map<SegmentView, ReadonlyMap<AgentName, number>>();
  #lanes = new Map<LaneId, Lane>();
  #found: ReadonlyMap<LaneId, Lane> | undefined;

  constructor(options: PlaceOptions) {
    this.#options = options;
    const { world, forgotten } = options;
    this.#agents = [...world.agents.values()].filter(({ name }) => !forgotten.has(name));
  }

  run(): Placed {
    const { world, forgotten, rows } = this.#options;
    const kept = keepLanes({
      world,
      forgotten,
      rows: rows.all,
      candidatesOf: (lane) => this.#candidatesOf(lane),
    });
    this.#lanes = kept.lanes;
    this.#loseLanes();
    const problems = new Map<Address, Remark>();
    for (const row of this.#unplaced()) {
      const placement = this.#placementFor(row);
      if ("reason" in placement) problems.set(row.address, placement);
      else rows.put({ ...row, placement });
    }
    const lanes = this.#used();
    const rules = new Map<LaneId, CarrierRule>();
    for (const id of lanes.keys()) {
      const rule = this.#ruleIn(id);
      if (rule !== undefined) rules.set(id, rule);
    }
    return { lanes, moves: kept.moves, problems, rules };
  }

  /** Rows of lanes that are no more have none. */
  #loseLanes(): void {
    const { rows } = this.#options;
    const lost = new Set([...rows.lanes.keys()].filter((lane) => !this.#lanes.has(lane)));
    if (lost.size === 0) return;
    for (const row of rows.all.values()) {
      if (row.placement.kind !== "lane" || !lost.has(row.placement.lane)) continue;
      rows.put({ ...row, placement: { kind: "unplaced" } });
    }
  }

  #placementFor(row: LeasedAddress): Placement | Remark {
    const view = this.#options.book.byName.get(row.pool);
    if (view !== undefined && view.pool.mode !== "vrrp") {
      const { world, forgotten } = this.#options;
      return hostFor(row, view, { world, forgotten });
    }
    const lane = this.#laneFor(row);
    return "reason" in lane ? lane : { kind: "lane", lane: lane.id };
  }

  /** The wanted rows that have no lane; each was touched, or could not be placed last time. */
  #unplaced(): readonly LeasedAddress[] {
    const { rows, wanted } = this.#options;
    const unplaced: LeasedAddress[] = [];
    for (const address of rows.touched.addresses) {
      const row = rows.all.get(address);
      if (row?.placement.kind === "unplaced" && wanted.has(address)) unplaced.push(row);
    }
    return unplaced.sort((a, b) => compareAddress(a.address, b.address));
  }

  /** Pools whose rules differ meet in a lane only after an edit; any fixed choice will do. */
  #ruleIn(lane: LaneId): CarrierRule | undefined {
    let first: CarrierRule | undefined;
    for (const pool of this.#options.rows.lanes.get(lane)?.keys() ?? []) {
      const rule = this.#ruleFor(pool);
      if (first === undefined || compareText(rule.key, first.key) < 0) first = rule;
    }
    return first;
  }

  #ruleFor(pool: PoolName): CarrierRule {
    const known = this.#ruleOfPool.get(pool);
    if (known !== undefined) return known;
    const rule = ruleOf(this.#options.book.byName.get(pool)?.pool);
    this.#ruleOfPool.set(pool, rule);
    return rule;
  }

  #candidatesOf(lane: Lane): readonly AgentName[] {
    const { world, segments } = this.#options;
    const segment = segments.byNetwork.get(lane.segment);
    const rule = this.#ruleIn(lane.id);
    if (segment === undefined || rule === undefined) return [];
    const joins = (agent: AgentName): boolean =>
      !lane.order.includes(agent) && canSpeakIn(lane, agent, segment, rule);
    return candidatesIn(world, segment, rule).filter(joins);
  }

  #laneFor(row: LeasedAddress): Lane | Remark {
    const { book, segments } = this.#options;
    const { address } = row;
    if (this.#agents.length === 0) {
      return { reason: "NoAgents", detail: `no agent is there to hold ${address}` };
    }
    const segment = segmentOf(segments, address, book.byName.get(row.pool)?.pool);
    if (segment === undefined) {
      return { reason: "NoSegment", detail: `no link of an agent is in the network of ${address}` };
    }
    const rule = this.#ruleFor(row.pool);
    const group = this.#groupOf(segment, rule);
    if (group.spread === undefined) {
      const detail = `no agent that pool ${row.pool} allows has a link in ${segment.name}`;
      return { reason: "NoAgents", detail };
    }
    const found = this.#foundFor(row, segment, rule);
    if (found !== undefined) group.spread.count(found.id);
    const lane = found ?? group.spread.choose(address);
    if (lane === undefined) {
      const detail = `segment ${segment.name} has no room for another lane, and all are full`;
      return { reason: "LanesExhausted", detail };
    }
    return lane;
  }

  /** The lane that the address rides in already, as far as agents say so. */
  #foundFor({ address }: LeasedAddress, segment: SegmentView, rule: CarrierRule): Lane | undefined {
    const { wanted, revisionOf } = this.#options;
    const having = agentsWith(this.#agents, address);
    if (having.length === 0) return undefined;
    const isOurs = isInSegment(segment);
    this.#found ??= findLanes(this.#agents);
    const lanes = [...this.#found.values(), ...this.#lanes.values()].filter(
      (lane) => isOurs(lane) && this.#canTake(lane, rule),
    );
    const lane = laneOnAgents(having, address, lanes, ({ id }) =>
      revisionOf(vipIn(id, address, wanted.get(address) ?? [])),
    );
    if (lane === undefined) return undefined;
    const known = this.#lanes.get(lane.id);
    if (known === undefined) this.#add(lane);
    return known ?? lane;
  }

  #canTake({ id, routerId, order }: Lane, rule: CarrierRule): boolean {
    const { world, rows } = this.#options;
    const known = this.#ruleIn(id);
    if (known !== undefined && known.key !== rule.key) return false;
    if (world.settings.reservedRouterIds.includes(routerId)) return false;
    const hasRoom = rows.loadOf(id) < VIPS_PER_LANE_MAX - 1;
    return hasRoom && order.every((agent) => isAllowedBy(rule, agent));
  }

  #groupOf(segment: SegmentView, rule: CarrierRule): Group {
    const key = `${segment.name}\n${rule.key}`;
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const candidates = candidatesIn(this.#options.world, segment, rule);
    const isOurs = isInSegment(segment);
    const lanes = [...this.#lanes.values()]
      .filter((lane) => isOurs(lane) && this.#ruleIn(lane.id)?.key === rule.key)
      .filter((lane) => lane.order.every((agent) => isAllowedBy(rule, agent)))
      .sort((a, b) => compareText(a.id, b.id));
    const spread = candidates.length === 0 ? undefined : this.#spread(segment, candidates, lanes);
    const group = { segment, spread };
    this.#groups.set(key, group);
    return group;
  }

  #spread(segment: SegmentView, candidates: readonly AgentName[], lanes: readonly Lane[]): Spread {
    return createSpread({
      candidates,
      lanes,
      loadOf: (lane) => this.#options.rows.loadOf(lane),
      masteredBy: (agent) => this.#mastersIn(segment).get(agent) ?? 0,
      open: (order) => {
        const lane = openLane(this.#options.world, segment, this.#lanes, order);
        if (lane !== undefined) this.#add(lane);
        return lane;
      },
    });
  }

  #add(lane: Lane): void {
    this.#lanes.set(lane.id, lane);
    this.#masters.clear();
  }

  /** By agent, the lanes of the segment that it masters. Asked for every VIP. */
  #mastersIn(segment: SegmentView): ReadonlyMap<AgentName, number> {
    const known = this.#masters.get(segment);
    if (known !== undefined) return known;
    const isOurs = isInSegment(segment);
    const masters = new Map<AgentName, number>();
    for (const lane of this.#lanes.values()) {
      const [master] = lane.order;
      if (master === undefined || !isOurs(lane)) continue;
      masters.set(master, (masters.get(master) ?? 0) + 1);
    }
    this.#masters.set(segment, masters);
    return masters;
  }

  /**
   * The lanes that carry something, sorted by id, with where their agents speak from; and those
   * that somebody runs still, by its last word, or may run who did not come to this leader yet. A
   * new lane of their number would have it in it, and the next leader knows of them from here.
   */
  #used(): ReadonlyMap<LaneId, Lane> {
    const { rows, segments, world } = this.#options;
    const { byNetwork } = segments;
    const mayRun = (lane: Lane, agent: AgentName): boolean =>
      mayStillCome(agent, world) || isRunBy(world, lane, agent);
    const used = [...this.#lanes.values()]
      .filter((lane) => rows.lanes.has(lane.id) || lane.order.some((agent) => mayRun(lane, agent)))
      .map((lane) => withPeers(lane, byNetwork.get(lane.segment), this.#ruleIn(lane.id)));
    return new Map(used.sort((a, b) => compareText(a.id, b.id)).map((lane) => [lane.id, lane]));
  }
}
