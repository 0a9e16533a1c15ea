// What a day may have beside the pool `lan` and what may always happen: chosen from its seed, each
// by itself, so that they meet in all ways. Pure.

import { randomBySeed } from "../scenario/faults.ts";

/**
 * `families`: hosts, pools and Services of IPv4 and IPv6. `pools`: other pools, with reserved
 * addresses, selectors, overlaps, and one whose holders move when it shrinks. `words`: operators
 * free addresses and give hosts up. `strangers`: others on the segment answer for addresses.
 * `stores`: the store is lost, or put back to an older copy. `host`, `link`: pools of these modes.
 */
export const TRAITS = [
  "families",
  "pools",
  "words",
  "strangers",
  "stores",
  "host",
  "link",
] as const;

/** One of them. */
export type Trait = (typeof TRAITS)[number];

/** How many days have each of them. */
const TRAIT_RATE = 0.35;

/**
 * The traits of a seed's day. `stores` is had by asking alone: an older copy of the store may say
 * of a Service that was dropped and asked for again meanwhile that it is published, and it is told
 * so for a moment before its hosts are heard, as on the day of seed 9174 with all traits.
 */
export function traitsOf(seed: number): readonly Trait[] {
  const random = randomBySeed(seed + 4);
  return TRAITS.filter(() => random() < TRAIT_RATE).filter((trait) => trait !== "stores");
}

/** Whether the word is a trait. */
export function isTrait(word: string): word is Trait {
  return TRAITS.some((trait) => trait === word);
}
