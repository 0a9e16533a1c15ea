// The client of a demo's story: it connects all the time, and says in one line what it saw since a
// moment. Given the stage and an address. What it says is counted from its own tries alone.

import { type Probe, startProbe, summarizeTries } from "@fairlead/lab";

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
   * Has something done, waits until connections that began after it are answered, and says what
   * was seen meanwhile: connections, failures, and the longest time without an answer.
   */
  during(run: () => Promise<void>): Promise<string>;
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
      return seen(probe, from);
    },
    [Symbol.asyncDispose]: () => probe[Symbol.asyncDispose](),
  };
}

function seen(probe: Probe, from: number): string {
  const { tries, failed, longestSilence } = summarizeTries(probe.tries().slice(from));
  const gapMs = Math.round(longestSilence?.lengthMs ?? 0);
  return `${tries} connections, ${failed} failed, longest gap ${gapMs} ms`;
}
