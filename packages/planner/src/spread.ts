// Spreading VIPs over lanes: rendezvous hashing with bounded load, first over masters, then over
// the lanes of the master, whose successors are spread in turn, so that a death is shared by the
// survivors. Given the lanes that one pool's rule may use in one segment. All agents weigh the
// same; what is placed is never placed again here.

import {
  type Address,
  type AgentName,
  LANES_MAX,
  LANES_PER_HOLDER_MAX,
  type Lane,
  LANE_AGENTS_MAX,
  type LaneId,
  VIPS_PER_LANE_MAX,
  hashPair,
  hashText,
  present,
} from "@fairlead/model";

/** How much above the mean a master or lane may be loaded: a quarter. */
const SLACK = 1.25;

/** What spreading works on. */
export interface SpreadOptions {
  /** Agents that may be master or successor of a new lane, sorted; never empty. */
  readonly candidates: readonly AgentName[];
  /** Lanes that may be used now. */
  readonly lanes: readonly Lane[];
  /** VIPs in a lane. */
  readonly loadOf: (lane: LaneId) => number;
  /** Lanes of the segment that the agent masters, whosever they are. */
  readonly masteredBy: (agent: AgentName) => number;
  /** Makes a lane; undefined when the segment is full. */
  readonly open: (order: readonly AgentName[]) => Lane | undefined;
}

/** Chooses lanes for VIPs, one after another. */
export interface Spread {
  /** The lane for one more VIP, which counts from now on; undefined when there is no room. */
  choose(address: Address): Lane | undefined;
  /** One more VIP came to a lane otherwise. */
  count(lane: LaneId): void;
}

/** Starts spreading. */
export function createSpread(options: SpreadOptions): Spread {
  return new Spreading(options);
}

/**
 * The orders that a master's lanes have, all different: each of the others is a first successor
 * before one is so twice. At most (n-1)(n-2) of them, at least one.
 */
export function ordersOf(master: AgentName, candidates: readonly AgentName[]): AgentName[][] {
  const seed = hashText(master);
  const others = candidates
    .filter((agent) => agent !== master)
    .map((agent) => ({ agent, score: hashPair(seed, hashText(agent)) }))
    .sort((a, b) => b.score - a.score || (a.agent < b.agent ? -1 : 1))
    .map(({ agent }) => agent);
  const n = others.length;
  if (n < LANE_AGENTS_MAX - 1) return [[master, ...others]];
  const count = Math.min(n * (n - 1), lanesPerMaster(candidates.length));
  return Array.from({ length: count }, (_, k) => {
    const first = others[k % n];
    const second = others[(k + 1 + Math.floor(k / n)) % n];
    return [master, first, second].filter((agent) => agent !== undefined);
  });
}

/** Lanes that each of so many masters may have, so that a segment's bound holds for all. */
function lanesPerMaster(candidates: number): number {
  return Math.max(1, Math.min(LANES_PER_HOLDER_MAX, Math.floor(LANES_MAX / candidates)));
}

/** An order that a lane may have, with its hash. */
interface Order {
  readonly agents: readonly AgentName[];
  readonly hash: number;
}

/** One master with its lanes. */
interface Master {
  readonly name: AgentName;
  readonly hash: number;
  readonly lanes: { readonly lane: Lane; readonly hash: number; load: number }[];
  /** Orders without a lane yet. */
  readonly unused: Order[];
  load: number;
}

class Spreading implements Spread {
  readonly #options: SpreadOptions;
  #masters: Master[];
  #total = 0;

  constructor(options: SpreadOptions) {
    this.#options = options;
    this.#masters = options.candidates.map((name) => this.#masterOf(name));
    for (const master of this.#masters) this.#total += master.load;
  }

  choose(address: Address): Lane | undefined {
    const hash = hashText(address);
    while (this.#masters.length > 0) {
      const master = this.#pickMaster(hash);
      const slot = this.#pickLane(master, hash);
      if (slot !== undefined) {
        this.#add(master, slot);
        return slot.lane;
      }
      // Full for this run: it must not be looked at again for every VIP that follows.
      this.#masters = this.#masters.filter((other) => other !== master);
      this.#total -= master.load;
    }
    return undefined;
  }

  count(lane: LaneId): void {
    for (const master of this.#masters) {
      const slot = master.lanes.find((one) => one.lane.id === lane);
      if (slot !== undefined) this.#add(master, slot);
    }
  }

  #add(master: Master, slot: Master["lanes"][number]): void {
    slot.load += 1;
    master.load += 1;
    this.#total += 1;
  }

  #masterOf(name: AgentName): Master {
    const { lanes, loadOf, candidates } = this.#options;
    const own = lanes
      .filter((lane) => lane.order[0] === name)
      .map((lane) => ({ lane, hash: laneHash(lane.order), load: loadOf(lane.id) }));
    const known = new Set(own.map(({ lane }) => lane.order.join(" ")));
    const unused = ordersOf(name, candidates)
      .filter((order) => !known.has(order.join(" ")))
      .map((agents) => ({ agents, hash: laneHash(agents) }));
    const load = own.reduce((sum, slot) => sum + slot.load, 0);
    return { name, hash: hashText(name), lanes: own, unused, load };
  }

  #pickMaster(hash: number): Master {
    const bound = Math.ceil((SLACK * (this.#total + 1)) / this.#masters.length);
    let best = this.#masters[0];
    let bestScore = -1;
    for (const master of this.#masters) {
      if (master.load >= bound) continue;
      const score = hashPair(hash, master.hash);
      if (score > bestScore) [best, bestScore] = [master, score];
    }
    return present(best, "there is a master");
  }

  #pickLane(master: Master, hash: number): Master["lanes"][number] | undefined {
    const wanted = this.#roomForLanes(master);
    const count = Math.max(1, master.lanes.length + Math.min(wanted, master.unused.length));
    const fair = Math.ceil((SLACK * (master.load + 1)) / count);
    const bound = Math.min(VIPS_PER_LANE_MAX - 1, fair);
    let best: Master["lanes"][number] | undefined;
    let bestScore = -1;
    for (const slot of master.lanes) {
      if (slot.load >= bound) continue;
      const score = hashPair(hash, slot.hash);
      if (score > bestScore) [best, bestScore] = [slot, score];
    }
    let fresh: Order | undefined;
    for (const order of wanted > 0 ? master.unused : []) {
      const score = hashPair(hash, order.hash);
      if (score > bestScore) [fresh, bestScore] = [order, score];
    }
    if (fresh !== undefined) best = this.#openLane(master, fresh) ?? best;
    return best ?? this.#leastLoaded(master) ?? this.#openLane(master, this.#anyOrder(master));
  }

  #leastLoaded(master: Master): Master["lanes"][number] | undefined {
    return master.lanes
      .filter((slot) => slot.load < VIPS_PER_LANE_MAX - 1)
      .reduce<Master["lanes"][number] | undefined>(
        (least, slot) => (least === undefined || slot.load < least.load ? slot : least),
        undefined,
      );
  }

  /** When every order has a lane and all are full, an order is used once more. */
  #anyOrder(master: Master): Order {
    const orders = ordersOf(master.name, this.#options.candidates);
    const agents = orders[master.lanes.length % orders.length] ?? [master.name];
    return { agents, hash: laneHash(agents) };
  }

  #roomForLanes(master: Master): number {
    return Math.max(0, LANES_PER_HOLDER_MAX - this.#options.masteredBy(master.name));
  }

  #openLane(master: Master, order: Order): Master["lanes"][number] | undefined {
    const lane = this.#roomForLanes(master) > 0 ? this.#options.open(order.agents) : undefined;
    if (lane === undefined) return undefined;
    const index = master.unused.indexOf(order);
    if (index >= 0) master.unused.splice(index, 1);
    const slot = { lane, hash: order.hash, load: 0 };
    master.lanes.push(slot);
    return slot;
  }
}

function laneHash(order: readonly AgentName[]): number {
  return hashText(order.join(" "));
}
