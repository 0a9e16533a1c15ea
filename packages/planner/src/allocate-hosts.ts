// Allocation in mode host: one address of each seat of the pool, all of them the claim's. Given
// what the claim holds; an agent that is out of reach keeps its addresses, and one that was
// declared gone has none. The claim is served as soon as one agent has an address for it.

import {
  type Address,
  type Claim,
  type Family,
  type LeasedAddress,
  type Placement,
  type Remark,
  compareAddress,
  compareText,
  familyOf,
} from "@fairlead/model";

import { accessOf, whyNotAllowed } from "./access.ts";
import { isAllowedBy, ruleOf } from "./candidates.ts";
import { livingOf } from "./best-held.ts";
import { type Choice, type Desk, chosen, whyNotWished } from "./choose.ts";
import { chooseOnSeat } from "./choose-on-seat.ts";
import { commit, fallBack } from "./commit.ts";
import type { FamilyNeed } from "./families.ts";
import type { Grant } from "./grant.ts";
import type { PoolView } from "./pools.ts";
import { type Move, giverOf, hasArrived, stillServing, withMoves } from "./reassign.ts";
import { type Seat, isInSeat } from "./seats.ts";

/** The pool of mode host that a claim is served from; without a view it is there no more. */
export interface HostPool {
  readonly view?: PoolView;
}

/** What is served on hosts. */
export interface HostClaim extends HostPool {
  readonly claim: Claim;
  /** What it holds, lowest first. */
  readonly held: readonly Address[];
  readonly needs: readonly FamilyNeed[];
}

/**
 * The pool of mode host that serves the claim: the one of what it wishes for, else of what it
 * holds, else the first that is open to it. What rides in a lane stays there, whatever became of
 * its pool, until it asks for another one.
 */
export function findHostPool(
  desk: Desk,
  claim: Claim,
  held: readonly Address[],
): HostPool | undefined {
  if (desk.seats.size === 0 && held.length < 2) return undefined;
  const rows = held.flatMap((address) => desk.table.rows.get(address) ?? []);
  const asked = askedPool(desk, claim);
  const riding = rows.filter(isInLane);
  if (riding.length > 0) {
    // It stays there, unless another one is asked for, or a stranger has it and it need not be it.
    const isBound = riding.some(
      (row) =>
        giverOf(desk.book, claim, row) === asked?.pool.name &&
        (!desk.inUse.has(row.address) || claim.wishedAddresses.length === 1),
    );
    return !isBound && asked?.pool.mode === "host" ? { view: asked } : undefined;
  }
  if (asked !== undefined) return asked.pool.mode === "host" ? { view: asked } : undefined;
  const [first] = rows;
  if (first !== undefined) {
    const view = desk.book.byName.get(giverOf(desk.book, claim, first));
    if (view !== undefined) return view.pool.mode === "host" ? { view } : undefined;
    return new Set(held.map(familyOf)).size < held.length ? {} : undefined;
  }
  const access = accessOf(claim, desk.book);
  const view = access.kind === "open" ? access.pools[0] : undefined;
  return view?.pool.mode === "host" ? { view } : undefined;
}

/** The pool that the claim asks for and may use; else nobody insists on one. */
export function askedPool({ book }: Pick<Desk, "book">, claim: Claim): PoolView | undefined {
  const wished = claim.wishedAddresses.map((address) => book.poolOf(address));
  const named = claim.wishedPool === undefined ? undefined : book.byName.get(claim.wishedPool);
  // Of wishes that disagree those of the pool that is named count.
  const isNamed = named !== undefined && wished.includes(named);
  const view = isNamed ? named : (wished.find((one) => one !== undefined) ?? named);
  return view !== undefined && whyNotAllowed(claim, view) === undefined ? view : undefined;
}

/** Serves the claim on all seats of the pool. */
export function serveOnHosts(desk: Desk, request: HostClaim): Grant {
  const { claim, held, view } = request;
  if (view === undefined) return keepHeld(desk, claim, held);
  const found = new Found(desk, request, view);
  for (const need of request.needs) found.choose(need);
  const { fatal } = found;
  if (fatal !== undefined) {
    return fallBack(desk, claim, { held, kept: livingOf(desk, held) }, fatal);
  }
  found.keepRiding();
  const { doubts, placements, isForNow } = found;
  // That no pool has the second family is no trouble of a claim that merely prefers both.
  const missed = found.missed.filter(({ reason }) => reason !== "FamilyUnavailable");
  const decision = { chosen: found.inOrder(), doubts, missed, placements, isForNow };
  return withMoves(commit(desk, claim, held, decision), found.moves);
}

/** What was given by a pool that is gone stays, but for what went with its agent. */
function keepHeld(desk: Desk, claim: Claim, held: readonly Address[]): Grant {
  const kept = livingOf(desk, held);
  // How many there are says whether it was served on hosts: the next planning has fewer.
  const isForNow = kept.length < held.length;
  const none = { doubts: [], missed: [], placements: new Map() };
  return commit(desk, claim, held, { chosen: kept, ...none, isForNow });
}

interface Taken {
  readonly agent: string;
  readonly rank: number;
}

/** What is found need by need. */
class Found {
  readonly doubts: Remark[] = [];
  readonly missed: Remark[] = [];
  readonly moves: Move[] = [];
  readonly placements = new Map<Address, Placement>();
  /** Whether something is kept until clients know something else. */
  isForNow = false;
  #fatal: Remark | undefined;
  readonly #desk: Desk;
  readonly #request: HostClaim;
  readonly #view: PoolView;
  readonly #taken = new Map<Address, Taken>();
  #rank = 0;

  constructor(desk: Desk, request: HostClaim, view: PoolView) {
    this.#desk = desk;
    this.#request = request;
    this.#view = view;
  }

  choose(need: FamilyNeed): void {
    const { claim, held } = this.#request;
    const family = need.family ?? this.#view.families[0] ?? "ipv4";
    const seats = this.#desk.seats.get(this.#view.pool.name) ?? [];
    const problems: Remark[] = [];
    const { doubt, stray } = this.#strays(seats, family);
    let count = 0;
    for (const seat of seats) {
      const choice = chooseOnSeat(this.#desk, {
        claim,
        view: this.#view,
        seat,
        family,
        held,
        ...(stray === undefined ? {} : { stray }),
        isTaken: (address) => this.#taken.has(address),
      });
      count += this.#take(seat, choice, problems);
    }
    count += this.#keepOthers(seats, family);
    this.#rank += 1;
    if (doubt !== undefined) problems.push(doubt);
    if (count > 0) this.doubts.push(...problems);
    else {
      const problem = problems[0] ?? this.#noSeat(family);
      if (need.required) this.#fatal ??= problem;
      else this.missed.push(problem);
    }
  }

  /** Why the claim cannot be served; undefined when it can. */
  get fatal(): Remark | undefined {
    return this.#fatal ?? (this.#taken.size === 0 ? this.missed[0] : undefined);
  }

  /** By family as it is wanted, then by agent. */
  inOrder(): readonly Address[] {
    return [...this.#taken]
      .sort(
        ([a, one], [b, other]) =>
          one.rank - other.rank || compareText(one.agent, other.agent) || compareAddress(a, b),
      )
      .map(([address]) => address);
  }

  #take(seat: Seat, choice: Choice, problems: Remark[]): number {
    const { agent, link } = seat;
    if (choice.kind === "none") {
      problems.push(choice.problem);
      return 0;
    }
    for (const address of chosen(choice)) {
      this.#taken.set(address, { agent, rank: this.#rank });
      // Of another network than the pool's device has by now, it stays on the device that it has.
      const isOn = this.#desk.table.rows.get(address)?.placement.kind === "host";
      if (isOn && !isInSeat(seat, address)) continue;
      this.placements.set(address, { kind: "host", agent, link });
    }
    if (choice.kind === "move") this.moves.push(choice);
    if (choice.kind !== "keep" || choice.doubt === undefined) return 1;
    // Of a wish that no seat has each says the same.
    if (!this.doubts.includes(choice.doubt)) this.doubts.push(choice.doubt);
    return 1;
  }

  /**
   * What is wished for and lies on no seat: `stray` where nothing else is wished for, as the claim
   * asks for something that it cannot have, and only a doubt beside what it can.
   */
  #strays(
    seats: readonly Seat[],
    family: Family,
  ): { readonly stray?: Remark | undefined; readonly doubt?: Remark | undefined } {
    const wished = this.#request.claim.wishedAddresses.filter((one) => familyOf(one) === family);
    const strays = wished.filter((one) => !seats.some((seat) => isInSeat(seat, one)));
    const [first] = strays;
    if (first === undefined || seats.length === 0) return {};
    const why = whyNotWished(this.#desk, this.#request.claim, first) ?? this.#noSeatOf(first);
    return strays.length === wished.length ? { stray: why } : { doubt: why };
  }

  #noSeatOf(address: Address): Remark {
    const other = this.#desk.book.poolOf(address)?.pool.name;
    if (other !== undefined && other !== this.#view.pool.name) {
      const why = `${address} lies in pool ${other}, and pool ${this.#view.pool.name} is asked for first`;
      return { reason: "ConflictingWishes", detail: why };
    }
    const detail = `${address} is of no network of an agent of pool ${this.#view.pool.name}`;
    return { reason: "NoSegment", detail };
  }

  /**
   * What agents have that are not known just now, or have lost the device for it. What one has that
   * the pool names no more stays for as long as clients of the claim know nothing else, or there is
   * nothing else to become known.
   */
  #keepOthers(seats: readonly Seat[], family: Family): number {
    let count = 0;
    const barred: Address[] = [];
    for (const address of this.#request.held) {
      const placement = this.#desk.table.rows.get(address)?.placement;
      const isOther = familyOf(address) === family && !this.#taken.has(address);
      if (!isOther || placement?.kind !== "host") continue;
      const { agent } = placement;
      const isSeated = seats.some((seat) => seat.agent === agent);
      if (isSeated || this.#desk.forgotten.has(agent)) continue;
      if (!isAllowedBy(ruleOf(this.#view.pool), agent)) {
        barred.push(address);
        continue;
      }
      this.#taken.set(address, { agent, rank: this.#rank });
      count += 1;
    }
    return count + this.#keepBarred(barred, family);
  }

  /** One of those that the pool would not give any more, if it has to stay. */
  #keepBarred(barred: readonly Address[], family: Family): number {
    const { rows } = this.#desk.table;
    const isKnown = (one: Address): boolean => rows.get(one)?.published === true;
    const others = [...this.#taken.keys()].filter((one) => familyOf(one) === family);
    if (others.some(isKnown)) return 0;
    const kept = barred.find(isKnown) ?? (others.length === 0 ? barred[0] : undefined);
    const placement = kept === undefined ? undefined : rows.get(kept)?.placement;
    if (kept === undefined || placement?.kind !== "host") return 0;
    this.isForNow = true;
    this.#taken.set(kept, { agent: placement.agent, rank: this.#rank });
    return 1;
  }

  /** What rides in a lane serves until a host does. */
  keepRiding(): void {
    const { table } = this.#desk;
    const riding = this.#request.held.filter((address) => {
      const row = table.rows.get(address);
      return row !== undefined && isInLane(row);
    });
    const from = stillServing(table, riding);
    const { wishedAddresses } = this.#request.claim;
    const [first] = this.inOrder();
    const to = wishedAddresses.find((address) => this.#taken.has(address)) ?? first;
    if (from.length === 0 || to === undefined) return;
    if (hasArrived(this.#desk.ownTurn, this.#request.claim, to)) return;
    for (const address of from) this.#taken.set(address, { agent: "", rank: this.#rank });
    this.moves.push({ from, to, isWished: true });
  }

  #noSeat(family: Family): Remark {
    const { name } = this.#view.pool;
    if (!this.#view.families.includes(family)) {
      return { reason: "FamilyUnavailable", detail: `no ${family} range is in ${name}` };
    }
    const detail = `no agent that can hold addresses by itself has a device in a network of pool ${name}`;
    return { reason: "NoSegment", detail };
  }
}

function isInLane({ placement }: LeasedAddress): boolean {
  return placement.kind === "lane";
}
