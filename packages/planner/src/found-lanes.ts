// Lanes that agents run and the store does not know, because it was lost or is an older copy. Given
// what agents report. An address that is found on agents goes on in the lane that it rides in: in
// another one two agents would hold it until both have applied their plans. Agents may run several
// lanes together, and no state of theirs says in which of them an address is: its revision does.

import {
  type Address,
  type AgentName,
  type AgentView,
  LANE_AGENTS_MAX,
  type Lane,
  type LaneId,
  type LanePeer,
  ROUTER_ID_MAX,
  type ResourceName,
  type Revision,
  compareText,
  laneId,
  vipName,
} from "@fairlead/model";

import { prefer } from "./candidates.ts";

/**
 * All lanes that agents run or are about to, by id: the holder first in their order, and at the end
 * those who are not here, by what the others' plans say. They may be well, and whoever forgot one
 * would speak to it no more, and have it hold the lane a second time. The last word of an agent
 * that has gone counts as well, for it may go on with what it has.
 */
export function findLanes(agents: Iterable<AgentView>): ReadonlyMap<LaneId, Lane> {
  const runners = new Map<LaneId, Runner[]>();
  for (const { name, connected, report } of agents) {
    for (const { name: resource, state, order = [] } of report?.lanes ?? []) {
      const id = laneIdOf(resource);
      const known = runners.get(id) ?? [];
      const isHolder = state === "holder";
      runners.set(id, [...known, { name, isHolder, isHere: connected, order }]);
    }
  }
  const found = new Map<LaneId, Lane>();
  for (const [id, all] of [...runners].sort(([a], [b]) => compareText(a, b))) {
    const numbered = numberedLane(id);
    if (numbered === undefined) continue;
    const { segment, routerId } = numbered;
    const sorted = all.sort(
      (a, b) =>
        Number(b.isHolder) - Number(a.isHolder) ||
        Number(b.isHere) - Number(a.isHere) ||
        compareText(a.name, b.name),
    );
    const peers = sorted.flatMap(({ order }) => order);
    const named = new Set([...sorted.map(({ name }) => name), ...peers.map(({ agent }) => agent)]);
    const order = [...named].slice(0, LANE_AGENTS_MAX);
    const [first] = sorted;
    found.set(id, {
      id: laneId(segment, routerId),
      segment,
      routerId,
      order,
      ...(first?.isHolder === true ? { holder: first.name } : {}),
      ...speaking(peers, order),
      settled: true,
    });
  }
  return found;
}

type NumberedLane = Pick<Lane, "segment" | "routerId">;

function laneIdOf(resource: ResourceName): LaneId {
  return resource.slice("lane/".length) as LaneId;
}

/** What an id says; undefined where it is none of ours. */
function numberedLane(id: LaneId): NumberedLane | undefined {
  const [, segment, number] = /^(.+)#(\d{1,3})$/.exec(id) ?? [];
  const routerId = Number(number);
  if (segment === undefined || routerId < 1 || routerId > ROUTER_ID_MAX) return undefined;
  return { segment, routerId };
}

interface Runner {
  readonly name: AgentName;
  readonly isHolder: boolean;
  /** Whether it says so now, and did not merely say it before it went. */
  readonly isHere: boolean;
  readonly order: readonly LanePeer[];
}

/** Where they speak from, by whoever says so first. */
function speaking(peers: readonly LanePeer[], order: readonly AgentName[]): Pick<Lane, "peers"> {
  const known = order.flatMap((agent) => peers.find((peer) => peer.agent === agent) ?? []);
  return known.length === 0 ? {} : { peers: known };
}

/**
 * Agents that have the address by their last report, whoever holds it: those that are here, or,
 * where none of these has it, those that have gone.
 */
export function agentsWith(agents: readonly AgentView[], address: Address): readonly AgentView[] {
  const name = vipName(address);
  const having = agents.filter(({ report }) => report?.resources.has(name) === true);
  return prefer(having, ({ connected }) => connected);
}

/**
 * The lane among these that an address rides in by what those agents say; undefined: in none.
 * @param revisionIn the revision of the address in a lane. Agents that had it for other claims say
 * none of these: then it is a lane of whoever holds the address.
 */
export function laneOnAgents(
  having: readonly AgentView[],
  address: Address,
  lanes: Iterable<Lane>,
  revisionIn: (lane: Lane) => Revision,
): Lane | undefined {
  const said = (agent: AgentView) => agent.report?.resources.get(vipName(address));
  const holders = having.filter((agent) => said(agent)?.step === "serving");
  const isTheirs = (lane: Lane): boolean =>
    holders.length === 0 || holders.some((agent) => agent.name === lane.holder);
  const fitting = [...lanes]
    .filter((lane) => having.every((agent) => lane.order.includes(agent.name)))
    .sort((a, b) => Number(isTheirs(b)) - Number(isTheirs(a)) || compareText(a.id, b.id));
  const telling = holders.length > 0 ? holders : having;
  const revisions = new Set(telling.map((agent) => said(agent)?.revision));
  // Whoever holds it may not say so of its lane: the last reload is not known to have ended.
  const told = fitting.find((lane) => revisions.has(revisionIn(lane)));
  return told ?? fitting.find(isTheirs);
}
