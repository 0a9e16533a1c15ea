// Whose the name of an agent is while two hosts speak in it. The first one keeps it: two that push
// each other out would hold the same addresses, both by one plan. Given the hellos of streams; it
// knows nothing of plans.

import { status } from "@grpc/grpc-js";

import type { AgentHello, AgentName } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import type { Fact } from "../facts.ts";
import type { AgentStream, StreamEnd } from "./agent-stream.ts";

/** Who has a name: where its stream comes from, and what it said of itself last. */
export interface NameHolder {
  readonly stream: Pick<AgentStream, "from"> | undefined;
  readonly hello: AgentHello | undefined;
}

/** The names that two hosts ask for. Disposing forgets them. */
export interface NameClashes extends Disposable {
  /**
   * Judges a hello by who has the name. A stream from the same address, or from the same host that
   * has another one now, is the same agent come back.
   * @param from the host's address.
   * @returns how the new stream ends; undefined when it may have the name.
   */
  refuse(hello: AgentHello, from: string, holder: NameHolder): StreamEnd | undefined;
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
    refuse: (hello, from, { stream, hello: known }) => {
      if (stream === undefined || stream.from === from) return undefined;
      if (isSameHost(hello, known)) return undefined;
      const { agent: name } = hello;
      const detail = `${from} speaks in the name of ${name}, which ${stream.from} has`;
      const finding = { subject: "agent", name, reason: "AgentNameTaken", detail } as const;
      options.emit({ kind: "finding", source: SOURCE, finding });
      clearLater(name);
      const remedy =
        "give each agent a --name of its own; the name of a host that is gone is free in 9 s";
      return { code: status.ALREADY_EXISTS, detail: `${detail}: ${remedy}` };
    },
    [Symbol.dispose]: () => {
      for (const timer of ends.values()) timer.cancel();
    },
  };
}

/** By boot and network card: containers share the boots of their kernel, and clones are booted. */
function isSameHost(one: AgentHello, other: AgentHello | undefined): boolean {
  if (one.bootId !== other?.bootId) return false;
  return one.links.some(({ mac }) => other.links.some((link) => link.mac === mac));
}
