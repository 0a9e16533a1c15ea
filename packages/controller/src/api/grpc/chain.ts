// A chain of links from what asks to the proof, and how it is told: the first broken link decides
// what to do, and nothing after it is called broken too. Pure.

import { REASONS, type Reason } from "@fairlead/model";
import { type ExplainResponseSchema, LinkState, type MessageInitShape } from "@fairlead/wire";

import { wholeMs } from "./age.ts";

/** A chain as the contract's table takes it. */
export type ExplainInit = MessageInitShape<typeof ExplainResponseSchema>;

/** One link. */
export interface Link {
  /** "Seen", "Held": one word or two. */
  readonly title: string;
  /**
   * `unknown`: nothing can be said, as proof is stale or an earlier link is broken. `doubt`: it
   * works, with something worth saying.
   */
  readonly state: "good" | "broken" | "unknown" | "doubt";
  /** A short sentence with its values, without a full stop. */
  readonly detail: string;
  /** Why it is not good, where the list of reasons has it. */
  readonly reason?: Reason;
  /** Epoch ms since when it is so; absent when that is not known. */
  readonly sinceMs?: number;
}

const STATES: Readonly<Record<Link["state"], LinkState>> = {
  good: LinkState.GOOD,
  broken: LinkState.BROKEN,
  unknown: LinkState.UNKNOWN,
  doubt: LinkState.DOUBT,
};

/** Tells a chain. `title` says what it is about: `Service default/web`. */
export function tellChain(title: string, links: readonly Link[], nowMs: number): ExplainInit {
  return tellLinks(title, afterBroken(links), nowMs);
}

/** Tells links that do not hang on each other: each stands as it is. */
export function tellLinks(title: string, told: readonly Link[], nowMs: number): ExplainInit {
  return {
    found: true,
    title,
    steps: told.map(({ title: word, state, detail, sinceMs, reason }) => ({
      title: word,
      state: STATES[state],
      detail,
      ...(sinceMs === undefined ? {} : { ageMs: wholeMs(nowMs - sinceMs) }),
      code: reason === undefined ? "" : REASONS[reason].code,
    })),
    remedy: remedyOf(told),
  };
}

/** A link with its reason, where one is known. */
export function link(
  title: string,
  state: Link["state"],
  detail: string,
  more: { readonly reason?: Reason | undefined; readonly sinceMs?: number | undefined } = {},
): Link {
  const { reason, sinceMs } = more;
  return {
    title,
    state,
    detail,
    ...(reason === undefined ? {} : { reason }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
  };
}

/** What follows a broken link is unknown where it would be broken as well. */
function afterBroken(links: readonly Link[]): readonly Link[] {
  const first = links.findIndex(({ state }) => state === "broken");
  return links.map((one, index) =>
    first >= 0 && index > first && one.state === "broken" ? { ...one, state: "unknown" } : one,
  );
}

/** What to do about the first broken link; without one, about the first that is not good. */
function remedyOf(links: readonly Link[]): string {
  const broken = links.find(({ state }) => state === "broken");
  const reasoned = links.find(({ state, reason }) => state !== "good" && reason !== undefined);
  const reason = broken === undefined ? reasoned?.reason : broken.reason;
  return reason === undefined ? "" : REASONS[reason].remedy;
}
