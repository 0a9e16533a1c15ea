// The lead of this controller for those besides the loop whose work follows it. Given the election,
// which tells one alone; it decides nothing and waits for nothing.

import type { Election } from "../ports.ts";

/** Told in turns, `onLead` first. */
export interface LeadFollower {
  onLead(): void;
  onLost(): void;
}

/** An election that is listened to. */
export interface LeadFeed {
  /** For the loop, instead of the one that was given. */
  readonly election: Election;
  /** From now on; told at once where this controller leads already. */
  follow(follower: LeadFollower): void;
}

/** Makes it; the election is the loop's to start and to end. */
export function createLeadFeed(election: Election): LeadFeed {
  const followers: LeadFollower[] = [];
  let leads = false;
  return {
    election: {
      identity: election.identity,
      noticesMs: election.noticesMs,
      start: (events) =>
        election.start({
          onLead: () => {
            leads = true;
            events.onLead();
            for (const follower of followers) follower.onLead();
          },
          onLost: () => {
            leads = false;
            events.onLost();
            for (const follower of followers) follower.onLost();
          },
          onChange: () => events.onChange(),
        }),
      view: () => election.view(),
      [Symbol.asyncDispose]: () => election[Symbol.asyncDispose](),
    },
    follow: (follower) => {
      followers.push(follower);
      if (leads) follower.onLead();
    },
  };
}
