// What operators may ask for between two plans, for properties: agents are forgotten, drained and
// uncordoned, lanes moved and rebalanced, everything frozen and thawed, addresses released.

import { type Intent, type Plan, isLasting } from "@fairlead/model";
import fc from "fast-check";

import { nextWorld } from "./builders.ts";
import { type Happening, happening } from "./happening.ts";

/** Anything that an operator may ask for. */
export const arbOperatorsWish: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom("lb-1", "lb-2").map(forgotten),
  fc.constantFrom("lb-1", "lb-2").map(drained),
  fc.constantFrom("lb-1", "lb-2").map(uncordoned),
  fc.nat().map(moved),
  fc.nat().map(released),
  fc.constantFrom<"freeze" | "rebalance">("freeze", "rebalance").map(asked),
  fc.constant(undefined).map(thawed),
);

/** An operator's word that an agent is off; it is only given of one that is out of reach. */
function forgotten(name: string): Happening {
  return happening(`${name} is forgotten`, (world, plan) => {
    const agent = [...world.agents.values()].find((view) => view.name === name);
    if (agent === undefined || agent.connected) return nextWorld(world, plan);
    const { nowMs: sinceMs } = world;
    const intent = { id: `forget-${name}`, sinceMs, kind: "forget", agent: agent.name } as const;
    return nextWorld(world, plan, { intents: withIntent(plan, intent) });
  });
}

/** An operator's word that an address is free. */
function released(n: number): Happening {
  return happening(`address ${n} is released by hand`, (world, plan) => {
    const address = [...plan.leases.keys()][n % Math.max(1, plan.leases.size)];
    if (address === undefined) return nextWorld(world, plan);
    const { nowMs: sinceMs } = world;
    const intent = { id: `release-${address}`, sinceMs, kind: "release", address } as const;
    return nextWorld(world, plan, { intents: withIntent(plan, intent) });
  });
}

function drained(name: string): Happening {
  return happening(`${name} is drained`, (world, plan) => {
    const agent = [...world.agents.values()].find((view) => view.name === name);
    if (agent === undefined) return nextWorld(world, plan);
    const { nowMs: sinceMs } = world;
    const intent = { id: `drain-${name}`, sinceMs, kind: "drain", agent: agent.name } as const;
    return nextWorld(world, plan, { intents: withIntent(plan, intent) });
  });
}

function uncordoned(name: string): Happening {
  return happening(`${name} is uncordoned`, (world, plan) => {
    const intents = plan.intents.filter((one) => one.kind !== "drain" || one.agent !== name);
    return nextWorld(world, plan, { intents });
  });
}

function asked(kind: "freeze" | "rebalance"): Happening {
  return happening(`an operator says ${kind}`, (world, plan) => {
    const intent: Intent = { id: kind, sinceMs: world.nowMs, kind };
    return nextWorld(world, plan, { intents: withIntent(plan, intent) });
  });
}

function thawed(): Happening {
  return happening("an operator says thaw", (world, plan) => {
    const intents = plan.intents.filter(({ kind }) => kind !== "freeze");
    return nextWorld(world, plan, { intents });
  });
}

/** What lasts of an operator's wishes, and one more. */
function withIntent(plan: Plan, intent: Intent): readonly Intent[] {
  const lasting = plan.intents.filter((one) => isLasting(one) && one.id !== intent.id);
  return [...lasting, intent];
}

function moved(n: number): Happening {
  return happening(`lane ${n} is moved to its last agent`, (world, plan) => {
    const lanes = [...plan.lanes.values()];
    const lane = lanes[n % Math.max(1, lanes.length)];
    const to = lane?.order.at(-1);
    if (lane === undefined || to === undefined) return nextWorld(world, plan);
    const { nowMs: sinceMs } = world;
    const intent = { id: `move-${n}`, sinceMs, kind: "move", lane: lane.id, to } as const;
    return nextWorld(world, plan, { intents: withIntent(plan, intent) });
  });
}
