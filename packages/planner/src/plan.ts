// Planning: the stages in order, and nothing else. Given a frozen world, returns what shall be
// stored, sent and said. The same world gives the same plan, whatever the order of its maps.

import type { Plan, Resource, Revision, World } from "@fairlead/model";

import { allocate } from "./allocate.ts";
import { carryAll } from "./carried.ts";
import { findAll } from "./findings.ts";
import { createFreeAddresses } from "./free-address.ts";
import { grantsByAddress } from "./grant.ts";
import { judge } from "./judge.ts";
import { createLeaseTable } from "./lease-table.ts";
import {
  type PlanMemory,
  openMemory,
  recallGrant,
  recallOrder,
  recallPools,
  remember,
} from "./memory.ts";
import { place } from "./place.ts";
import { carriersOf, program } from "./program.ts";
import { type MayStillGet, publish, releaseGone, releaseView, settleAll } from "./release.ts";
import { findSegments } from "./segments.ts";
import { findUnusable } from "./unusable.ts";
import { callWitnesses } from "./witness.ts";

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

/** Plans. Never throws for anything that a user, an agent or a store may say. */
export function plan(world: World, options: PlanOptions): Plan {
  const { revisionOf, mayStillGet } = options;
  const memory = openMemory(options.memory);
  const book = recallPools(memory, world.pools);
  const release = releaseView(world, book, mayStillGet);
  const agents = [...world.agents.values()].filter(({ name }) => !release.forgotten.has(name));
  const segments = findSegments(agents, world.lanes.values());

  const table = createLeaseTable(releaseGone(release), release);
  const unusable = findUnusable(agents);
  const grants = allocate({
    claims: recallOrder(memory, world.claims),
    recall: (claim) => recallGrant(memory, claim, book, table.rows),
    book,
    table,
    free: createFreeAddresses({ rows: table.rows, book, unusable }),
    unusable,
  });

  const wanted = grantsByAddress(grants);
  const { forgotten } = release;
  const placed = place({ world, book, segments, forgotten, rows: table.rows, wanted });
  const { lanes, rules, problems } = placed;

  const before = memory.programmed;
  const carried = carryAll({
    wanted,
    rows: placed.rows,
    before: before?.carried,
    rowsBefore: memory.rows,
  });
  const programmed = program({
    world,
    segments,
    forgotten,
    rows: placed.rows,
    lanes,
    rules,
    carried,
    before,
  });

  const rows = settleAll(release, placed.rows, (address) => carriersOf(programmed, address));
  const witnesses = callWitnesses(world, memory.witnesses);
  const judged = judge({
    grants,
    rows,
    lanes,
    problems,
    carried,
    witnesses,
    nowMs: world.nowMs,
    revisionOf,
    before: memory.judged,
  });

  const leases = publish(rows, judged.published);
  const findings = findAll({ world, book, rows: leases, witnesses, problems });
  remember(memory, { book, grants, rows: leases, programmed, witnesses, judged });
  const { nodePlans } = programmed;
  return { leases, lanes, nodePlans, verdicts: judged.verdicts, findings };
}
