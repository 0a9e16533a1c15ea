// The client of a demo's story: it connects all the time, and gives what it saw since a moment.
// Given the stage and an address. It judges nothing.

import { startProbe, type Try } from "@fairlead/lab";

import type { DemoStage } from "./demo-stage.ts";

/** From one connection to the next, in ms. */
export const CONNECT_EVERY_MS = 5;
/** A connection that takes longer has failed, in ms. */
const TIMEOUT_MS = 1000;
/** The client ends before, with the story. */
const DURATION_MS_MAX = 300_000;
const MEET_MS_MAX = 15_000;

/** A client that connects to one address, port 80, until it is disposed. */
export interface DemoClient extends AsyncDisposable {
  /**
   * Has something done, waits until connections that began after it are answered, and gives all
   * that ended meanwhile.
   */
  during(run: () => Promise<void>): Promise<readonly Try[]>;
}

/** Starts it and waits for its first answer. */
export async function startDemoClient(stage: DemoStage, address: string): Promise<DemoClient> {
  const pace = { everyMs: CONNECT_EVERY_MS, timeoutMs: TIMEOUT_MS, durationMs: DURATION_MS_MAX };
  const probe = await startProbe(stage.client, { address, port: 80, ...pace });
  await probe.waitForAnswer(MEET_MS_MAX);
  return {
    during: async (run) => {
      const from = probe.tries().length;
      await run();
      await probe.waitForAnswer(MEET_MS_MAX);
      return probe.tries().slice(from);
    },
    [Symbol.asyncDispose]: () => probe[Symbol.asyncDispose](),
  };
}
