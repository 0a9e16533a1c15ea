// Which member each slot of a listener names. Pure: members in, slots out. A member that comes or
// goes changes no more slots than its share, so that what clients were given stays theirs. Two
// fillings: by hash, the same on every host, for listeners that keep a client on its member; and in
// turn, as even as can be, for all others.

import { type Member, compareBy, compareText, hashPair, hashText, present } from "@fairlead/model";

/**
 * How many slots a listener may have. Each divides by 2, 3, 4 and 6, so that few members of equal
 * weight have equal shares: of 16 slots, one of three members would have a fifth more.
 */
export const SLOT_COUNTS = [24, 120, 1020] as const;

/** Number of slots of one listener. */
export type SlotCount = (typeof SLOT_COUNTS)[number];

/** How members are dealt to slots. */
export type SlotFilling = "in-turn" | "by-hash";

/** The member of each slot, by its number less one; empty when nobody may be connected to. */
export type Slots = readonly Member[];

/** A member has this many slots or more, or shares would differ by more than a quarter. */
const SLOTS_PER_MEMBER = 4;
/**
 * As many are enough until nginx reloads anyway: each member is named. Hashing deals them by
 * chance, and of one each it would leave a third of the members without any.
 */
const SLOTS_PER_MEMBER_MIN: Readonly<Record<SlotFilling, number>> = { "in-turn": 1, "by-hash": 2 };

/** The slots of a listener before its members changed, and whether nginx reloads now anyway. */
export interface SlotsBefore {
  readonly count: SlotCount;
  readonly reloads: boolean;
}

/**
 * The slots that these members need. It only grows in a listener's life, and only when there are
 * too few or nginx reloads anyway: another number is another text of nginx.conf.
 */
export function slotCountFor(
  members: readonly Member[],
  filling: SlotFilling,
  before?: SlotsBefore,
): SlotCount {
  const weights = activeMembers(members).map(({ weight }) => weight);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const byWeight = weights.length === 0 ? 0 : Math.ceil(sum / Math.min(...weights));
  const least = Math.max(byWeight, weights.length * SLOTS_PER_MEMBER_MIN[filling]);
  if (before?.reloads === false && least <= before.count) return before.count;
  const first = Math.max(before?.count ?? 0, filling === "by-hash" ? SLOT_COUNTS[1] : 0);
  const needed = Math.max(first, least, weights.length * SLOTS_PER_MEMBER);
  return SLOT_COUNTS.find((count) => count >= needed) ?? SLOT_COUNTS[2];
}

/**
 * Deals members to slots. Those that drain get none.
 * @param before what `in-turn` gave them last; it stays where it can.
 */
export function fillSlots(
  members: readonly Member[],
  count: SlotCount,
  filling: SlotFilling,
  before: Slots = [],
): Slots {
  const active = activeMembers(members).toSorted(byPlace);
  if (active.length === 0) return [];
  return filling === "by-hash" ? fillByHash(active, count) : fillInTurn(active, count, before);
}

function activeMembers(members: readonly Member[]): readonly Member[] {
  return members.filter((member) => member.state === "active");
}

/** Rendezvous hashing with weights: the highest score of a slot has it. */
function fillByHash(members: readonly Member[], count: SlotCount): Slots {
  const hashes = members.map((member) => hashText(keyOf(member)));
  return Array.from({ length: count }, (_, slot) => {
    let best = 0;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const [index, { weight }] of members.entries()) {
      const uniform = (hashPair(hashes[index] ?? 0, slot) + 0.5) / 2 ** 32;
      const score = -weight / Math.log(uniform);
      if (score > bestScore) [best, bestScore] = [index, score];
    }
    return present(members[best], "a member has the highest score");
  });
}

/** Slots while they are dealt: the index of each one's member; undefined while it is free. */
type Dealt = readonly (number | undefined)[];

/** Every slot keeps its member as long as that has not more than its share. */
function fillInTurn(members: readonly Member[], count: SlotCount, before: Slots): Slots {
  const shares = sharesOf(members, count);
  const index = new Map(members.map((member, at) => [keyOf(member), at]));
  const slots = Array.from({ length: count }, (_, slot) => {
    // Where the slots became more, the old ones stand as they stood, and are dealt on behind.
    const had = before[before.length === 0 ? 0 : slot % before.length];
    return had === undefined ? undefined : index.get(keyOf(had));
  });
  const counts = members.map((_, at) => slots.filter((slot) => slot === at).length);
  const excess = counts.reduce((sum, had, at) => sum + Math.max(0, had - (shares[at] ?? 0)), 0);
  let freed = 0;
  for (const at of members.keys()) {
    for (let had = counts[at] ?? 0; had > (shares[at] ?? 0); had--) {
      const reach = reachOf(shares[at] ?? 0, count);
      slots[bestToFree(slots, at, (freed * count) / excess, reach)] = undefined;
      freed += 1;
    }
  }
  for (const at of members.keys()) {
    const share = shares[at] ?? 0;
    for (let had = counts[at] ?? 0; had < share; had++) {
      slots[bestFree(slots, at, (had * count) / share, reachOf(share, count))] = at;
    }
  }
  return slots.map((at) => present(members[at ?? -1], "shares add up to all slots"));
}

/**
 * Slots by member (Sainte-Laguë): when one goes, nobody else loses any; when one comes, nobody else
 * gets any.
 */
function sharesOf(members: readonly Member[], count: SlotCount): readonly number[] {
  const shares = members.map(() => 0);
  for (let given = 0; given < count; given++) {
    let best = 0;
    let bestQuotient = 0;
    for (const [at, { weight }] of members.entries()) {
      const quotient = weight / (2 * (shares[at] ?? 0) + 1);
      if (quotient > bestQuotient) [best, bestQuotient] = [at, quotient];
    }
    shares[best] = (shares[best] ?? 0) + 1;
  }
  return shares;
}

/** The slot of a member that has most of its own around it and fewest free ones. */
function bestToFree(slots: Dealt, member: number, ideal: number, reach: number): number {
  return cheapest(slots, member, ideal, (slot) => {
    return crowdAt(slots, undefined, slot, reach) - crowdAt(slots, member, slot, reach);
  });
}

/** The free slot with the fewest of the same member around it. */
function bestFree(slots: Dealt, member: number, ideal: number, reach: number): number {
  return cheapest(slots, undefined, ideal, (slot) => crowdAt(slots, member, slot, reach));
}

/** Of all slots that name `of`, the one with the lowest cost, and of those the nearest. */
function cheapest(
  slots: Dealt,
  of: number | undefined,
  ideal: number,
  costOf: (slot: number) => number,
): number {
  let best = -1;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const [slot, at] of slots.entries()) {
    if (at !== of) continue;
    const away = Math.abs(slot - ideal);
    const cost = costOf(slot) * slots.length + Math.min(away, slots.length - away);
    if (cost < bestCost) [best, bestCost] = [slot, cost];
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

/** How bad it is that this slot names the member: by how many of the same are near it. */
function crowdAt(slots: Dealt, member: number | undefined, slot: number, reach: number): number {
  const is = (away: number): boolean => {
    return slots[(slot + away + slots.length) % slots.length] === member;
  };
  const [farLeft, left, right, farRight] = [is(-2), is(-1), is(1), is(2)];
  const beside = Number(left) + Number(right);
  const rows = Number(farLeft && left) + Number(left && right) + Number(right && farRight);
  const near = reach < 2 ? 0 : Number(farLeft) + Number(farRight);
  return near + beside * 2 + rows * 8;
}

function keyOf({ address, port }: Member): string {
  return `${address} ${port}`;
}

const byPlace: (a: Member, b: Member) => number = compareBy(
  (a, b) => compareText(a.address, b.address),
  (a, b) => a.port - b.port,
);
