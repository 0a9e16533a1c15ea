// Agents that came while nobody leads: each waits for a moment until it is known who does, as one
// that is sent away would come back later than the lead is won. Given a clock; whose the lead is,
// and what becomes of an agent then, is for its user to say.

import type { AgentHello } from "@fairlead/model";
import type { Clock, Timer } from "@fairlead/runtime";

import type { AgentStream } from "./agent-stream.ts";

/** An agent that waits, with all that it said. */
export interface WaitingAgent {
  readonly stream: AgentStream;
  readonly hello: AgentHello;
  readonly reportDigest: string | undefined;
}

/** Those who wait. */
export interface WaitingRoom {
  add(agent: WaitingAgent): void;
  /** Its stream has ended. Does nothing for one that does not wait. */
  leave(stream: AgentStream): void;
  /** All of them in the order in which they came; nobody waits any more. */
  empty(): readonly WaitingAgent[];
}

/** Makes an empty one. */
export function createWaitingRoom(options: {
  readonly clock: Clock;
  /** Each waits for so long at the most, in ms. */
  readonly waitMs: number;
  /** One has waited for so long, and does not wait any more. */
  readonly onLate: (agent: WaitingAgent) => void;
}): WaitingRoom {
  const { clock, waitMs, onLate } = options;
  const waiting = new Map<AgentStream, { readonly agent: WaitingAgent; readonly timer: Timer }>();

  function leave(stream: AgentStream): void {
    waiting.get(stream)?.timer.cancel();
    waiting.delete(stream);
  }

  return {
    add: (agent) => {
      const timer = clock.setTimer(waitMs, () => {
        waiting.delete(agent.stream);
        onLate(agent);
      });
      waiting.set(agent.stream, { agent, timer });
    },
    leave,
    empty: () => {
      const all = Array.from(waiting.values(), ({ agent }) => agent);
      for (const { stream } of all) leave(stream);
      return all;
    },
  };
}
