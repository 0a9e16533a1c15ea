// Findings: what planning found wrong that is no claim's own trouble. Given pools, rows and
// agents as they are after planning; sorted, and without times, so that they change only when
// something does.

import {
  type Address,
  type AgentName,
  type Finding,
  type Remark,
  type World,
  compareAddress,
  compareText,
} from "@fairlead/model";

import type { LeaseRows } from "./lease-rows.ts";
import type { PoolBook } from "./pools.ts";
import type { Witnesses } from "./witness.ts";

/** What findings are looked for in. */
export interface FindingOptions {
  readonly world: World;
  readonly book: PoolBook;
  readonly rows: LeaseRows;
  /** Held addresses that lie in no pool. */
  readonly outside: ReadonlySet<Address>;
  readonly witnesses: Witnesses;
  readonly problems: ReadonlyMap<Address, Remark>;
}

/** All findings: pools, then addresses, then agents. */
export function findAll(options: FindingOptions): readonly Finding[] {
  return [...options.book.findings, ...addressFindings(options), ...agentFindings(options)];
}

/** Brings the held addresses that lie in no pool up to date, as far as the given rows go. */
export function findOutside(
  outside: Set<Address>,
  {
    rows,
    book,
    addresses,
  }: Pick<FindingOptions, "rows" | "book"> & {
    readonly addresses: Iterable<Address>;
  },
): void {
  for (const address of addresses) {
    const isHeld = rows.all.get(address)?.state.kind === "held";
    if (isHeld && book.poolOf(address) === undefined) outside.add(address);
    else outside.delete(address);
  }
}

function addressFindings({ rows, outside, problems }: FindingOptions): readonly Finding[] {
  const found: { readonly address: Address; readonly finding: Finding }[] = [];
  const say = (address: Address, remark: Remark): void => {
    found.push({ address, finding: { subject: "address", name: address, ...remark } });
  };
  for (const address of rows.unowned) {
    const row = rows.all.get(address);
    if (row?.state.kind === "draining") say(address, releasing(row.sentTo));
  }
  for (const address of outside) {
    const pool = rows.all.get(address)?.pool ?? "";
    const detail = `it lies in no pool that is used; it was given by ${pool} and is kept`;
    say(address, { reason: "AddressOutsidePools", detail });
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
    if (witness.isStale) {
      const detail = "its stream is closed; what it holds is known by its last report only";
      found.push({ ...about, reason: "AgentUnreachable", detail });
    }
    for (const remark of view.connected ? (view.report?.remarks ?? []) : []) {
      found.push({ ...about, reason: remark.reason, detail: remark.detail });
    }
  }
  return found;
}
