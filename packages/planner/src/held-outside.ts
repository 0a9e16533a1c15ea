// Held addresses that do not fit their pools any more, since the pools were edited: outside of what
// a pool gives, or held by those whom it no longer serves. They are kept, and each pool has a
// finding that names them. Given rows, pools and claims as they are after planning.

import {
  type Address,
  type Finding,
  type PoolName,
  type World,
  claimTitle,
  compareAddress,
  compareText,
} from "@fairlead/model";

import { whyNotAllowed } from "./access.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { type PoolBook, isGivenBy } from "./pools.ts";

/** `outside`: the pool that gave it would not again. `stranger`: not to one who has it. */
export type Misfit = "outside" | "stranger";

/** What misfits are looked for in. */
export interface MisfitOptions {
  readonly rows: LeaseRows;
  readonly book: PoolBook;
  readonly claims: World["claims"];
}

/** Brings misfits up to date, as far as the given addresses go. */
export function findMisfits(
  misfits: Map<Address, Misfit>,
  options: MisfitOptions,
  addresses: Iterable<Address>,
): void {
  for (const address of addresses) {
    const misfit = misfitOf(options, address);
    if (misfit === undefined) misfits.delete(address);
    else misfits.set(address, misfit);
  }
}

function misfitOf({ rows, book, claims }: MisfitOptions, address: Address): Misfit | undefined {
  const row = rows.all.get(address);
  if (row?.state.kind !== "held") return undefined;
  if (!isGivenBy(book, row.pool, address)) return "outside";
  const view = book.poolOf(address);
  const isStrange = row.owners.some(({ claim: id }) => {
    const claim = claims.get(id);
    return claim !== undefined && view !== undefined && whyNotAllowed(claim, view) !== undefined;
  });
  return isStrange ? "stranger" : undefined;
}

/** The findings about misfits, by pool. */
export function misfitFindings(
  misfits: ReadonlyMap<Address, Misfit>,
  options: MisfitOptions,
): readonly Finding[] {
  const byPool = new Map<PoolName, { readonly [Key in Misfit]: Address[] }>();
  for (const [address, misfit] of misfits) {
    const pool = options.rows.all.get(address)?.pool;
    if (pool === undefined) continue;
    const lists = byPool.get(pool) ?? { outside: [], stranger: [] };
    lists[misfit].push(address);
    byPool.set(pool, lists);
  }
  return [...byPool]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([name, { outside, stranger }]): readonly Finding[] => {
      const about = { subject: "pool", name } as const;
      const findings: Finding[] = [];
      if (outside.length > 0) {
        const detail = outsideText(options.book, name, outside);
        findings.push({ ...about, reason: "HeldOutside", detail });
      }
      if (stranger.length > 0) {
        const detail = strangerText(options, stranger);
        findings.push({ ...about, reason: "HeldOutside", detail });
      }
      return findings;
    });
}

function outsideText(book: PoolBook, name: PoolName, addresses: Address[]): string {
  const named = listText(addresses.sort(compareAddress));
  const verb = addresses.length > 1 ? "are" : "is";
  const view = book.byName.get(name);
  if (view?.pool.onShrink === "reassign") {
    return `${named} ${verb} held outside of what it gives, and moved one by one`;
  }
  if (view !== undefined) return `${named} ${verb} held outside of what it gives, and kept`;
  const what = book.refused.has(name) ? "it is not used" : "there is no such pool any more";
  return `${what}; it gave ${named}, which ${verb} held and kept`;
}

function strangerText({ rows, book, claims }: MisfitOptions, addresses: Address[]): string {
  const named = addresses.sort(compareAddress).map((address) => {
    const view = book.poolOf(address);
    const owners = rows.all.get(address)?.owners.flatMap(({ claim: id }) => {
      const claim = claims.get(id);
      const isStrange =
        claim !== undefined && view !== undefined && whyNotAllowed(claim, view) !== undefined;
      return isStrange ? [claimTitle(id)] : [];
    });
    return `${address} of ${(owners ?? []).join(" and ")}`;
  });
  return `it no longer serves those who hold ${listText(named)}, and keep them`;
}

function listText(names: readonly string[]): string {
  const shown = names.slice(0, NAMED_MAX).join(", ");
  return names.length > NAMED_MAX ? `${shown} and ${names.length - NAMED_MAX} more` : shown;
}

/** Addresses named in one detail at most. */
const NAMED_MAX = 8;
