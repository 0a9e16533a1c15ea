// The election where there is nobody else: over a store that one controller alone can open. It
// leads from its start on; the lock of the store is what keeps a second one out.

import type { Election, ElectionView } from "../ports.ts";

/** Makes it. `identity` is how this controller is known. */
export function createSoleElection(identity: string): Election {
  let view: ElectionView = { leads: false };
  return {
    identity,
    noticesMs: 0,
    start: (events) => {
      view = { leads: true, holder: identity };
      events.onLead();
      return Promise.resolve();
    },
    view: () => view,
    [Symbol.asyncDispose]: () => {
      view = { leads: false };
      return Promise.resolve();
    },
  };
}
