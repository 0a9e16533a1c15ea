// What a story waits for before it goes on: that agents have done what they were told, and that
// addresses have their successors. Given what the controller says of them.

import type { ListJson } from "./asker.ts";

/** Whether every agent that is connected has applied what it was told, as far as it can. */
export function areInSync({ agents }: ListJson): true | undefined {
  const connected = agents.filter(({ state }) => state === "connected");
  // "rejected" is the end of it too: what could be applied is.
  const isSettled = (sync: string): boolean => sync === "in-sync" || sync === "rejected";
  return connected.every(({ sync }) => isSettled(sync)) ? true : undefined;
}

/** Whether every agent that is connected has each address, or stands by for it. */
export function areBacked({ agents, addresses }: ListJson): true | undefined {
  const connected = agents.filter(({ state }) => state === "connected");
  const isBacked = addresses.every(({ holder, standingBy }) =>
    connected.every(({ name }) => name === holder || standingBy.includes(name)),
  );
  return isBacked ? true : undefined;
}

/** What each agent is to do, by the revision of it. */
export function plansIn({ agents }: ListJson): readonly string[] {
  return agents.map(({ name, wantedRevision }) => `${name} ${wantedRevision}`);
}
