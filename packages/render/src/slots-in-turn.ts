// Deals members to slots as even as can be, so that the slots of one are far apart, and whoever
// comes or goes changes no more than its share. Pure. A thousand members for a thousand slots are
// dealt in a few milliseconds, as the agent's loop waits for it: what a slot costs is asked of the
// nearest ones first, and of no more than may still be the best.

import { type Member, present } from "@fairlead/model";

/** Slots while they are dealt: the index of each one's member; `FREE` while it is nobody's. */
type Dealt = Int32Array;

const FREE = -1;

/** Every slot keeps the member that it had `before` as long as that has not more than its share. */
export function dealInTurn(
  members: readonly Member[],
  count: number,
  before: readonly Member[],
): readonly Member[] {
  const shares = sharesOf(members, count);
  const slots = asBefore(members, count, before);
  const counts = members.map(() => 0);
  for (const at of slots) if (at !== FREE) counts[at] = (counts[at] ?? 0) + 1;
  const excess = counts.reduce((sum, had, at) => sum + Math.max(0, had - (shares[at] ?? 0)), 0);
  let freed = 0;
  for (const at of members.keys()) {
    for (let had = counts[at] ?? 0; had > (shares[at] ?? 0); had--) {
      const reach = reachOf(shares[at] ?? 0, count);
      slots[bestToFree(slots, at, (freed * count) / excess, reach)] = FREE;
      freed += 1;
    }
  }
  for (const at of members.keys()) {
    const share = shares[at] ?? 0;
    for (let had = counts[at] ?? 0; had < share; had++) {
      slots[bestFree(slots, at, (had * count) / share, reachOf(share, count))] = at;
    }
  }
  return Array.from(slots, (at) => present(members[at], "shares add up to all slots"));
}

/** A member as text, by which it is the same before and after. */
export function keyOf({ address, port }: Member): string {
  return `${address} ${port}`;
}

function asBefore(members: readonly Member[], count: number, before: readonly Member[]): Dealt {
  const slots = new Int32Array(count).fill(FREE);
  if (before.length === 0) return slots;
  const index = new Map(members.map((member, at) => [keyOf(member), at]));
  // Where the slots became more, the old ones stand as they stood, and are dealt on behind.
  return slots.map((_, slot) => {
    const had = before[slot % before.length];
    return (had === undefined ? undefined : index.get(keyOf(had))) ?? FREE;
  });
}

/**
 * Slots by member (Sainte-Laguë): when one goes, nobody else loses any; when one comes, nobody else
 * gets any.
 */
function sharesOf(members: readonly Member[], count: number): readonly number[] {
  const quotients = Float64Array.from(members, ({ weight }) => weight);
  const shares = members.map(() => 0);
  for (let given = 0; given < count; given++) {
    let best = 0;
    for (let at = 1; at < quotients.length; at++) {
      if ((quotients[at] ?? 0) > (quotients[best] ?? 0)) best = at;
    }
    const share = (shares[best] ?? 0) + 1;
    shares[best] = share;
    quotients[best] = (members[best]?.weight ?? 0) / (2 * share + 1);
  }
  return shares;
}

/** The slot of a member that has most of its own around it and fewest free ones. */
function bestToFree(slots: Dealt, member: number, ideal: number, reach: number): number {
  // Free ones around a slot count for it, so that what it costs may be below nothing.
  return cheapest(slots, { of: member, ideal, least: -CROWD_MAX }, (slot) => {
    return crowdAt(slots, FREE, slot, reach) - crowdAt(slots, member, slot, reach);
  });
}

/** The free slot with the fewest of the same member around it. */
function bestFree(slots: Dealt, member: number, ideal: number, reach: number): number {
  return cheapest(slots, { of: FREE, ideal, least: 0 }, (slot) =>
    crowdAt(slots, member, slot, reach),
  );
}

/** Which slots are looked through. */
interface Search {
  /** Those that name this. */
  readonly of: number;
  /** Of equal ones the nearest to this, and of those the first. */
  readonly ideal: number;
  /** No slot costs less. */
  readonly least: number;
}

/** Of the slots that a search is for, the one with the lowest cost. The nearest are asked first. */
function cheapest(
  slots: Dealt,
  { of, ideal, least }: Search,
  costOf: (slot: number) => number,
): number {
  const { length } = slots;
  let best = -1;
  let bestCost = Number.POSITIVE_INFINITY;
  const look = (slot: number): void => {
    if (slots[slot] !== of) return;
    const away = Math.abs(slot - ideal);
    const cost = costOf(slot) * length + Math.min(away, length - away);
    if (cost < bestCost || (cost === bestCost && slot < best)) [best, bestCost] = [slot, cost];
  };
  const near = Math.floor(ideal);
  // Whatever is `step` away from there is `step - 1` or more away from the ideal.
  for (let step = 0; 2 * step <= length; step++) {
    if (least * length + step - 1 > bestCost) break;
    look((near + step) % length);
    if (step > 0) look((near - step + length) % length);
  }
  return best;
}

/**
 * How far from its own slots a member wants its next one: a connection is tried at three slots in a
 * row (proxy_next_upstream_tries), which are three members' where none has more than a third.
 */
function reachOf(share: number, count: number): number {
  return share * 3 <= count ? 2 : 1;
}

/** The most that `crowdAt` gives: four around it, and three rows. */
const CROWD_MAX = 2 + 4 + 24;

/** How bad it is that this slot names the member: by how many of the same are near it. */
function crowdAt(slots: Dealt, member: number, slot: number, reach: number): number {
  const { length } = slots;
  const farLeft = Number(slots[(slot - 2 + length) % length] === member);
  const left = Number(slots[(slot - 1 + length) % length] === member);
  const right = Number(slots[(slot + 1) % length] === member);
  const farRight = Number(slots[(slot + 2) % length] === member);
  const rows = farLeft * left + left * right + right * farRight;
  const near = reach < 2 ? 0 : farLeft + farRight;
  return near + (left + right) * 2 + rows * 8;
}
