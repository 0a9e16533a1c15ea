// When an agent that is new in a lane may run it: not before those who run it speak to it. Until
// then it would hear no adverts, and hold the VIPs a second time. Given reports and rows alone, so
// that a controller that was restarted in the middle decides the same.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Lane,
  type LaneId,
  type LaneResource,
  type LeasedAddress,
  type Resource,
  type Revision,
  type Step,
  type World,
  laneName,
  vipName,
} from "@fairlead/model";

import { canTell, isDeafTo, mustListen } from "./hearing.ts";
import { firstIn, waitingForFirst } from "./new-lanes.ts";
import { isStale, mayStillCome } from "./stale.ts";
import { laneReportOf } from "./lane-holders.ts";
import { hasTried, isStuck } from "./stuck.ts";

/** What it is decided from. */
export interface JoinOptions {
  readonly world: World;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly revisionOf: (resource: Resource) => Revision;
  /** Agents to which VIPs of the lane were sent. */
  readonly sentTo: (lane: Lane) => ReadonlySet<AgentName>;
}

/**
 * The agents of the lane that may not run it: those that join and are not spoken to yet, and those
 * that do not hear who holds it.
 * @param resources the lane as each agent is to run it, whoever joins included.
 */
export function waitingAgents(
  options: JoinOptions,
  lane: Lane,
  resources: ReadonlyMap<AgentName, LaneResource>,
): ReadonlySet<AgentName> {
  const { agents } = options.world;
  const waiting = new Set(joiningAgents(options, lane, resources));
  const others = lane.settled
    ? [...resources.keys()].filter((agent) => isDeafTo(agents, lane, agent))
    : waitingForFirst(options, lane, {
        has: (agent) => resources.has(agent),
        sent: options.sentTo(lane),
      });
  for (const agent of others) waiting.add(agent);
  return waiting;
}

/**
 * The agents that join a lane and may not run it yet. Those to whom a new lane is given first do
 * not join: nobody has it then. Whoever comes later waits for all that may run it, and not only for
 * the one that it hears, which may be gone any time. Whoever cannot run the lane is not waited for,
 * as it could lose its only others, nor who has been out of reach for long: one that is may be well
 * for a while, and holds the lane beside the newcomer, of which it does not know, as soon as that
 * holds it.
 * @param resources the lane as each agent is to run it, whoever joins included.
 */
function joiningAgents(
  options: JoinOptions,
  lane: Lane,
  resources: ReadonlyMap<AgentName, LaneResource>,
): ReadonlySet<AgentName> {
  const { agents } = options.world;
  const name = laneName(lane.id);
  const strangers = [...resources.keys()].filter((agent) => {
    if (agent === lane.holder) return false;
    // One that comes back by an old plan runs it, and hears nothing of whoever holds it by now.
    return laneReportOf(agents.get(agent), lane) === undefined || !isSpokenTo(agents, lane, agent);
  });
  if (strangers.length === 0) return NOBODY;
  const sent = options.sentTo(lane);
  if (!lane.settled && sent.size === 0) return NOBODY;
  // Who has a settled lane and is not spoken to joins it anew, whatever it was sent before; who has
  // a new one may be about to run it.
  const hasSettled = (agent: AgentName): boolean =>
    lane.settled && agents.get(agent)?.report?.resources.has(name) === true;
  const joining = strangers.filter((agent) => hasSettled(agent) || !sent.has(agent));
  if (joining.length === 0) return NOBODY;
  const untold = lane.order.filter(
    (agent) => !joining.includes(agent) && !isTold(options, lane, agent, resources.get(agent)),
  );
  // In a lane that nobody has held yet a newcomer that can hear who begins waits until it does.
  const [first] = lane.settled ? [] : firstIn(options, lane, (agent) => resources.has(agent));
  return new Set(
    joining.filter((agent) => {
      const heard = canTell(agents.get(agent)) ? first : undefined;
      return untold.some((one) => one !== heard) || mustListen(options.world, lane, agent);
    }),
  );
}

const NOBODY: ReadonlySet<AgentName> = new Set();

/**
 * Whether a newcomer need not wait for the agent: it runs the lane with the newcomer, or cannot run
 * it. Of a holder out of sight the newcomer hears; who stands by behind one is heard by nobody.
 */
function isTold(
  options: JoinOptions,
  lane: Lane,
  agent: AgentName,
  resource: LaneResource | undefined,
): boolean {
  const { world } = options;
  const view = world.agents.get(agent);
  if (view === undefined) return agent === lane.holder || !mayStillCome(agent, world);
  if (resource === undefined) return true;
  if (isStuck(options, lane, view) && hasAllOf(view, lane, resource)) {
    return lane.settled || hasTried(options, lane, agent);
  }
  if (!view.connected) return agent === lane.holder || isStale(view, world);
  const said = view.report?.resources.get(resource.name);
  return isRun(said?.step) && said?.revision === options.revisionOf(resource);
}

/**
 * Whether the agent's plan has all that are in the lane now: by an older one it would hold the lane
 * beside the newcomer, once its keepalived is back. One that does not say so is not doubted, unless
 * it is out of reach of a lane that may be held.
 */
function hasAllOf(view: AgentView, lane: Lane, { order }: LaneResource): boolean {
  const known = laneReportOf(view, lane)?.order;
  if (known === undefined) return view.connected || !lane.settled;
  return order.every(({ agent }) => known.some((one) => one.agent === agent));
}

/**
 * Whether the holder speaks to an agent that has the lane; one that does not tell its peers is not
 * doubted. Until it runs what it was told it speaks to those of before: who runs the lane is one of
 * them, who only starts may not be.
 */
function isSpokenTo(agents: World["agents"], lane: Lane, agent: AgentName): boolean {
  const holder = lane.holder === undefined ? undefined : agents.get(lane.holder);
  const peers = laneReportOf(holder, lane)?.order;
  if (peers === undefined) return true;
  if (!peers.some((peer) => peer.agent === agent)) return false;
  const step = holder?.report?.resources.get(laneName(lane.id))?.step;
  return isRun(step) || laneReportOf(agents.get(agent), lane)?.state !== "absent";
}

function isRun(step: Step | undefined): boolean {
  return step === "applied" || step === "serving";
}

/**
 * Who was sent a VIP of a lane runs it, or is about to, and says so as soon as it has its plan.
 * Rows name others too: who has the lane and only listens, or has the address in a lane of before.
 * The rows are looked through once for all lanes, and only when one of them is asked for.
 */
export function createSentTo({
  rows,
  world,
}: Pick<JoinOptions, "rows" | "world">): JoinOptions["sentTo"] {
  let known: Map<LaneId, Set<AgentName>> | undefined;
  return ({ id }) => {
    known ??= sentToByLane(rows, world.agents);
    return known.get(id) ?? NOBODY;
  };
}

function sentToByLane(
  rows: JoinOptions["rows"],
  agents: World["agents"],
): Map<LaneId, Set<AgentName>> {
  const sent = new Map<LaneId, Set<AgentName>>();
  for (const { address, placement, sentTo } of rows.values()) {
    if (placement.kind !== "lane") continue;
    const { lane: id } = placement;
    const names = sent.get(id) ?? new Set();
    sent.set(id, names);
    for (const name of sentTo) {
      if (names.has(name)) continue;
      const view = agents.get(name);
      const said = view?.report?.resources;
      const isOther = said?.has(vipName(address)) === true || said?.has(laneName(id)) === true;
      if (!isOther || laneReportOf(view, { id }) !== undefined) names.add(name);
    }
  }
  return sent;
}
