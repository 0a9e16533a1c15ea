// Whether an agent may be drained or uncordoned, and what comes of it. Pure. A drain is never
// refused for want of others: what nobody else can hold stays, and it is said which.

import type { Address, AgentName, Intent, World } from "@fairlead/model";
import { willOf } from "@fairlead/planner";

import type { AllowedAct, DeniedAct, Staying } from "./act.ts";
import { addressesText, countText, moveText, WHAT_ENDS } from "./lane-text.ts";
import { leave } from "./leave.ts";
import { timeText } from "./time-text.ts";
import { whatComes } from "./what-comes.ts";

/** Judges a drain. */
export function judgeDrain(world: World, agent: AgentName): AllowedAct | DeniedAct {
  if (!isKnown(world, agent)) return unknownAgent(agent);
  const known = world.intents.find((one) => one.kind === "drain" && one.agent === agent);
  const intent: Intent = { id: `drain-${agent}`, sinceMs: world.nowMs, kind: "drain", agent };
  const { moves, stays } = leave(known === undefined ? withIntent(world, intent) : world, agent);
  const will = willOf(world);
  const isNew = known === undefined;
  const since = isNew ? "" : ` since ${timeText(known.sinceMs)}`;
  const frozen = will.isFrozen ? ["all is frozen: nothing moves before fairlead thaw"] : [];
  const keeps = keepsText(world, agent, stays);
  return {
    kind: "allowed",
    will: [
      isNew
        ? `${agent} gets no new addresses but those that nobody else can take, until it is uncordoned`
        : `${agent} is drained${since}`,
      ...moves.map(moveText),
      ...(moves.length === 0 ? [] : [WHAT_ENDS]),
      ...stays.map(stayText),
      ...frozen,
    ],
    did: [`${agent} is drained${since}${keeps}; fairlead uncordon ${agent} ends it`],
    intents: isNew ? [intent] : [],
    // Whoever is to be empty is no target any more.
    ends: [...will.moves.values()].flatMap(({ id, to }) => (to === agent ? [id] : [])),
    leases: [],
    owners: [],
    moves,
    stays,
    ...(keeps === "" ? {} : { remedy: remedyOf(world, agent) }),
  };
}

/** Judges its end. */
export function judgeUncordon(world: World, agent: AgentName): AllowedAct | DeniedAct {
  const known = world.intents.find((one) => one.kind === "drain" && one.agent === agent);
  if (known === undefined && !isKnown(world, agent)) return unknownAgent(agent);
  const { will, moves } =
    known === undefined ? { will: [], moves: [] } : whatComes(world, known.id, agent);
  const rest = will.length === 0 ? "nothing moves back" : "nothing else moves back";
  const did =
    known === undefined
      ? `${agent} is not drained`
      : `${agent} may be given addresses again; ${rest} by itself, but by fairlead rebalance`;
  const ends = known === undefined ? [] : [known.id];
  return { kind: "allowed", will, did: [did], intents: [], ends, leases: [], owners: [], moves };
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

function stayText({ lane, addresses, why }: Staying): string {
  const what = addressesText(addresses);
  return lane === undefined ? `${what} stays: ${why}` : `lane ${lane} stays with ${what}: ${why}`;
}

/** Empty: all that could ever move goes. Whoever reads only the last line reads this. */
function keepsText({ agents }: World, agent: AgentName, stays: readonly Staying[]): string {
  const left = stays.flatMap((one): readonly Address[] =>
    one.lane === undefined ? [] : one.addresses,
  );
  if (left.length === 0) return "";
  const holds = agents.get(agent)?.connected === true ? "still holds" : "may still hold";
  return `, but it ${holds} ${countText(left.length)}: ${addressesText(left)}`;
}

function remedyOf(world: World, agent: AgentName): string {
  if (willOf(world).isFrozen) return `Leave ${agent} running; fairlead thaw lets them go.`;
  if (world.agents.get(agent)?.connected === true) {
    return (
      `Leave ${agent} running; uncordon or start an agent that can hold them, ` +
      "and they go by themselves."
    );
  }
  return `Bring ${agent} back; or end what still runs there by fairlead-agent stop --withdraw.`;
}
