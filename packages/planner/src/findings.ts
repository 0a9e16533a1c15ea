// Findings: what planning found wrong that is no claim's own trouble. Given pools, rows and
// agents as they are after planning; sorted, and without times, so that they change only when
// something does.

import {
  type Address,
  type AgentName,
  type Finding,
  type Lane,
  type LaneId,
  type Remark,
  type World,
  compareAddress,
  compareText,
  holdersText,
} from "@fairlead/model";

import { findUnheard } from "./hearing.ts";
import type { LaneResources } from "./lane-resources.ts";
import { type Misfit, misfitFindings } from "./held-outside.ts";
import type { LeaseRows } from "./lease-rows.ts";
import type { PoolBook } from "./pools.ts";
import type { SegmentMap } from "./segments.ts";
import { findStrangeRouters } from "./strange-routers.ts";
import type { Witnesses } from "./witness.ts";

/** What findings are looked for in. */
export interface FindingOptions {
  readonly world: World;
  readonly book: PoolBook;
  readonly rows: LeaseRows;
  readonly misfits: ReadonlyMap<Address, Misfit>;
  readonly witnesses: Witnesses;
  readonly problems: ReadonlyMap<Address, Remark>;
  readonly segments: SegmentMap;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly resources: LaneResources;
}

/** All findings: pools, then addresses, then agents. */
export function findAll(options: FindingOptions): readonly Finding[] {
  const { world, book, rows, misfits, segments, lanes } = options;
  return [
    ...book.findings,
    ...misfitFindings(misfits, { rows, book, claims: world.claims }),
    ...addressFindings(options),
    ...agentFindings(options),
    ...findStrangeRouters(world, segments, lanes.values()),
    ...findUnheard(options, lanes.values()),
  ];
}

function addressFindings({ world, rows, problems }: FindingOptions): readonly Finding[] {
  const found: { readonly address: Address; readonly finding: Finding }[] = [];
  const say = (address: Address, remark: Remark): void => {
    found.push({ address, finding: { subject: "address", name: address, ...remark } });
  };
  for (const address of rows.unowned) {
    const row = rows.all.get(address);
    if (row?.state.kind === "draining") say(address, releasing(row.sentTo));
  }
  for (const [address, whose] of world.barred ?? []) {
    const row = rows.all.get(address);
    if (row === undefined || row.owners.length === 0) continue;
    const detail = `it is held by ${holdersText(row)}, and ${whose}`;
    say(address, { reason: "HeldOutside", detail });
  }
  const full = new Set<string>();
  for (const [address, problem] of problems) {
    if (problem.reason !== "LanesExhausted" || full.has(problem.detail)) continue;
    full.add(problem.detail);
    say(address, problem);
  }
  return found.sort((a, b) => compareAddress(a.address, b.address)).map(({ finding }) => finding);
}

function releasing(waitedFor: readonly AgentName[]): Remark {
  return { reason: "Releasing", detail: `waiting for ${waitedFor.join(", ")}` };
}

function agentFindings({ world, witnesses }: FindingOptions): readonly Finding[] {
  const found: Finding[] = [];
  for (const name of [...world.agents.keys()].sort(compareText)) {
    const witness = witnesses.get(name);
    if (witness === undefined) continue;
    const about = { subject: "agent", name } as const;
    const { view } = witness;
    if (witness.isStale && view.withdrawn !== true) {
      const detail = "its stream is closed; what it holds is known by its last report only";
      found.push({ ...about, reason: "AgentUnreachable", detail });
    }
    for (const remark of view.connected ? (view.report?.remarks ?? []) : []) {
      found.push({ ...about, reason: remark.reason, detail: remark.detail });
    }
  }
  return found;
}
