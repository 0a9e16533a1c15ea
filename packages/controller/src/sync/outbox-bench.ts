// An outbox that a test moves by events, with what it sent, for tests alone. Plans have one lane,
// and whatever else is wanted.

import assert from "node:assert";

import {
  type Address,
  type AgentHello,
  type AgentName,
  laneId,
  laneName,
  type LaneResource,
  type NodePlan,
  parseAddress,
  parseAgentName,
  parseDeviceName,
  present,
  type Resource,
  type Revision,
} from "@fairlead/model";
import { type Ack, createRevisions, type Revisions } from "@fairlead/wire";

import {
  EMPTY_OUTBOX,
  type Outbox,
  outboxContext,
  type OutboxMessage,
  stepOutbox,
} from "./outbox.ts";
import { syncStateOf } from "./sync-state.ts";
import { wantedPlan } from "./wanted-plan.ts";

/** What revisions are computed by. */
export const revisions: Revisions = createRevisions();

/** The agent whose outbox it is. */
export const AGENT: AgentName = present(parseAgentName("lb1"), "an agent's name");

/** The lane of every plan. */
export const LANE: LaneResource = {
  kind: "lane",
  name: laneName(laneId("192.0.2.0/24", 51)),
  lane: laneId("192.0.2.0/24", 51),
  segment: "192.0.2.0/24",
  routerId: 51,
  link: present(parseDeviceName("eth0"), "a device"),
  order: [{ agent: AGENT, address: present(parseAddress("192.0.2.11"), "an address") }],
  preempt: true,
  advertIntervalMs: 100,
};

const context = outboxContext(revisions);
const { planRevisionOf } = revisions;

/** A plan of these resources and the lane. */
export function planOf(resources: readonly Resource[]): NodePlan {
  const all = [LANE, ...resources];
  return { agent: AGENT, resources: new Map(all.map((one) => [one.name, one])), retained: [] };
}

/** The revision of that plan. */
export function revisionOfPlan(resources: readonly Resource[]): Revision {
  const all = [LANE, ...resources];
  return planRevisionOf(all.map((one) => [one.name, revisions.revisionOf(one)]));
}

function helloWith(parts: Partial<AgentHello>): AgentHello {
  const base = { agent: AGENT, bootId: "b", version: "1", capabilities: [], links: [], epoch: 0 };
  return { ...base, ...parts };
}

/** An outbox under test with what it sent. */
export class Bench {
  outbox: Outbox = EMPTY_OUTBOX;
  readonly sent: OutboxMessage[] = [];

  do(event: Parameters<typeof stepOutbox>[1]): this {
    const { outbox, send } = stepOutbox(this.outbox, event, context);
    this.outbox = outbox;
    if (send !== undefined) this.sent.push(send);
    return this;
  }

  want(
    resources: readonly Resource[],
    options: { epoch?: number; unconfirmed?: ReadonlySet<Address> } = {},
  ): this {
    const { epoch = 3, unconfirmed = new Set<Address>() } = options;
    const wanted = wantedPlan(planOf(resources), { epoch, unconfirmed, revisions });
    return this.do({ kind: "wanted", wanted });
  }

  hello(parts: Partial<AgentHello> = {}): this {
    return this.do({ kind: "hello", hello: helloWith(parts) });
  }

  ack(answer: Partial<Ack> = { step: "received" }): this {
    const nonce = this.outbox.inFlight?.update.nonce ?? 0;
    return this.do({ kind: "ack", ack: { nonce, nacks: [], ...answer } });
  }

  applied(resources: readonly Resource[]): this {
    const applied = revisionOfPlan(resources);
    return this.do({ kind: "reported", applied, problems: new Map(), isNew: true });
  }

  get last(): Extract<OutboxMessage, { kind: "update" }>["update"] {
    const message = this.sent.at(-1);
    if (message?.kind !== "update") assert.fail("the last message is an update");
    return message.update;
  }

  get state(): string {
    const { state, detail } = syncStateOf(this.outbox, planRevisionOf);
    return detail === "" ? state : `${state}: ${detail}`;
  }
}
