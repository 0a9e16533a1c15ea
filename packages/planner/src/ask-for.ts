// A wish for an address that no pool has: external pools that may serve the claim are asked for it,
// one after the other. Given the desk; changes nothing but what is wanted.

import { type Address, type Claim, type Remark, familyOf, scopeOf } from "@fairlead/model";

import { whyNotAllowed } from "./access.ts";
import { isAsked } from "./asking.ts";
import type { Desk } from "./choose.ts";

/** How asking stands; undefined: there is nobody whom to ask. */
export function askFor(
  { asking, book, table }: Pick<Desk, "asking" | "book" | "table">,
  claim: Claim,
  address: Address,
): Remark | undefined {
  if (book.poolOf(address) !== undefined || scopeOf(address) !== "unicast") return undefined;
  let refusal: Remark | undefined;
  for (const view of book.usable) {
    const { pool } = view;
    if (!isAsked(pool) || whyNotAllowed(claim, view) !== undefined) continue;
    if ((claim.wishedPool ?? pool.name) !== pool.name) continue;
    const wish = { family: familyOf(address), address };
    const standing = asking.ask(claim.id, pool, wish, table.rows);
    if (standing.isOpen) return standing.problem;
    refusal ??= standing.problem;
  }
  return refusal;
}
