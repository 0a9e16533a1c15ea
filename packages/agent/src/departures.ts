// Which addresses of ours left this host for good: one that somebody took off comes back, and its
// connections with it, but one that another host speaks for by now, or that is no longer asked for,
// does not. Driven by the loop's looks. Then the connections that clients have to it are ended:
// they would hear nothing, for as long as they only wait.

import type { Address, LaneResource } from "@fairlead/model";
import { type Clock, type Logger, describeError } from "@fairlead/runtime";

import { isAttached } from "./attach.ts";
import { firstFew } from "./first-few.ts";
import type { ClientConnections, Hearing, VrrpListener } from "./ports.ts";
import type { LookedAt } from "./sightings.ts";

/** While an address is gone, a reading of adverts may be as old as this, in ms. */
const READ_SOON_MS = 500;

/** What it is made of. */
export interface DeparturesOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly vrrp: Pick<VrrpListener, "adverts">;
  readonly connections: Pick<ClientConnections, "end">;
}

/** The memory of what was held. */
export interface Departures {
  /** Takes a look, and begins to end what is over. Never blocks. */
  look(input: LookedAt): void;
}

/** Makes it; nothing was held yet. */
export function createDepartures(options: DeparturesOptions): Departures {
  return new Leaving(options);
}

/**
 * Addresses that come and go with the plan, and the lanes of those that another host may take: no
 * other address of the host is looked at.
 */
type Carried = ReadonlyMap<Address, LaneResource | undefined>;

class Leaving implements Departures {
  readonly #options: DeparturesOptions;
  #seen: LookedAt | undefined;
  #carried: Carried = new Map();
  /** Addresses of ours that the host has. */
  readonly #held = new Set<Address>();
  /** Since when it has not got others that it had, in monotonic ms. */
  readonly #gone = new Map<Address, number>();
  #isEnding = false;
  #trouble: string | undefined;

  constructor(options: DeparturesOptions) {
    this.#options = options;
  }

  look(input: LookedAt): void {
    this.#follow(input);
    if (this.#gone.size === 0 || this.#isEnding) return;
    const adverts = this.#options.vrrp.adverts(READ_SOON_MS)?.adverts ?? [];
    const over = [...this.#gone].flatMap(([address, goneMs]) => {
      const lane = this.#carried.get(address);
      const isTaken = lane !== undefined && isHeard(lane, adverts, goneMs);
      return isTaken || !this.#carried.has(address) ? [address] : [];
    });
    if (over.length > 0) void this.#end(over);
  }

  #follow({ wanted, kernel }: LookedAt): void {
    const [isSamePlan, isSameHost] = [
      wanted === this.#seen?.wanted,
      kernel.addresses === this.#seen?.kernel.addresses,
    ];
    this.#seen = { wanted, kernel };
    if (isSamePlan && isSameHost) return;
    if (!isSamePlan) this.#carried = carriedBy(wanted);
    const here = new Set(kernel.addresses.map(({ address }) => address));
    const nowMs = this.#options.clock.nowMs();
    for (const address of this.#held) {
      if (here.has(address)) continue;
      this.#held.delete(address);
      this.#gone.set(address, nowMs);
    }
    for (const address of this.#gone.keys()) if (here.has(address)) this.#gone.delete(address);
    for (const address of this.#carried.keys()) if (here.has(address)) this.#held.add(address);
  }

  /** What cannot be ended is tried again by the next look. */
  async #end(addresses: readonly Address[]): Promise<void> {
    const { connections, log } = this.#options;
    this.#isEnding = true;
    try {
      const count = await connections.end(addresses);
      for (const address of addresses) this.#gone.delete(address);
      this.#trouble = undefined;
      const what = "reset connections to addresses that left this host";
      if (count > 0) log.info({ count, addresses: firstFew(addresses) }, what);
    } catch (error) {
      const trouble = describeError(error);
      const what = "connections to addresses that left this host stay";
      if (trouble !== this.#trouble) log.warn({ trouble, addresses: firstFew(addresses) }, what);
      this.#trouble = trouble;
    } finally {
      this.#isEnding = false;
    }
  }
}

/** Whether another host has spoken in the lane since. */
function isHeard(lane: LaneResource, adverts: Hearing["adverts"], goneMs: number): boolean {
  const peers = new Set(lane.order.map(({ address }) => address));
  return adverts.some(
    ({ routerId, link, source, lastMs }) =>
      routerId === lane.routerId && link === lane.link && peers.has(source) && lastMs > goneMs,
  );
}

function carriedBy(wanted: LookedAt["wanted"]): Carried {
  const carried = new Map<Address, LaneResource | undefined>();
  const resources = wanted?.plan.resources;
  for (const vip of resources?.values() ?? []) {
    if (vip.kind !== "vip") continue;
    if (isAttached(vip)) carried.set(vip.address, undefined);
    if (vip.carrier.kind !== "lane") continue;
    const lane = resources?.get(vip.carrier.resource);
    if (lane?.kind === "lane") carried.set(vip.address, lane);
  }
  return carried;
}
