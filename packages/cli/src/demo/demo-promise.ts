// What the demo promises of its client, and whether a step kept it. Pure: given the client's tries,
// of the step and no others. A story that ends well has kept all of its promises.

import { summarizeTries, type Try } from "@fairlead/lab";

/**
 * `nothing-ends`: no connection fails. `moves-once`: the address moves by our will, so connections
 * of that moment may end, and no other fails. `taken-over`: its host could not say that it would
 * stop, so connections fail until another has it.
 */
export type DemoPromise = "nothing-ends" | "moves-once" | "taken-over";

/** What a story ends with that did not keep a promise. */
export class BrokenPromise extends Error {}

/** In all of them: without an answer for less than this, in ms. VRRP needs a third of it. */
const GAP_MS_MAX = 1000;

/** What was seen: connections, failures, and the longest time without an answer. */
export function seenText(tries: readonly Try[]): string {
  const { failed } = summarizeTries(tries);
  return `${tries.length} connections, ${failed} failed, longest gap ${gapMsOf(tries)} ms`;
}

/** Why the promise was not kept, in words; undefined: it was. */
export function brokenPromise(tries: readonly Try[], promise: DemoPromise): string | undefined {
  const failures = tries.filter(({ member }) => member === undefined);
  if (failures.length === tries.length) return "the client saw no answer at all";
  const counted = `${failures.length} of ${tries.length} connections failed`;
  if (promise === "nothing-ends" && failures.length > 0) return `${counted}, and none may`;
  if (promise === "moves-once" && !wereTogether(failures)) {
    return `${counted}, not all of them under way when the address moved`;
  }
  const gapMs = gapMsOf(tries);
  if (gapMs < GAP_MS_MAX) return undefined;
  return `the client saw no answer for ${gapMs} ms, and less than ${GAP_MS_MAX} are promised`;
}

/** Throws a BrokenPromise that says what is wrong, after what was done. */
export function keepPromise(what: string, tries: readonly Try[], promise: DemoPromise): void {
  const broken = brokenPromise(tries, promise);
  if (broken !== undefined) throw new BrokenPromise(`${what}: ${broken}`);
}

/** Whether there was one moment at which all of them had begun and none had ended. */
function wereTogether(tries: readonly Try[]): boolean {
  const lastBegunMs = Math.max(...tries.map(({ atMs }) => atMs));
  const firstEndMs = Math.min(...tries.map(({ atMs, tookMs }) => atMs + tookMs));
  return tries.length === 0 || lastBegunMs <= firstEndMs;
}

function gapMsOf(tries: readonly Try[]): number {
  return Math.round(summarizeTries(tries).longestSilence?.lengthMs ?? 0);
}
