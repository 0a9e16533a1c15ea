// Feeds members to the kernel's table the moment they are wanted, apart from the passes: a reload
// of nginx under way, or one that has to wait its second, keeps no member change. Given the table,
// or none where members stand in nginx's file. It fails in no pass: what could not be fed is said,
// is not reported as served, and comes with the next feeding.

import type { Remark, ResourceName, Revision } from "@fairlead/model";
import type { ServicePlace } from "@fairlead/render";
import { describeError } from "@fairlead/runtime";

import type { Applied, ServedListener } from "./applied.ts";
import type { AcceptedPlan, MemberTable } from "./ports.ts";
import { servedListeners } from "./served-listeners.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Places by the listener's name; empty where members stand in nginx's file. */
export type Places = ReadonlyMap<ResourceName, ServicePlace>;

/** The feeding, and what came of it. */
export interface MemberFeed {
  /**
   * Feeds the members of a plan, and keeps those that nginx still serves beside it. Resolves with
   * the places of the plan's listeners; never rejects.
   */
  feed(wanted: AcceptedPlan, served: Applied["listeners"]): Promise<Places>;
  /** Revision of the members in the table, by the listener's name. */
  readonly fed: ReadonlyMap<ResourceName, Revision>;
  /** Why the last feeding failed; empty when it did not. */
  readonly remarks: readonly Remark[];
}

/** Makes the feed of a table; of none it has no places. */
export function createMemberFeed(table: MemberTable | undefined): MemberFeed {
  return new Feed(table);
}

class Feed implements MemberFeed {
  readonly #table: MemberTable | undefined;
  readonly #inTurn: Turns = createTurns();
  #places: Places = new Map();
  fed: ReadonlyMap<ResourceName, Revision> = new Map();
  remarks: readonly Remark[] = [];

  constructor(table: MemberTable | undefined) {
    this.#table = table;
  }

  async feed(wanted: AcceptedPlan, served: Applied["listeners"]): Promise<Places> {
    const table = this.#table;
    if (table === undefined) return this.#places;
    return await this.#inTurn(() => this.#feed(table, wanted, served));
  }

  async #feed(
    table: MemberTable,
    wanted: AcceptedPlan,
    served: Applied["listeners"],
  ): Promise<Places> {
    const listeners = servedListeners(wanted);
    try {
      const places = await table.place(listeners);
      const placed = listeners.map((one) => withPlace(one, places)).filter(isPlaced);
      this.#places = places;
      await table.fill([...placed, ...lingering(served, placed)]);
      this.fed = new Map(placed.map((one) => [one.listener.name, one.membersRevision]));
      this.remarks = [];
    } catch (error) {
      this.remarks = [{ reason: "DataPlaneDown", detail: describeError(error) }];
    }
    return this.#places;
  }
}

/** The listener where the kernel's table has its members, if it has them. */
export function withPlace(entry: ServedListener, places: Places): ServedListener {
  const place = places.get(entry.listener.name);
  return place === undefined ? entry : { ...entry, place };
}

type PlacedListener = ServedListener & Required<Pick<ServedListener, "place">>;

function isPlaced(entry: ServedListener): entry is PlacedListener {
  return entry.place !== undefined;
}

/** What nginx connects to until it is told otherwise. */
function lingering(
  served: Applied["listeners"],
  placed: readonly PlacedListener[],
): readonly PlacedListener[] {
  const services = new Set(placed.map(({ place }) => place.service));
  return [...served.values()].filter(isPlaced).filter(({ place }) => !services.has(place.service));
}
