// Ports of a controller's loop that a test plays by hand: a source that says what it is told to,
// and an election that is won and lost on command.

import type { Election, ElectionEvents, ElectionView, Fact, Source } from "@fairlead/controller";
import type { AddressPool, Claim } from "@fairlead/model";

import { claimSeen, folderListed } from "./told-facts.ts";

/** After this long an election shows that another one leads, in ms. */
export const NOTICES_MS = 3000;

/** A folder that is played by hand. */
export interface PlayedSource {
  readonly port: Source;
  /** What the source sees, from its start on. */
  say(...facts: readonly Fact[]): void;
}

/** A folder that shows this at its start. @param statuses what it says when a lead begins. */
export function createPlayedSource(
  pool: AddressPool,
  claims: readonly Claim[],
  statuses: readonly Claim[] = [],
): PlayedSource {
  let emit: (facts: readonly Fact[]) => void = () => undefined;
  return {
    port: {
      name: "folder",
      start: async (given) => {
        emit = given;
        await Promise.resolve();
        emit([
          { kind: "pool-seen", source: "folder", pool },
          ...claims.map(claimSeen),
          folderListed(claims),
        ]);
      },
      sayStatuses: async (asked) => {
        await Promise.resolve();
        emit(statuses.filter(({ id }) => asked.has(id)).map(claimSeen));
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    say: (...facts) => emit(facts),
  };
}

/** What somebody who does not lead sees of the lead. */
export type LeadElsewhere = Omit<ElectionView, "leads">;

/** An election that is played by hand: at first another one leads. */
export interface PlayedElection {
  readonly port: Election;
  /** It is won. */
  lead(): void;
  /** What it sees of the lead from now on. */
  see(view: LeadElsewhere): void;
  /** Its time is over, and nobody has told it. */
  expire(): void;
  /** It is told so. */
  lose(): void;
}

/** An election that waits for what a test does. */
export function createPlayedElection(): PlayedElection {
  let leads = false;
  let seenOf: LeadElsewhere = { holder: "another" };
  let events: ElectionEvents | undefined;
  return {
    port: {
      identity: "me",
      noticesMs: NOTICES_MS,
      start: (given) => {
        events = given;
        return Promise.resolve();
      },
      view: () => (leads ? { leads, holder: "me" } : { leads, ...seenOf }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    lead: () => {
      leads = true;
      events?.onLead();
    },
    see: (view) => {
      seenOf = view;
      events?.onChange();
    },
    expire: () => {
      leads = false;
    },
    lose: () => events?.onLost(),
  };
}
