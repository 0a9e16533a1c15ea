// Which Events a Service's verdict is worth: what was told of it and the new verdict go in, Events
// and what is told by then come out. Pure. Each thing is told when it begins, and again only when
// it ended meanwhile. What an earlier life told is not here: remember.ts reads it from the
// conditions.

import type { Address, Reason, Remark, Verdict } from "@fairlead/model";

import type { MoveBook, MoveRecord } from "../../move-book.ts";
import type { Publication } from "../../ports.ts";
import {
  allocatedEvent,
  type EventDraft,
  externalEvent,
  intruderEvent,
  movedEvent,
  noMembersEvent,
  pendingEvent,
  refusedEvent,
  rejectedEvent,
  releasedEvent,
} from "./event-words.ts";

/** What lasts so long is told, in ms; what is over before is nobody's concern. */
export const LASTING_MS = 3000;
/** A move whose gap is not known yet is looked at again after this time, in ms. */
const OPEN_MOVE_MS = 1000;

/** Something that lasts. Times are monotonic ms. */
export interface Spell {
  readonly sinceMs: number;
  /** Why just now, and since when. */
  readonly reason: Reason;
  readonly reasonSinceMs: number;
  /** What was told of it; absent while nothing was. */
  readonly told?: Reason;
}

/** What was told of a Service, and what has to be told should it last. */
export interface Told {
  readonly uid: string;
  readonly allocated: readonly Address[];
  /** What is held for it, so that it can be told when it is no more. */
  readonly held: readonly Address[];
  /** The last move of each of its addresses that is told, or was before the address was its own. */
  readonly moved: ReadonlyMap<Address, string>;
  /** The reason of the refusal. */
  readonly refused?: Reason;
  /** The words of the daemon that refused. */
  readonly rejected?: string;
  /** Who wrote over the status. */
  readonly intruder?: string;
  readonly pending?: Spell;
  readonly memberless?: Spell;
  /** Its addresses may not stand in `spec.externalIPs`; each life of a controller tells it anew. */
  readonly external?: Spell;
}

/** Nothing told of the Service of this uid. */
export function nothingTold(uid: string): Told {
  return { uid, allocated: [], held: [], moved: NOTHING_MOVED };
}

/** One for all: of ten thousand Services it is kept what was told. */
const NOTHING_MOVED: Told["moved"] = new Map();

/** What is told now. */
export interface Telling {
  readonly told: Told;
  readonly events: readonly EventDraft[];
  /** When time alone makes something worth telling, monotonic ms. */
  readonly dueMs?: number;
}

/** What telling looks at. */
export interface TellInput {
  readonly told: Told;
  /** Absent: it asks for nothing any more. */
  readonly verdict?: Verdict;
  /** Why its addresses may not stand in `spec.externalIPs`; absent: they may. */
  readonly externalRefused?: string;
  /** Addresses that are held for it. */
  readonly held: readonly Address[];
  /** Whose addresses stand in its status instead of ours; absent: nobody's. */
  readonly intruder?: string;
  readonly publication: Pick<Publication, "leases" | "moves">;
  readonly nowMs: number;
}

/** The Events that are due. */
export function tell(input: TellInput): Telling {
  const { told, verdict, held, publication, nowMs } = input;
  const events: EventDraft[] = [];
  const released = told.held.filter((address) => !held.includes(address));
  if (released.length > 0) events.push(releasedEvent(released, publication.leases));
  if (verdict === undefined) return { told: { ...nothingTold(told.uid), held }, events };
  const addresses = verdict.addresses.map(({ address }) => address);
  const given = addresses.filter((address) => !told.allocated.includes(address));
  if (given.length > 0) events.push(allocatedEvent(given, publication.leases));
  const { moved, due: moves, isOpen } = followMoves(told, addresses, publication.moves);
  events.push(...moves.map(movedEvent));
  const refusal = verdict.state === "refused" ? verdict.main : undefined;
  if (refusal !== undefined && refusal.reason !== told.refused) events.push(refusedEvent(refusal));
  const rejection = rejectionOf(verdict);
  if (rejection !== undefined && rejection.detail !== told.rejected) {
    events.push(rejectedEvent(rejection));
  }
  // Who serves a Service that we refuse may say so.
  const intruder = verdict.state === "refused" ? undefined : input.intruder;
  if (intruder !== undefined && intruder !== told.intruder) events.push(intruderEvent(intruder));
  const wait = waitOf(verdict);
  const pending = last(told.pending, wait?.reason, nowMs);
  // A daemon's refusal was told in its own words, at once.
  if (pending?.isDue === true && wait !== undefined && wait !== rejection) {
    events.push(pendingEvent(wait));
  }
  const lack = lackOf(verdict);
  const memberless = last(told.memberless, lack?.reason, nowMs);
  if (memberless?.isDue === true && lack !== undefined) {
    events.push(noMembersEvent(causeOf(verdict, lack), lack.detail));
  }
  const { externalRefused } = input;
  const why = externalRefused === undefined ? undefined : "ExternalIPsRefused";
  const external = last(told.external, why, nowMs);
  if (external?.isDue === true && externalRefused !== undefined) {
    events.push(externalEvent(externalRefused));
  }
  const openDueMs = isOpen ? nowMs + OPEN_MOVE_MS : undefined;
  const dues = [pending?.dueMs, memberless?.dueMs, external?.dueMs, openDueMs].filter(
    (due) => due !== undefined,
  );
  return {
    events,
    told: {
      uid: told.uid,
      allocated: addresses,
      held,
      moved,
      ...(refusal === undefined ? {} : { refused: refusal.reason }),
      ...(rejection === undefined ? {} : { rejected: rejection.detail }),
      ...(intruder === undefined ? {} : { intruder }),
      ...(pending === undefined ? {} : { pending: pending.spell }),
      ...(memberless === undefined ? {} : { memberless: memberless.spell }),
      ...(external === undefined ? {} : { external: external.spell }),
    },
    ...(dues.length === 0 ? {} : { dueMs: Math.min(...dues) }),
  };
}

/** The first refusal of a daemon, be it why the Service waits or a remark beside. */
export function rejectionOf({ main, remarks }: Verdict): Remark | undefined {
  const all = main === undefined ? remarks : [main, ...remarks];
  return all.find(({ reason }) => reason === "ConfigRejected");
}

/** What it waits for; of one that is served what it asks for and does not get. */
export function waitOf({ state, main, conditions }: Verdict): Remark | undefined {
  if (state === "pending") return main;
  if (state === "refused" || main === undefined) return undefined;
  const isUnmet = conditions.some(
    ({ type, status, reason }) =>
      type === "AddressAllocated" && status === "True" && reason === main.reason,
  );
  return isUnmet ? main : undefined;
}

/** What a Service that is served lacks: members. */
function lackOf({ state, conditions }: Verdict): Remark | undefined {
  const found = conditions.find(
    ({ type, status }) => type === "MembersReady" && status === "False",
  );
  if (state === "refused" || found === undefined) return undefined;
  return { reason: "NoMembers", detail: found.message };
}

const CAUSES: ReadonlySet<Reason> = new Set([
  "UnknownTargetPort",
  "NoNodePort",
  "BadMember",
  "NoMembers",
]);

/** Why it lacks them; what says no more than that it does is no cause. */
function causeOf({ main, remarks }: Verdict, lack: Remark): Remark | undefined {
  return [...(main === undefined ? [] : [main]), ...remarks].find(
    ({ reason, detail }) => CAUSES.has(reason) && !lack.detail.startsWith(detail),
  );
}

/** Moves of its addresses that are to be told, the oldest first; `isOpen`: one is not known yet. */
function followMoves(
  before: Told,
  addresses: readonly Address[],
  book: MoveBook["moves"],
): {
  readonly moved: Told["moved"];
  readonly due: readonly MoveRecord[];
  readonly isOpen: boolean;
} {
  const moved = new Map<Address, string>();
  const due: MoveRecord[] = [];
  let isOpen = false;
  for (const address of addresses) {
    const records = book.get(address) ?? [];
    // Moves from before it had the address are not its own. The book is of this lead: of those of
    // an address that it had already no earlier life told any.
    const atFirst = before.allocated.includes(address) ? "" : moveKey(records[0]);
    const told = before.moved.get(address) ?? atFirst;
    const firstTold = records.findIndex((record) => moveKey(record) === told);
    const news = firstTold < 0 ? records : records.slice(0, firstTold);
    // Only the last one can be open: its gap is waited for.
    const known = news.filter((record) => record.isOpen !== true);
    isOpen ||= known.length < news.length;
    due.push(...known.toReversed());
    const latest = known.length === 0 ? told : moveKey(known[0]);
    // Of one that never moved nothing has to be kept: it is its own already at the next look.
    if (latest !== "") moved.set(address, latest);
  }
  return { moved: moved.size === 0 ? NOTHING_MOVED : moved, due, isOpen };
}

/** Tells a move from every other one of its address; empty: there was none. */
function moveKey(record: MoveRecord | undefined): string {
  return record === undefined ? "" : `${record.atMs} ${record.from} ${record.to}`;
}

/** Follows something that lasts; undefined when it is over. `isDue`: it is told now. */
function last(
  before: Spell | undefined,
  reason: Reason | undefined,
  nowMs: number,
): { readonly spell: Spell; readonly isDue: boolean; readonly dueMs?: number } | undefined {
  if (reason === undefined) return undefined;
  const begun = before ?? { sinceMs: nowMs, reason, reasonSinceMs: nowMs };
  const spell = begun.reason === reason ? begun : { ...begun, reason, reasonSinceMs: nowMs };
  if (spell.told === reason) return { spell, isDue: false };
  // Something is told in time, however often the reason changes; then only what lasts itself.
  const sinceMs = spell.told === undefined ? spell.sinceMs : spell.reasonSinceMs;
  const dueMs = sinceMs + LASTING_MS;
  if (nowMs < dueMs) return { spell, isDue: false, dueMs };
  return { spell: { ...spell, told: reason }, isDue: true };
}
