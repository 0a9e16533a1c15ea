// One round of planning: the stages in order, and nothing else. Given a frozen world, returns what
// shall be stored, sent and said. Each stage does anew what was touched, and leaves everything else
// as the memory has it.

import {
  type AgentName,
  type AgentView,
  type Finding,
  type NodePlan,
  type Plan,
  type Resource,
  type Revision,
  type World,
  patchMap,
} from "@fairlead/model";

import { keep } from "./alike.ts";
import { allocate } from "./allocate.ts";
import type { Asking } from "./asking.ts";
import { carryAll } from "./carried.ts";
import { type FindingOptions, findAll } from "./findings.ts";
import { createFreeAddresses } from "./free-address.ts";
import type { Grant } from "./grant.ts";
import { findMisfits } from "./held-outside.ts";
import { type InUse, findInUse } from "./in-use.ts";
import { judge } from "./judge.ts";
import {
  type LaneResources,
  type RunningLanes,
  carriersOf,
  runLanes,
  touchHosts,
  touchLanes,
} from "./lane-resources.ts";
import { createLeaseTable } from "./lease-table.ts";
import { claimsWithMembers } from "./members.ts";
import {
  type PlanMemory,
  type Remembered,
  addressesToSettle,
  areTiesAsJudged,
  changedClaims,
  claimsOf,
  hasLeftLane,
  openRows,
  ownersDisturbed,
  recallPools,
  rowsNow,
  remember,
  turnedVips,
} from "./memory.ts";
import { touchNews, touchReported } from "./news.ts";
import { type Placed, place } from "./place.ts";
import type { PoolBook } from "./pools.ts";
import { program } from "./program.ts";
import { type Arrivals, NO_TURN, createMoveTurn, createOwnTurn, movesOver } from "./reassign.ts";
import {
  type MayStillGet,
  type ReleaseView,
  forgottenAgents,
  isAbsentOwner,
  releaseGone,
  releaseView,
  settleRows,
  unplaceGone,
} from "./release.ts";
import type { OpenRegistrations } from "./registrations.ts";
import { type Seats, findSeats } from "./seats.ts";
import { intentsOf, settleIntents } from "./settle-intents.ts";
import { type SegmentMap, findSegments } from "./segments.ts";
import { type Steps, isMuch } from "./steps.ts";
import { keepMap } from "./touched.ts";
import { findOwned, findUnusable } from "./unusable.ts";
import { isFrozen } from "./will.ts";
import { type Witnesses, callWitnesses } from "./witness.ts";

/** What planning needs beside the world. */
export interface PlanOptions {
  /** The content hash of a resource; asked for again and again with the same object. */
  readonly revisionOf: (resource: Resource) => Revision;
  /**
   * Whether something that was sent to the agent may still bring the address there, so that its
   * report does not settle the matter yet. Default: nothing may.
   */
  readonly mayStillGet?: MayStillGet;
  /** What the last planning learnt. Default: nothing. */
  readonly memory?: PlanMemory;
}

/** What one round starts with. */
export interface Round {
  readonly given: World;
  /** Claims whose new addresses are proved to serve, by the round before. */
  readonly arrived: Arrivals;
}

/**
 * Makes one round.
 * @returns the plan, and claims that have arrived by it; undefined when there is no more to do.
 */
export function* planOnce(
  { given, arrived }: Round,
  options: PlanOptions & Pick<OpenRegistrations, "asking">,
  memory: Remembered,
): Steps<{ readonly planned: Plan; readonly goesOn: Arrivals | undefined }> {
  const { rows, carried, judgements, last } = memory;
  openRows(memory, given.leases);
  const forgotten = forgottenAgents(given);
  const world = settleIntents({ world: given, forgotten, loadOf: (lane) => rows.loadOf(lane) });
  const agents = [...world.agents.values()].filter(({ name }) => !forgotten.has(name));
  const book = recallPools(memory, world, agents);
  const release = releaseView(world, book, options.mayStillGet);
  const seats = findSeats(agents, book, last?.seats);
  const { revisionOf, asking } = options;
  const witnesses = callWitnesses(world);
  const inUse = findInUse(world, witnesses, forgotten);
  const common = { memory, world, book, release, agents, seats, asking };
  const view: PlanView = { ...common, revisionOf, witnesses, inUse };

  // Without a planning before, all rows are touched.
  if (last !== undefined) touchReported(rows.touched, last.world.agents, world.agents);
  if (isMuch(rows.touched.addresses)) yield;
  const granted = yield* grantAddresses(view, arrived);
  if (isMuch(rows.touched.addresses)) yield;
  const { lanes, problems, resources, segments } = runVips(view);
  if (isMuch(rows.touched.addresses)) yield;
  const nodePlans = yield* programAgents(view, resources);
  settleRows(release, rows, addressesToSettle(memory, world), (address) => {
    const carriers = carriersOf(resources, carried.get(address)?.place);
    return carriers.filter((agent) => world.agents.has(agent));
  });

  touchNews({ before: last?.witnesses, now: witnesses, rows, lanes });
  if (isMuch(rows.touched.addresses)) yield;
  const judged = yield* judge({
    grants: memory.grants,
    rows,
    lanes,
    resources,
    problems,
    carried,
    witnesses,
    nowMs: world.nowMs,
    revisionOf,
    judgements,
  });

  if (isMuch(judged)) yield;
  const before = last?.plan.leases ?? NO_LEASES;
  const leases = patchMap(before, rowsNow(rows, before));
  if (isMuch(judged)) yield;
  const planned: Plan = {
    leases,
    lanes,
    intents: intentsOf(world.intents, lanes),
    nodePlans,
    verdicts: patchMap(last?.plan.verdicts ?? NO_VERDICTS, judged),
    findings: keep(
      last?.plan.findings,
      findEverything(view, { problems, lanes, resources, segments }),
    ),
  };
  if (isMuch(judged)) yield;
  remember(memory, { world, book, seats, lanes: resources, inUse, witnesses, plan: planned });
  const moving = isFrozen(world) ? granted.filter(({ move }) => move?.isWished === true) : granted;
  const over = movesOver(moving, { judgements, rows: rows.all });
  const isDone = over.arrived.size === 0 && !over.isIdle && areTiesAsJudged(rows, book);
  const goesOn = !isDone || hasLeftLane(rows, given.leases, book);
  return { planned, goesOn: goesOn ? over.arrived : undefined };
}

const NO_LEASES: Plan["leases"] = new Map();
const NO_VERDICTS: Plan["verdicts"] = new Map();

/** What every stage may see. */
interface PlanView {
  readonly memory: Remembered;
  readonly world: World;
  readonly book: PoolBook;
  readonly release: ReleaseView;
  /** Without those that were declared gone. */
  readonly agents: readonly AgentView[];
  readonly seats: Seats;
  readonly asking: Asking;
  readonly revisionOf: PlanOptions["revisionOf"];
  readonly witnesses: Witnesses;
  readonly inUse: InUse;
}

/** Takes out owners that are gone, and grants anew what may come out differently. */
function* grantAddresses(view: PlanView, arrived: Arrivals): Steps<readonly Grant[]> {
  const { memory, world, book, release, agents, seats, inUse, asking } = view;
  const { rows, grants, unsettled, last } = memory;
  const asked = new Set(changedClaims(memory, world.claims));
  for (const id of asked) {
    for (const address of rows.ownedBy(id)) rows.touched.addresses.add(address);
  }
  releaseGone(release, rows, addressesToSettle(memory, world));
  unplaceGone(release, rows);
  const isSame = last?.book === book && last.seats === seats;
  const others = isSame ? unsettled : world.claims.keys();
  const disturbed = ownersDisturbed(memory, inUse);
  for (const id of [...others, ...rows.touched.claims, ...disturbed]) asked.add(id);

  const unusable = findUnusable(agents, world.barred);
  if (isMuch(asked)) yield;
  const granted = yield* allocate({
    claims: claimsOf(asked, world.claims),
    book,
    table: createLeaseTable(rows, release),
    free: createFreeAddresses({ rows: rows.all, book, unusable, inUse }),
    unusable,
    owned: findOwned(agents),
    seats,
    forgotten: release.forgotten,
    fill: rows.fill,
    turn: isFrozen(world) ? NO_TURN : createMoveTurn(arrived),
    ownTurn: createOwnTurn(arrived),
    asking,
    isAbsent: (owner) => isAbsentOwner(world, owner),
    inUse,
  });
  if (isMuch(asked)) yield;
  for (const id of asked) grants.replace(id, granted.get(id), rows.touched);
  return [...granted.values()].filter(({ move }) => move !== undefined);
}

/** Lanes with everything that became of them. */
interface RunningVips extends RunningLanes, Pick<Placed, "problems"> {
  readonly segments: SegmentMap;
}

/** Gives VIPs their lanes, and lanes their agents. */
function runVips({ memory, world, book, release, agents, revisionOf }: PlanView): RunningVips {
  const { rows, grants, last } = memory;
  const { forgotten } = release;
  const { wanted } = grants;
  const segments = findSegments(agents, world.lanes.values());
  const placed = place({ world, book, segments, forgotten, rows, wanted, revisionOf });
  const { rules, problems, moves } = placed;
  const lanes = keepMap(last?.plan.lanes, placed.lanes);
  const resources = runLanes({
    world,
    segments,
    lanes,
    rules,
    moves,
    rows: rows.all,
    revisionOf,
    before: last?.lanes,
  });
  touchHosts(rows, last?.world.agents, world.agents);
  touchLanes(rows, last && { lanes: last.plan.lanes, resources: last.lanes }, { lanes, resources });
  return { lanes, problems, resources, segments };
}

/** Makes the agents' plans of what comes with the VIPs, which may be no members of others. */
function* programAgents(
  { memory, world, release }: PlanView,
  lanes: LaneResources,
): Steps<ReadonlyMap<AgentName, NodePlan>> {
  const { rows, grants, carried, last } = memory;
  const concerned = claimsWithMembers(world.claims.values(), turnedVips(memory));
  for (const id of concerned) {
    rows.touched.claims.add(id);
    for (const address of rows.ownedBy(id)) rows.touched.addresses.add(address);
  }
  const changes = yield* carryAll({ wanted: grants.wanted, rows, agents: world.agents, carried });
  return program({
    world,
    forgotten: release.forgotten,
    rows: rows.all,
    lanes,
    carried: changes,
    before: last && { nodePlans: last.plan.nodePlans, lanes: last.lanes },
  });
}

function findEverything(
  { memory, world, book, witnesses }: PlanView,
  placed: Pick<FindingOptions, "problems" | "lanes" | "resources" | "segments">,
): readonly Finding[] {
  const { rows, misfits, last } = memory;
  const { addresses } = rows.touched;
  const isSameBook = last?.book === book;
  const gone = [...addresses].filter((address) => !rows.all.has(address));
  const looked = isSameBook ? addresses : [...gone, ...rows.all.keys()];
  findMisfits(misfits, { rows, book, claims: world.claims }, looked);
  return findAll({ world, rows, book, misfits, witnesses, ...placed });
}
