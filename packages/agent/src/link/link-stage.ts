// An agent that has nothing but its link, for tests with a controller that is played by hand. Time
// is the fake clock's; the sockets are real. For tests alone.

import assert from "node:assert/strict";

import { type AgentName, parseAgentName, present, type Resource } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";
import { createRevisions, type OutgoingUpdate, type ToAgent } from "@fairlead/wire";

import type { AcceptedPlan, ControllerLink } from "../ports.ts";
import { createControllerLink } from "./controller-link.ts";
import type { Dial } from "./dial.ts";
import type { HandPlayedController, HandPlayedStream } from "./hand-played-controller.ts";

const revisions = createRevisions();

/** The agent of every stage. */
export const AGENT: AgentName = present(parseAgentName("lb1"), "an agent's name");

/** What a controller of the first epoch says first. */
export const WELCOME: Extract<ToAgent, { readonly kind: "welcome" }>["welcome"] = {
  epoch: 1,
  version: "1",
  heartbeatIntervalMs: 10_000,
  reportKnown: false,
};

/** The update from nothing to these resources. */
export function updateOf(resources: readonly Resource[], nonce = 1, epoch = 1): OutgoingUpdate {
  const entries = resources.map((one) => [one.name, revisions.revisionOf(one)] as const);
  return {
    nonce,
    epoch,
    baseRevision: undefined,
    newRevision: revisions.planRevisionOf(entries),
    upserts: resources.map((resource) => ({ resource, revision: revisions.revisionOf(resource) })),
    tombstones: [],
    confirmed: false,
  };
}

/** An agent's link, started; disposing sees that no timer outlives it. */
export class Stage implements AsyncDisposable {
  readonly clock: FakeClock = createFakeClock();
  readonly log: string[] = [];
  readonly plans: AcceptedPlan[] = [];
  readonly connections: boolean[] = [];
  readonly link: ControllerLink;
  /** How often it was to tell its segments. */
  announcements = 0;
  /** What a look at the host is to do. */
  look: () => Promise<void> = () => Promise.resolve();

  constructor(ports: number | readonly number[], held?: AcceptedPlan, dial?: Dial) {
    this.link = createControllerLink({
      ...(dial === undefined ? {} : { dial: () => dial }),
      agent: AGENT,
      addresses: [ports].flat().map((port) => `127.0.0.1:${port}`),
      credentials: { kind: "insecure" },
      clock: this.clock,
      log: createLogger({
        level: "warn",
        format: "json",
        destination: { write: (text) => void this.log.push(text) },
      }),
      revisions,
      random: () => 0.5,
    });
    this.link.start({
      hello: () => ({
        agent: AGENT,
        bootId: "b",
        version: "1",
        capabilities: ["vrrp"],
        links: [],
        epoch: held?.epoch ?? 0,
      }),
      held: () => held,
      onPlan: (plan) => void this.plans.push(plan),
      onConnectionChange: (connected) => void this.connections.push(connected),
      look: () => this.look(),
      announce: () => void (this.announcements += 1),
    });
  }

  /** Lets time pass in small steps, real sockets working in between, until `isDone`. */
  async until(isDone: () => boolean): Promise<void> {
    for (let round = 0; round < 10_000 && !isDone(); round += 1) await this.clock.advance(1);
    assert.ok(isDone(), "it comes true");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    assert.equal(this.clock.pendingTimers(), 0, "no timer outlives the link");
  }
}

/** Takes the agent's next stream up to its welcome. */
export async function welcomed(controller: HandPlayedController): Promise<HandPlayedStream> {
  const stream = await controller.stream();
  await stream.next("hello");
  stream.welcome();
  return stream;
}
