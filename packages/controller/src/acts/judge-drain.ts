// Whether an agent may be drained or uncordoned, and what comes of it. Pure. A drain is never
// refused for want of others: what nobody else can hold stays, and it is said which.

import type { AgentName, Intent, Lane, World } from "@fairlead/model";
import { drainTarget, holderOf, isDrained, reportedHolders, willOf } from "@fairlead/planner";

import type { AllowedAct, DeniedAct, PlannedMove } from "./act.ts";
import { addressesByLane, addressesText, moveText, WHAT_ENDS } from "./lane-text.ts";
import { timeText } from "./time-text.ts";

/** Judges a drain. */
export function judgeDrain(world: World, agent: AgentName): AllowedAct | DeniedAct {
  if (!isKnown(world, agent)) return unknownAgent(agent);
  const known = world.intents.find((one) => one.kind === "drain" && one.agent === agent);
  const intent: Intent = { id: `drain-${agent}`, sinceMs: world.nowMs, kind: "drain", agent };
  const { moves, staying } = leave(known === undefined ? withIntent(world, intent) : world, agent);
  const will = willOf(world);
  const isNew = known === undefined;
  const since = isNew ? "" : ` since ${timeText(known.sinceMs)}`;
  const frozen = will.isFrozen ? ["all is frozen: nothing moves before fairlead thaw"] : [];
  return {
    kind: "allowed",
    will: [
      isNew
        ? `${agent} gets no new addresses until it is uncordoned`
        : `${agent} is drained${since}`,
      ...moves.map(moveText),
      ...(moves.length === 0 ? [] : [WHAT_ENDS]),
      ...staying,
      ...frozen,
    ],
    did: [`${agent} is drained${since}; fairlead uncordon ${agent} ends it`],
    intents: isNew ? [intent] : [],
    // Whoever is to be empty is no target any more.
    ends: [...will.moves.values()].flatMap(({ id, to }) => (to === agent ? [id] : [])),
    leases: [],
    owners: [],
    moves: will.isFrozen ? [] : moves,
  };
}

/** Judges its end. */
export function judgeUncordon(world: World, agent: AgentName): AllowedAct | DeniedAct {
  const known = world.intents.find((one) => one.kind === "drain" && one.agent === agent);
  if (known === undefined && !isKnown(world, agent)) return unknownAgent(agent);
  const did =
    known === undefined
      ? `${agent} is not drained`
      : `${agent} may hold lanes again; nothing moves back by itself, but by fairlead rebalance`;
  const ends = known === undefined ? [] : [known.id];
  return { kind: "allowed", will: [], did: [did], intents: [], ends, leases: [], owners: [] };
}

/** What is said of a name that nobody has. */
export function unknownAgent(name: AgentName): DeniedAct {
  const why = `no agent is called ${name}`;
  return { kind: "not-found", why: [why], remedy: "Look at fairlead agents." };
}

/** Also one that did not connect to this controller yet. */
function isKnown({ agents, lanes }: World, agent: AgentName): boolean {
  return agents.has(agent) || [...lanes.values()].some(({ order }) => order.includes(agent));
}

function withIntent(world: World, intent: Intent): World {
  return { ...world, intents: [...world.intents, intent] };
}

/** What goes, and a sentence for everything that stays. */
function leave(
  world: World,
  agent: AgentName,
): { readonly moves: readonly PlannedMove[]; readonly staying: readonly string[] } {
  const holders = reportedHolders(world);
  const will = willOf(world);
  const byLane = addressesByLane(world);
  const moves: PlannedMove[] = [];
  const staying: string[] = [];
  for (const lane of world.lanes.values()) {
    if (holderOf(lane, holders) !== agent) continue;
    const addresses = byLane.get(lane.id) ?? [];
    const to = drainTarget({ world, will, lane, holder: agent });
    if (to !== undefined) moves.push({ lane: lane.id, from: agent, to, addresses });
    else {
      const why = whyNobodyElse(world, lane, agent);
      staying.push(`lane ${lane.id} stays with ${addressesText(addresses)}: ${why}`);
    }
  }
  for (const { address, placement, pool } of world.leases.values()) {
    if (placement.kind !== "host" || placement.agent !== agent) continue;
    staying.push(`${address} stays: addresses of pool ${pool} do not move between agents`);
  }
  return { moves, staying };
}

function whyNobodyElse(world: World, { order }: Lane, agent: AgentName): string {
  const others = order.filter((one) => one !== agent);
  if (others.length === 0) return "no other agent is in it";
  const texts = others.map((one) => {
    if (isDrained(world, one)) return `${one} is drained`;
    const isThere = world.agents.get(one)?.connected === true;
    return isThere ? `${one} does not stand by for it` : `${one} is out of reach`;
  });
  return `${texts.join(", ")}; it goes as soon as one can hold it`;
}
