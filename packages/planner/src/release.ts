// How an address comes free: held, draining, quarantined, gone. Given one row and what agents
// report; there is no lease of a plan that runs out, and no timer but the quarantine.
//
// An agent counts as not holding an address when it is connected, nothing that was sent may still
// bring it there, and its report has no resource for it at all: it reports everything that it still
// has, leftovers included. Others are waited for until they report or are declared gone.

import {
  type Address,
  type AgentName,
  type ClaimId,
  type LeaseOwner,
  type LeasedAddress,
  type World,
  compareText,
  vipName,
} from "@fairlead/model";

import type { LeaseRows } from "./lease-rows.ts";
import type { PoolBook } from "./pools.ts";

/** Rest of an address whose pool is gone, in ms: the default of pools. */
const QUARANTINE_MS = 60_000;

/** What releasing needs to know. */
export interface ReleaseView {
  readonly world: World;
  readonly book: PoolBook;
  /** Agents that an operator declared gone. */
  readonly forgotten: ReadonlySet<AgentName>;
  /** Addresses that an operator released by hand: what nobody owns is free at once. */
  readonly released: ReadonlySet<Address>;
  readonly mayStillGet: MayStillGet;
}

/** Whether the agent has the address by its last answer, or by a message that it may yet get. */
export type MayStillGet = (agent: AgentName, address: Address) => boolean;

/** Agents that an operator declared gone. */
export function forgottenAgents({ intents }: Pick<World, "intents">): ReadonlySet<AgentName> {
  return new Set(intents.flatMap((one) => (one.kind === "forget" ? [one.agent] : [])));
}

/** Gathers what releasing needs from the world. */
export function releaseView(
  world: World,
  book: PoolBook,
  mayStillGet: MayStillGet = () => false,
): ReleaseView {
  const released = new Set<Address>();
  for (const intent of world.intents) {
    if (intent.kind === "release") released.add(intent.address);
  }
  return { world, book, forgotten: forgottenAgents(world), released, mayStillGet };
}

/** Takes owners that are gone out of the given rows, and settles those that have none. */
export function releaseGone(
  view: ReleaseView,
  rows: LeaseRows,
  addresses: Iterable<Address>,
): void {
  for (const address of addresses) {
    const row = rows.all.get(address);
    if (row === undefined) continue;
    const owners = row.owners.filter((owner) => isOwned(view, owner.claim, owner.uid));
    const kept = owners.length === row.owners.length ? row : withOwners(row, owners);
    // Of a row that is held only allocation, placing and judging know more.
    putOrDrop(rows, address, kept.owners.length > 0 ? kept : settle(view, kept, []));
  }
}

/** What an agent held by itself that was declared gone is nowhere any more. */
export function unplaceGone({ forgotten }: ReleaseView, rows: LeaseRows): void {
  for (const agent of forgotten) {
    for (const address of Array.from(rows.hosts.get(agent) ?? [])) {
      const row = rows.all.get(address);
      if (row !== undefined) rows.put({ ...row, placement: { kind: "unplaced" } });
    }
  }
}

/**
 * The row after everything that follows from its owners, its agents and the time.
 * @param wanted agents whose plan has the address now.
 * @returns undefined when the address is free.
 */
export function settle(
  view: ReleaseView,
  row: LeasedAddress,
  wanted: readonly AgentName[],
): LeasedAddress | undefined {
  const { nowMs } = view.world;
  const sent = withSentTo(row, sentTo(view, row, wanted));
  if (sent.owners.length > 0) return sent.state.kind === "held" ? sent : hold(sent);
  if (view.released.has(row.address)) return undefined;
  let next = sent;
  if (next.state.kind === "held") {
    next = { ...next, published: false, state: { kind: "draining", sinceMs: nowMs } };
  }
  if (next.state.kind === "draining") {
    if (next.sentTo.length > 0) return next;
    const restMs = view.book.byName.get(row.pool)?.pool.quarantineMs ?? QUARANTINE_MS;
    const state = { kind: "quarantined", untilMs: nowMs + restMs } as const;
    next = { ...next, placement: { kind: "unplaced" }, state };
  }
  const isOver = next.state.kind === "quarantined" && next.state.untilMs <= nowMs;
  return isOver ? undefined : next;
}

/**
 * Settles the given rows.
 * @param carriersOf agents whose plan has the address.
 */
export function settleRows(
  view: ReleaseView,
  rows: LeaseRows,
  addresses: Iterable<Address>,
  carriersOf: (address: Address) => readonly AgentName[],
): void {
  for (const address of addresses) {
    const row = rows.all.get(address);
    if (row === undefined) continue;
    const carriers = carriersOf(address);
    const isKept = hasAbsentOwner(view.world, row);
    putOrDrop(rows, address, settle(view, row, isKept ? [...carriers, ...row.sentTo] : carriers));
  }
}

function putOrDrop(rows: LeaseRows, address: Address, row: LeasedAddress | undefined): void {
  if (row === undefined) rows.drop(address);
  else rows.put(row);
}

/** The row with other owners; the last one to leave is remembered. */
export function withOwners(row: LeasedAddress, owners: LeasedAddress["owners"]): LeasedAddress {
  const left = row.owners.filter((owner) => !owners.includes(owner)).at(-1);
  const lastClaim = owners.length === 0 && left !== undefined ? left.claim : row.lastClaim;
  if (owners.length > 0) return { ...row, owners, lastClaim };
  const { sharingKey: _, ...rest } = row;
  return { ...rest, owners, lastClaim };
}

/** Whether somebody who is neither seen nor known to be gone owns it. */
export function hasAbsentOwner(world: World, { owners }: LeasedAddress): boolean {
  if (world.absent.size === 0) return false;
  return owners.some((owner) => isAbsentOwner(world, owner));
}

/** Whether the owner is neither seen nor known to be gone. */
export function isAbsentOwner({ absent, claims }: World, { claim }: LeaseOwner): boolean {
  return absent.has(claim) && !claims.has(claim);
}

/** Whether it is certain that the agent does not have the address in any form. */
function isGone({ world, mayStillGet }: ReleaseView, name: AgentName, address: Address): boolean {
  const agent = world.agents.get(name);
  if (agent?.report === undefined || !agent.connected) return false;
  return !agent.report.resources.has(vipName(address)) && !mayStillGet(name, address);
}

function isOwned(view: ReleaseView, id: ClaimId, uid: string): boolean {
  const claim = view.world.claims.get(id);
  if (claim !== undefined) return claim.uid === uid;
  return view.world.absent.has(id);
}

function hold(row: LeasedAddress): LeasedAddress {
  return { ...row, state: { kind: "held" } };
}

function sentTo(
  view: ReleaseView,
  row: LeasedAddress,
  wanted: readonly AgentName[],
): readonly AgentName[] {
  const { forgotten } = view;
  const kept = row.sentTo.filter(
    (name) => !forgotten.has(name) && (wanted.includes(name) || !isGone(view, name, row.address)),
  );
  const named = [...wanted, ...reportersOf(view.world, row.address)];
  const added = named.filter((name) => !row.sentTo.includes(name) && !forgotten.has(name));
  if (added.length === 0) return kept.length === row.sentTo.length ? row.sentTo : kept;
  return [...new Set([...kept, ...added])].sort(compareText);
}

/** Agents that have it by their own word, whatever the store knows: it may be an older copy. */
export function reportersOf({ agents }: World, address: Address): readonly AgentName[] {
  const name = vipName(address);
  const found: AgentName[] = [];
  for (const agent of agents.values()) {
    if (agent.report?.resources.has(name) === true) found.push(agent.name);
  }
  return found;
}

function withSentTo(row: LeasedAddress, names: readonly AgentName[]): LeasedAddress {
  if (names === row.sentTo) return row;
  // Everybody who had it says that it is gone: whoever has none left to ask is not published.
  const published = row.published && names.length > 0;
  return { ...row, sentTo: names, published };
}
