// Which member each slot of a listener names. Pure: members in, slots out. A member that comes or
// goes changes no more slots than its share, so that what clients were given stays theirs. Two
// fillings: by hash, the same on every host, for listeners that keep a client on its member; and in
// turn, as even as can be, for all others.

import { type Member, compareBy, compareText, hashPair, hashText, present } from "@fairlead/model";

import { dealInTurn, keyOf } from "./slots-in-turn.ts";

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
  return filling === "by-hash" ? fillByHash(active, count) : dealInTurn(active, count, before);
}

function activeMembers(members: readonly Member[]): readonly Member[] {
  return members.filter((member) => member.state === "active");
}

/**
 * Rendezvous hashing with weights: the highest score of a slot has it. A thousand members ask for a
 * million scores: the logarithm is left out where all weigh the same, as it changes no order.
 */
function fillByHash(members: readonly Member[], count: SlotCount): Slots {
  const hashes = members.map((member) => hashText(keyOf(member)));
  const weights = members.map(({ weight }) => weight);
  const areAlike = weights.every((weight) => weight === weights[0]);
  return Array.from({ length: count }, (_, slot) => {
    let best = 0;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < hashes.length; index++) {
      const hash = hashPair(hashes[index] ?? 0, slot);
      const score = areAlike ? hash : -(weights[index] ?? 0) / Math.log((hash + 0.5) / 2 ** 32);
      if (score > bestScore) [best, bestScore] = [index, score];
    }
    return present(members[best], "a member has the highest score");
  });
}

const byPlace: (a: Member, b: Member) => number = compareBy(
  (a, b) => compareText(a.address, b.address),
  (a, b) => a.port - b.port,
);
