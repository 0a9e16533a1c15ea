// Feeds members to the kernel's table the moment they are wanted, apart from the passes: a reload
// of nginx under way, or one that has to wait its second, keeps no member change. Given the table,
// or none where members stand in nginx's file. It fails in no pass: what could not be fed is said
// of each claim that waits for it, is not reported as served, and comes with the next feeding.

import {
  type Address,
  type Remark,
  type ResourceName,
  type Revision,
  changedKeys,
  claimTitle,
  patchMap,
} from "@fairlead/model";
import type { ServicePlace } from "@fairlead/render";
import { describeError, createTurns, type Logger, type Turns } from "@fairlead/runtime";

import type { Applied, Problem, ServedListener } from "./applied.ts";
import { firstFew } from "./first-few.ts";
import { type Listeners, createKeptListeners } from "./kept-listeners.ts";
import { logChanges } from "./log-changes.ts";
import type { AcceptedPlan, MemberTable } from "./ports.ts";

/** Places by the listener's name; empty where members stand in nginx's file. */
export type Places = ReadonlyMap<ResourceName, ServicePlace>;

/** The feeding, and what came of it. */
export interface MemberFeed {
  /**
   * Feeds the members of a plan, and keeps those that nginx still serves beside it. Resolves with
   * the places of the plan's listeners; never rejects.
   */
  feed(wanted: AcceptedPlan, served: Applied["listeners"]): Promise<Places>;
  /**
   * Whether a plan changes members that were fed, or are being fed: those may be connected to.
   * Members of a new listener are not needed before the pass that serves it.
   */
  concerns(wanted: AcceptedPlan): boolean;
  /** Feeds what was fed last to a table that somebody may have changed; never rejects. */
  feedAgain(): Promise<void>;
  /** Revision of the members in the table, by the listener's name. Replaced when it changes. */
  readonly fed: ReadonlyMap<ResourceName, Revision>;
  /** Members that the last feeding did not bring, by their own name. Replaced as well. */
  readonly waiting: ReadonlyMap<ResourceName, Problem>;
  /** Why the last feeding failed; empty when it did not. */
  readonly remarks: readonly Remark[];
}

/** Makes the feed of a table; of none it has no places. */
export function createMemberFeed(
  table: MemberTable | undefined,
  log: Pick<Logger, "info" | "warn">,
): MemberFeed {
  return new Feed(table, log);
}

const NOBODY: MemberFeed["waiting"] = new Map();

class Feed implements MemberFeed {
  readonly #table: MemberTable | undefined;
  readonly #log: Pick<Logger, "info" | "warn">;
  readonly #inTurn: Turns = createTurns();
  readonly #read: (wanted: AcceptedPlan) => Listeners = createKeptListeners();
  /** Of the last feeding that was asked for. */
  #asked: Listeners = new Map();
  /** What `#placed` was made of. */
  #listeners: Listeners = new Map();
  #places: Places = new Map();
  #placed: Placed = new Map();
  #lingers: Lingering = { served: new Map(), places: new Map(), found: new Map() };
  /** What the table has of the plans. */
  #inTable: Placed = new Map();
  fed: ReadonlyMap<ResourceName, Revision> = new Map();
  waiting = NOBODY;
  remarks: readonly Remark[] = [];

  constructor(table: MemberTable | undefined, log: Pick<Logger, "info" | "warn">) {
    this.#table = table;
    this.#log = log;
  }

  async feed(wanted: AcceptedPlan, served: Applied["listeners"]): Promise<Places> {
    const table = this.#table;
    if (table === undefined) return this.#places;
    const listeners = this.#read(wanted);
    this.#asked = listeners;
    return await this.#inTurn(() => this.#feed(table, listeners, served));
  }

  async feedAgain(): Promise<void> {
    const table = this.#table;
    if (table === undefined) return;
    const again = async (): Promise<void> => {
      try {
        await this.#fill(table, this.#lingers.served);
      } catch (error) {
        // What somebody else has left in it is not known.
        this.#forget();
        throw error;
      }
    };
    await this.#inTurn(() => this.#say(this.#listeners, again));
  }

  concerns(wanted: AcceptedPlan): boolean {
    if (this.#table === undefined) return false;
    const [before, after] = [this.#asked, this.#read(wanted)];
    return changedKeys(before, after).some((name) => {
      const [was, is] = [before.get(name), after.get(name)];
      if (was === undefined || is === undefined) return false;
      return was.membersRevision !== is.membersRevision;
    });
  }

  async #feed(
    table: MemberTable,
    listeners: Listeners,
    served: Applied["listeners"],
  ): Promise<Places> {
    await this.#say(listeners, async () => {
      this.#place(listeners, await table.place(listeners));
      await this.#fill(table, served);
    });
    return this.#places;
  }

  async #fill(table: MemberTable, served: Applied["listeners"]): Promise<void> {
    await table.fill(patchMap(this.#placed, this.#lingering(served)));
    this.#told();
  }

  /** Notes whether these could be fed; who waits, where they could not. */
  async #say(listeners: Listeners, feed: () => Promise<void>): Promise<void> {
    const before = this.remarks;
    try {
      await feed();
      this.waiting = NOBODY;
      this.remarks = [];
    } catch (error) {
      if (this.#table?.isLost === true) this.#forget();
      this.#wait(listeners, describeError(error));
    }
    const said = { problems: NOBODY, remarks: this.remarks };
    logChanges(this.#log, { problems: NOBODY, remarks: before }, said);
  }

  #forget(): void {
    this.#inTable = new Map();
    this.fed = new Map();
  }

  #wait(listeners: Listeners, detail: string): void {
    const waiting = new Map<ResourceName, Problem>();
    const titles = new Set<string>();
    for (const [name, { listener, membersRevision: revision }] of listeners) {
      if (!this.#places.has(name) || this.fed.get(name) === revision) continue;
      waiting.set(listener.members, { reason: "DataPlaneDown", detail, revision });
      titles.add(claimTitle(listener.claim));
    }
    const who = titles.size === 0 ? "" : `; members wait for it of ${firstFew([...titles])}`;
    this.remarks = [{ reason: "DataPlaneDown", detail: `${detail}${who}` }];
    this.waiting = waiting;
  }

  /** Puts the listeners where their places are: those alone of which one or the other is new. */
  #place(listeners: Listeners, places: Places): void {
    const names = new Set([
      ...changedKeys(this.#listeners, listeners),
      ...changedKeys(this.#places, places),
    ]);
    const changes = new Map<Address, PlacedListener | undefined>();
    for (const name of names) {
      const before = this.#places.get(name);
      if (before !== undefined) changes.set(before.service, undefined);
    }
    for (const name of names) {
      const [entry, place] = [listeners.get(name), places.get(name)];
      if (entry !== undefined && place) changes.set(place.service, { ...entry, place });
    }
    this.#placed = patchMap(this.#placed, changes);
    this.#listeners = listeners;
    this.#places = places;
  }

  /** What nginx connects to until it is told otherwise. */
  #lingering(served: Applied["listeners"]): Placed {
    const places = this.#places;
    // Places are those of `#placed`: while they stay, nobody else lingers.
    if (this.#lingers.served !== served || this.#lingers.places !== places) {
      const left = [...served.values()]
        .filter(isPlaced)
        .filter(({ place }) => !this.#placed.has(place.service));
      const found = new Map(left.map((entry) => [entry.place.service, entry]));
      this.#lingers = { served, places, found };
    }
    return this.#lingers.found;
  }

  /** Notes that the table has what is placed. */
  #told(): void {
    const changes = new Map<ResourceName, Revision | undefined>();
    const services = changedKeys(this.#inTable, this.#placed);
    for (const service of services) {
      const before = this.#inTable.get(service);
      if (before !== undefined) changes.set(before.listener.name, undefined);
    }
    for (const service of services) {
      const after = this.#placed.get(service);
      if (after !== undefined) changes.set(after.listener.name, after.membersRevision);
    }
    this.fed = patchMap(this.fed, changes);
    this.#inTable = this.#placed;
  }
}

/** The listener where the kernel's table has its members, if it has them. */
export function withPlace(entry: ServedListener, places: Places): ServedListener {
  const place = places.get(entry.listener.name);
  return place === undefined ? entry : { ...entry, place };
}

type PlacedListener = ServedListener & Required<Pick<ServedListener, "place">>;

/** By service address. */
type Placed = ReadonlyMap<Address, PlacedListener>;

/** Who lingers, and of what that was found. */
interface Lingering {
  readonly served: Applied["listeners"];
  readonly places: Places;
  readonly found: Placed;
}

function isPlaced(entry: ServedListener): entry is PlacedListener {
  return entry.place !== undefined;
}
