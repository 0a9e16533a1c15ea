// Whose the name of an agent is while two hosts speak in it. The first one keeps it: two that push
// each other out would hold the same addresses, both by one plan. Given the hellos of streams; it
// knows nothing of plans.

import { status } from "@grpc/grpc-js";

import type { AgentName } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import type { Fact } from "../facts.ts";
import type { StreamEnd } from "./agent-stream.ts";

/** The names that two hosts ask for. Disposing forgets them. */
export interface NameClashes extends Disposable {
  /**
   * Judges a hello by who has the name. A stream from the same host is the same agent come back; a
   * host that has another address now comes in when its old stream has been silent for long enough
   * to be ended. Boots are no help: containers of one kernel share theirs.
   * @param from the host that says it.
   * @param holder the host that has the name; undefined: nobody has.
   * @returns how the new stream ends; undefined when it may have the name.
   */
  refuse(name: AgentName, from: string, holder: string | undefined): StreamEnd | undefined;
}

/** Who is refused asks again within 5 s; who has not for this long, in ms, asks no more. */
const OVER_MS = 15_000;
const SOURCE = "streams";

/** Makes it; what it finds goes to `emit`. */
export function createNameClashes(options: {
  readonly clock: Clock;
  readonly emit: (fact: Fact) => void;
}): NameClashes {
  const ends = new Map<AgentName, Timer>();
  const clearLater = (name: AgentName): void => {
    ends.get(name)?.cancel();
    const timer = options.clock.setTimer(OVER_MS, () => {
      ends.delete(name);
      options.emit({ kind: "finding-cleared", source: SOURCE, subject: "agent", name });
    });
    ends.set(name, timer);
  };
  return {
    refuse: (name, from, holder) => {
      if (holder === undefined || holder === from) return undefined;
      const detail = `${from} speaks in the name of ${name}, which ${holder} has`;
      const finding = { subject: "agent", name, reason: "AgentNameTaken", detail } as const;
      options.emit({ kind: "finding", source: SOURCE, finding });
      clearLater(name);
      const remedy = `give each agent a --name of its own; if ${holder} is gone, wait some seconds`;
      return { code: status.ALREADY_EXISTS, detail: `${detail}: ${remedy}` };
    },
    [Symbol.dispose]: () => {
      for (const timer of ends.values()) timer.cancel();
    },
  };
}
