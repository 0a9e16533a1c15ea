// The socket of one file of nginx, and what was answered on it last: who looks at nginx now and
// then need not ask again what somebody else has asked a moment before. Given the path.

import type { Clock } from "@fairlead/runtime";

import { createGenerationProbe } from "./generation-probe.ts";

/** A socket that is asked for its generation. */
export interface ProbedSocket {
  /** Undefined: the file has none, or there is no file. */
  readonly path: string | undefined;
  /**
   * The id that answers now; undefined when none does.
   * @param agoMsMax an answer that is no older than this is as good, in ms; 0: it is asked for.
   */
  ask(agoMsMax: number): Promise<string | undefined>;
}

/** Makes it; nothing is asked yet. */
export function createProbedSocket(
  clock: Pick<Clock, "nowMs">,
  path: string | undefined,
): ProbedSocket {
  const probe = path === undefined ? undefined : createGenerationProbe(path);
  let last: { readonly id: string; readonly atMs: number } | undefined;
  return {
    path,
    ask: async (agoMsMax) => {
      if (probe === undefined) return undefined;
      const atMs = clock.nowMs();
      if (last !== undefined && atMs - last.atMs < agoMsMax) return last.id;
      const id = await probe.ask();
      last = id === undefined ? undefined : { id, atMs };
      return id;
    },
  };
}
