// Says that Events are lost as the server does not take them: with its own words, once for new
// Events and once for counts of Events, until it takes one again. Given what became of each. It is
// no trouble that an Event is lost with its namespace, or that the object it counts in is gone.

import type { Clock, Timer } from "@fairlead/runtime";

import type { Right, Troubles } from "./publish-trouble.ts";
import { failureResult } from "./write-result.ts";

/** Few Events are written in quiet times: a loss so long ago is no news any more, in ms. */
const NEWS_MS = 600_000;

/** New Events, or counts of Events. */
type Verb = Right["verb"];

/** Remembers what was lost. Disposing ends its timers. */
export interface LostEvents extends Disposable {
  /** One was given up because of this. */
  lost(verb: Verb, error: Error): void;
  /** One was taken. */
  taken(verb: Verb): void;
  /** Somebody else tells Events from now on. */
  forget(): void;
}

/** Makes the memory; nothing was lost yet. */
export function createLostEvents(clock: Clock, troubles: Troubles): LostEvents {
  const told = new Map<Verb, Timer>();
  const taken = (verb: Verb): void => {
    told.get(verb)?.cancel();
    if (told.delete(verb)) troubles.isWell(nameOf(verb));
  };
  return {
    lost: (verb, error) => {
      if (isOfAnEnd(error)) return;
      const before = told.get(verb);
      before?.cancel();
      told.set(
        verb,
        clock.setTimer(NEWS_MS, () => taken(verb)),
      );
      // The next ones differ in their names, and say nothing new.
      if (before === undefined) troubles.fails(nameOf(verb), error);
    },
    taken,
    forget: () => {
      for (const verb of told.keys()) taken(verb);
    },
    [Symbol.dispose]: () => {
      for (const timer of told.values()) timer.cancel();
    },
  };
}

function nameOf(verb: Verb): string {
  return `event ${verb}`;
}

/** The Event or its namespace is gone, or goes. */
function isOfAnEnd(error: Error): boolean {
  return failureResult(error) === "conflict" || error.message.includes("it is being terminated");
}
