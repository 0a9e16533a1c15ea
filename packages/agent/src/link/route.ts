// Which controller is tried next: one after the other, round and round. Given their addresses. It
// counts how many were tried since one was found; when to wait is for its user to say.

import { assert } from "@fairlead/model";

/** The order in which controllers are tried. */
export interface Route {
  /** The one that is tried now. */
  address(): string;
  /** It was the right one: the round begins after it. */
  arrived(): void;
  /** Goes on to the next one, and says whether all have been tried in this round. */
  next(): "going-on" | "round-ended";
}

/** Makes it; the first address is tried first. There is at least one. */
export function createRoute(addresses: readonly string[]): Route {
  assert(addresses.length > 0, "a link has a controller to go to");
  let at = 0;
  let tried = 0;
  return {
    address: () => addresses[at] ?? "",
    arrived: () => {
      tried = 0;
    },
    next: () => {
      at = (at + 1) % addresses.length;
      tried += 1;
      if (tried < addresses.length) return "going-on";
      tried = 0;
      return "round-ended";
    },
  };
}
