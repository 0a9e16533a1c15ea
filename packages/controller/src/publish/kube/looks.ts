// Services that are to be looked at, a few at a time: ten thousand at once after a start would hold
// up everything else of the program for a second. Given the look; none is lost, and none is made
// twice while it waits.

import { setImmediate } from "node:timers";

import type { ClaimId } from "@fairlead/model";

/** Looks that are made before others may have the loop: a few ms. */
const AT_ONCE = 50;

/** Services that wait to be looked at. Disposing forgets them. */
export interface Looks extends Disposable {
  /** Undefined: there is nothing to look at. */
  add(id: ClaimId | undefined): void;
}

/** Makes it; nothing waits. */
export function createLooks(look: (id: ClaimId) => void): Looks {
  const waiting = new Set<ClaimId>();
  let isCalled = false;

  function run(): void {
    isCalled = false;
    let made = 0;
    for (const id of waiting) {
      if (made >= AT_ONCE) return call();
      waiting.delete(id);
      made += 1;
      look(id);
    }
  }

  function call(): void {
    if (isCalled) return;
    isCalled = true;
    setImmediate(run);
  }

  return {
    add: (id) => {
      if (id === undefined) return;
      waiting.add(id);
      call();
    },
    [Symbol.dispose]: () => waiting.clear(),
  };
}
