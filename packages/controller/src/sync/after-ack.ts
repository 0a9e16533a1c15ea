// What an agent has once it answered an update, and which contents it did not take. Pure. Given the
// update and the answer; whether anything is sent next is not decided here.

import { patchMap, type Resource, type ResourceName, type Revision } from "@fairlead/model";
import type { Ack, Inventory, OutgoingUpdate } from "@fairlead/wire";

import type { Refusal } from "./target.ts";

/** What an agent has, with its revision; the revision is absent for one that never had a plan. */
export interface Held {
  readonly entries: Inventory;
  readonly revision: Revision | undefined;
}

/** An update that is not answered. */
export interface InFlight {
  readonly update: OutgoingUpdate;
  readonly result: Inventory;
}

/** What is known after an agent has taken an update. */
export interface AfterAck {
  readonly entries: Inventory;
  readonly refused: ReadonlyMap<ResourceName, Refusal>;
}

/** Works out what the agent has: the update's result, but for what it did not take. */
export function afterAck(before: {
  readonly inFlight: InFlight;
  readonly held: Held;
  readonly ack: Ack;
  readonly refused: ReadonlyMap<ResourceName, Refusal>;
}): AfterAck {
  const { inFlight, held, ack } = before;
  const sent = new Map(inFlight.update.upserts.map((one) => [one.resource.name, one]));
  const nacks = ack.nacks.flatMap(({ name, problem }) => {
    const one = sent.get(name);
    return one === undefined ? [] : [{ name, problem, one }];
  });
  const kept = new Map(nacks.map(({ name }) => [name, held.entries.get(name)]));
  const entries = patchMap(inFlight.result, kept);
  const refused = new Map([...before.refused].filter(([name]) => !sent.has(name)));
  for (const { name, problem, one } of nacks) {
    const { reason, detail } = problem;
    const needs = referenceOf(one.resource);
    const isNeeding = needs !== undefined && !entries.has(needs);
    const remark = { reason, detail };
    refused.set(name, { revision: one.revision, remark, ...(isNeeding ? { needs } : {}) });
  }
  return { entries, refused };
}

function referenceOf(resource: Resource): ResourceName | undefined {
  if (resource.kind === "listener") return resource.members;
  const carrier = resource.kind === "vip" ? resource.carrier : undefined;
  return carrier?.kind === "lane" ? carrier.resource : undefined;
}
