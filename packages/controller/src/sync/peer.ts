// What is kept of one agent over its streams, and what follows from it. Given by the streams; the
// outbox decides what is sent.

import {
  type AgentHello,
  type AgentName,
  type AgentReport,
  type ResourceName,
  vipName,
} from "@fairlead/model";
import type { MayStillGet } from "@fairlead/planner";

import type { AgentStream } from "./agent-stream.ts";
import { EMPTY_OUTBOX, mayStillGet, type Outbox } from "./outbox.ts";
import type { Refusal } from "./target.ts";

/** One agent, with or without a stream. */
export interface Peer {
  outbox: Outbox;
  stream: AgentStream | undefined;
  /** What it said of itself last. */
  hello: AgentHello | undefined;
  /** The last one, also of an earlier stream. */
  report: AgentReport | undefined;
  /** Whether a difference from `report` makes sense on the open stream. */
  hasReported: boolean;
}

/** An agent of which nothing is known. */
export function newPeer(): Peer {
  return {
    outbox: EMPTY_OUTBOX,
    stream: undefined,
    hello: undefined,
    report: undefined,
    hasReported: false,
  };
}

/** What the agent owes an answer to; undefined: nothing. */
export function owedAnswer(outbox: Outbox): string | undefined {
  if (outbox.stream?.isAsking === true) return "its inventory";
  const { inFlight } = outbox;
  return inFlight && `an answer to update ${inFlight.update.nonce}`;
}

/** What agents may have, as it is now: an outbox is never changed in place. */
export function sentByNow(peers: ReadonlyMap<AgentName, Peer>): MayStillGet {
  const outboxes = new Map(Array.from(peers, ([agent, { outbox }]) => [agent, outbox]));
  return (agent, address) => {
    const outbox = outboxes.get(agent);
    return outbox !== undefined && mayStillGet(outbox, vipName(address));
  };
}

/** What the agent could not do, by resource. */
export function problemsOf(report: AgentReport): ReadonlyMap<ResourceName, Refusal> {
  const problems = new Map<ResourceName, Refusal>();
  for (const [name, { problem }] of report.resources) {
    if (problem === undefined) continue;
    const { reason, detail, revision } = problem;
    problems.set(name, { revision, remark: { reason, detail } });
  }
  return problems;
}
