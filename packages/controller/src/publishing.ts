// Says the newest publication through every publisher, and says it again while one of them fails.
// Given the publishers. Only the newest counts: one that was overtaken is never said. A failing
// publisher keeps neither the others nor the loop from going on.

import { type Clock, type Logger, createPace, describeError, isEdgeError } from "@fairlead/runtime";

import { crash } from "./crash.ts";
import type { Publication, Publisher } from "./ports.ts";

/** A burst of publications is said once in this time at the most, in ms. */
const WAIT_MAX_MS = 50;
/** What a publisher could not write is tried again after this long, in ms. */
const RETRY_MS = 5000;

/** The publishers under one pace. */
export interface Publishing extends AsyncDisposable {
  /** Replaces what is to be said; returns at once. */
  say(publication: Publication): void;
  /** Forgets what is to be said, and so do the publishers. */
  pause(): void;
  /** Resolves when everything handed in so far was said, or overtaken, or has failed. */
  done(): Promise<void>;
}

/** Makes it; nothing is said before `say`. */
export function createPublishing(options: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly publishers: readonly Publisher[];
}): Publishing {
  const { clock, log, publishers } = options;
  const troubles = new Map<string, string>();
  let newest: Publication | undefined;

  const pace = createPace({
    clock,
    quietMs: 0,
    maxWaitMs: WAIT_MAX_MS,
    run: publishAll,
    // Adapters reject with EdgeErrors alone; anything else is a bug and ends the process.
    onError: crash,
  });

  async function publishAll(): Promise<void> {
    for (const publisher of publishers) {
      // One publisher takes its time, and the lead may be lost meanwhile.
      if (newest === undefined) return;
      await publishBy(publisher, newest);
    }
    const isOpen = newest !== undefined && troubles.size > 0;
    pace.pokeIn(isOpen ? RETRY_MS : undefined);
  }

  async function publishBy(publisher: Publisher, publication: Publication): Promise<void> {
    const { name } = publisher;
    try {
      await publisher.publish(publication);
      if (troubles.delete(name)) log.info({ publisher: name }, "everything is published again");
    } catch (error) {
      if (!isEdgeError(error)) throw error;
      const isNew = troubles.get(name) !== error.code;
      troubles.set(name, error.code);
      if (isNew) log.error({ publisher: name, error: describeError(error) }, "cannot publish");
    }
  }

  return {
    say: (publication) => {
      newest = publication;
      pace.poke();
    },
    pause: () => {
      newest = undefined;
      pace.pokeIn(undefined);
      for (const publisher of publishers) publisher.pause?.();
    },
    done: () => pace.done(),
    [Symbol.asyncDispose]: () => pace[Symbol.asyncDispose](),
  };
}
