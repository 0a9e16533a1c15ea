// Choosing one address of one family for one claim, in the order of preference: what is
// held, what is wished for, what its namesake held, the lowest free, a resting one. Given the
// rows as they are now; changes nothing.

import {
  type Address,
  type AgentName,
  type Claim,
  type Family,
  type LeaseOwner,
  type Remark,
  claimTitle,
  familyOf,
  scopeOf,
} from "@fairlead/model";

import { accessOf, whyNotAllowed } from "./access.ts";
import { askFor } from "./ask-for.ts";
import { type Asking, type Standing, isAsked } from "./asking.ts";
import { bestOf } from "./best-held.ts";
import type { FamilyNeed } from "./families.ts";
import type { FreeAddresses } from "./free-address.ts";
import type { LeaseTable } from "./lease-table.ts";
import { OWN_KEY } from "./own-address.ts";
import { type PoolFill, fillText } from "./pool-fill.ts";
import { type PoolBook, type PoolView, whyAlone, withheld } from "./pools.ts";
import { type Move, type MoveTurn, fitOf, hasArrived, leftOf, stillServing } from "./reassign.ts";
import type { Seats } from "./seats.ts";
import { keyIn, whyNotShared } from "./sharing.ts";
import { type Unusable, isOthers } from "./unusable.ts";

/** What choosing reads. */
export interface Desk {
  readonly book: PoolBook;
  readonly table: LeaseTable;
  readonly free: FreeAddresses;
  readonly unusable: Unusable;
  /** Whether an owner is neither seen nor known to be gone. */
  readonly isAbsent: (owner: LeaseOwner) => boolean;
  readonly fill: PoolFill;
  readonly turn: MoveTurn;
  /** The one of those who ask for an address themselves. */
  readonly ownTurn: MoveTurn;
  /** Where external pools are asked for addresses that they do not have. */
  readonly asking: Asking;
  /** Addresses that strangers have: left for others, but by who wishes for them alone. */
  readonly inUse: ReadonlyMap<Address, string>;
  /** Agents' own addresses, which are unusable but where they are held as they are. */
  readonly owned: ReadonlySet<Address>;
  readonly seats: Seats;
  /** Agents that an operator declared gone. */
  readonly forgotten: ReadonlySet<AgentName>;
}

/** The choice for one family. */
export type Choice =
  /** `doubt`: what it should have instead, and why it has not. */
  | { readonly kind: "keep"; readonly address: Address; readonly doubt?: Remark }
  | { readonly kind: "take"; readonly address: Address }
  /** It holds what it has to leave. `to`: what takes its place; absent until its turn comes. */
  | ({ readonly kind: "move" } & Move)
  | { readonly kind: "none"; readonly problem: Remark };

/** The addresses of a choice: of a move both what it leaves and what takes its place. */
export function chosen(choice: Choice): readonly Address[] {
  if (choice.kind === "none") return [];
  if (choice.kind !== "move") return [choice.address];
  return choice.to === undefined ? choice.from : [...choice.from, choice.to];
}

/** What is to be had for a claim that holds nothing that it may keep. */
type Found = Extract<Choice, { readonly kind: "take" | "none" }>;

/** Chooses for one family. `held`: what the claim owns of this family, lowest first. */
export function choose(
  desk: Desk,
  claim: Claim,
  need: FamilyNeed,
  held: readonly Address[],
): Choice {
  const wishes = claim.wishedAddresses.filter((address) => familyOf(address) === need.family);
  const fits = held.map((address) => {
    const isStrangers = desk.inUse.has(address);
    return { address, fit: isStrangers ? "unwanted" : fitOf(desk, claim, address, wishes) };
  });
  const { addresses: displaced, isWished } = leftOf(fits);
  const current = bestOf(
    desk,
    fits.filter(({ fit }) => fit === "fits").map(({ address }) => address),
  );
  const turn = isWished ? desk.ownTurn : desk.turn;
  if (current !== undefined) {
    const from = hasArrived(turn, claim, current) ? [] : stillServing(desk.table, displaced);
    if (from.length === 0) return { kind: "keep", address: current };
    turn.take(claim);
    return { kind: "move", from, to: current, isWished };
  }
  const found =
    wishes.length > 0 ? chooseWished(desk, claim, wishes) : chooseAny(desk, claim, need);
  if (found.kind === "take") desk.asking.drop(claim.id, need.family);
  const first = bestOf(desk, displaced) ?? held[0];
  if (first === undefined) return found;
  if (found.kind === "none") return { kind: "keep", address: first, doubt: found.problem };
  const from = stillServing(desk.table, displaced);
  if (from.length === 0) return found;
  if (turn.isTaken(claim)) {
    desk.asking.keep(found.address);
    return { kind: "move", from, isWished };
  }
  turn.take(claim);
  return { kind: "move", from, to: found.address, isWished };
}

function chooseWished(desk: Desk, claim: Claim, wishes: readonly Address[]): Found {
  let problem: Remark | undefined;
  let disputed: Address | undefined;
  for (const address of wishes) {
    const trouble = whyNotWished(desk, claim, address) ?? whyAlone(desk.book, address);
    if (trouble === undefined && !desk.inUse.has(address)) return { kind: "take", address };
    if (trouble === undefined) disputed ??= address;
    problem ??= (trouble && askFor(desk, claim, address)) ?? trouble;
  }
  // Its agents ask for it again and again, and have it when the stranger has gone.
  if (disputed !== undefined) return { kind: "take", address: disputed };
  return { kind: "none", problem: problem ?? { reason: "BadAddress", detail: "none is wished" } };
}

/** Why the claim cannot have the address that it wishes for; undefined when it can. */
export function whyNotWished(desk: Desk, claim: Claim, address: Address): Remark | undefined {
  const scope = scopeOf(address);
  if (scope !== "unicast") return { reason: "BadAddress", detail: `${address} is ${scope}` };
  const view = desk.book.poolOf(address);
  const outside = whyOutside(claim, address, view);
  if (outside !== undefined || view === undefined) return outside;
  const row = desk.table.rows.get(address);
  if (row === undefined || row.state.kind === "quarantined") {
    const isKept = view.pool.mode === "link" && desk.owned.has(address);
    return isKept ? undefined : whyNotUsable(desk, address);
  }
  if (row.state.kind === "held") return whyNotShared(claim, row, view);
  if (row.lastClaim === claim.id) return undefined;
  const detail = `${address} was ${claimTitle(row.lastClaim)}'s and waits for ${row.sentTo.join(", ")}`;
  return { reason: "Releasing", detail };
}

function whyNotUsable({ unusable }: Desk, address: Address): Remark | undefined {
  const why = unusable.whyNever(address) ?? unusable.whyBarred(address);
  if (why !== undefined) return { reason: "BadAddress", detail: `${address} ${why}` };
  const agent = unusable.stillOn(address);
  if (agent === undefined) return undefined;
  return { reason: "Releasing", detail: `${address} is nobody's, and ${agent} still has it` };
}

function whyOutside(
  claim: Claim,
  address: Address,
  view: PoolView | undefined,
): Remark | undefined {
  if (view === undefined) {
    return { reason: "AddressOutsidePools", detail: `${address} lies in no pool that is used` };
  }
  const { name } = view.pool;
  if (claim.wishedPool !== undefined && claim.wishedPool !== name) {
    const detail = `${address} lies in pool ${name}, and pool ${claim.wishedPool} is asked for`;
    return { reason: "ConflictingWishes", detail };
  }
  const why = whyNotAllowed(claim, view);
  if (why !== undefined) return { reason: "AddressOutsidePools", detail: `${address}: ${why}` };
  const kept = withheld(view, address);
  if (kept === undefined) return undefined;
  const rule = kept === "reserved" ? "reserves it" : "gives no address that ends in .0 or .255";
  return { reason: "AddressOutsidePools", detail: `${address}: pool ${name} ${rule}` };
}

function chooseAny(desk: Desk, claim: Claim, need: FamilyNeed): Found {
  const access = accessOf(claim, desk.book);
  if (access.kind === "closed") return { kind: "none", problem: access.problem };
  // In mode host a claim gets one address of each agent, and never one alone.
  const fitting = access.pools.filter(
    ({ pool, families }) =>
      pool.mode !== "host" && (need.family === undefined || families.includes(need.family)),
  );
  const [first] = fitting;
  if (first === undefined) return { kind: "none", problem: noFamily(need, access.pools) };
  const old = lastHeld(desk, claim, need, fitting) ?? joined(desk, claim, need, fitting);
  if (old !== undefined) return { kind: "take", address: old };
  const { address, asked } = fresh(desk, claim, need, fitting);
  if (address !== undefined) return { kind: "take", address };
  if (asked !== undefined) return { kind: "none", problem: asked.problem };
  const clash = fitting.map((view) => whyNotOwn(desk, claim, need, view)).find(isKnown);
  if (clash !== undefined) return { kind: "none", problem: clash };
  const full = fitting.slice(0, POOLS_NAMED_MAX).map((view) => {
    const family = familyFor(need, view);
    return fillText(view, family, desk.fill.of(view.pool.name, family));
  });
  const detail = `no ${need.family ?? "address"} is free in ${full.join(", ")}`;
  return { kind: "none", problem: { reason: "PoolExhausted", detail } };
}

/** Who has the claim's ports on a host's own address. */
function whyNotOwn(
  { table }: Desk,
  claim: Claim,
  need: FamilyNeed,
  view: PoolView,
): Remark | undefined {
  if (!view.isOwn) return undefined;
  const row = table
    .sharedBy(OWN_KEY)
    .map((address) => table.rows.get(address))
    .find((one) => one !== undefined && familyOf(one.address) === familyFor(need, view));
  return row === undefined ? undefined : whyNotShared(claim, row, view);
}

function isKnown<T>(one: T | undefined): one is T {
  return one !== undefined;
}

/** Pools named in one detail at most: a sentence stays readable. */
const POOLS_NAMED_MAX = 5;

function familyFor(need: FamilyNeed, view: PoolView): Family {
  return need.family ?? view.families[0] ?? "ipv4";
}

/** What a deleted claim of this name held: it comes back while nobody else has it. */
function lastHeld(
  desk: Desk,
  claim: Claim,
  need: FamilyNeed,
  views: readonly PoolView[],
): Address | undefined {
  return desk.table.leftBy(claim.id).find((address) => {
    const view = desk.book.poolOf(address);
    if (view === undefined || !views.includes(view) || isOthers(desk, address)) return false;
    return familyFor(need, view) === familyOf(address) && withheld(view, address) === undefined;
  });
}

/** The lowest address under the claim's sharing key that has room for its ports. */
function joined(
  desk: Desk,
  claim: Claim,
  need: FamilyNeed,
  views: readonly PoolView[],
): Address | undefined {
  const keys = new Set(views.flatMap((view) => keyIn(view, claim) ?? []));
  const shared = [...keys].flatMap((key) => desk.table.sharedBy(key));
  return shared.find((address) => {
    const view = desk.book.poolOf(address);
    const row = desk.table.rows.get(address);
    if (view === undefined || row === undefined || !views.includes(view)) return false;
    if (isOthers(desk, address)) return false;
    if (row.owners.some((owner) => owner.claim === claim.id)) return false;
    if (familyFor(need, view) !== familyOf(address)) return false;
    return whyNotShared(claim, row, view) === undefined;
  });
}

/** `asked`: the first pool that was asked for one, or the one whose answer is waited for. */
interface Fresh {
  readonly address?: Address | undefined;
  readonly asked?: Standing | undefined;
}

/** An address that nobody has. While a pool that is preferred has yet to answer, no other's. */
function fresh(desk: Desk, claim: Claim, need: FamilyNeed, views: readonly PoolView[]): Fresh {
  let asked: Standing | undefined;
  for (const view of views) {
    const family = familyFor(need, view);
    const address = desk.free.lowest(view, family);
    if (address !== undefined) return { address };
    const { pool } = view;
    if (!isAsked(pool)) continue;
    const standing = desk.asking.ask(claim.id, pool, { family }, desk.table.rows);
    if (standing.isOpen) return { asked: standing };
    asked ??= standing;
  }
  for (const family of new Set(views.map((view) => familyFor(need, view)))) {
    const same = views.filter((view) => familyFor(need, view) === family);
    const address = desk.free.oldestResting(same, family);
    if (address !== undefined) return { address };
  }
  return { asked };
}

function noFamily(need: FamilyNeed, pools: readonly PoolView[]): Remark {
  const names = pools
    .map((view) => view.pool.name)
    .slice(0, POOLS_NAMED_MAX)
    .join(", ");
  const detail = `no ${need.family ?? "address"} range is in ${names}`;
  return { reason: "FamilyUnavailable", detail };
}
