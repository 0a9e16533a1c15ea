// Which families a claim is to be served in, and which of them it cannot do without. Given the
// claim and what it holds; knows nothing of pools.

import { type Address, type Claim, type Family, type Remark, familyOf } from "@fairlead/model";

/** One address that a claim shall have. */
export interface FamilyNeed {
  /** Absent: whatever family the first pool has first. */
  readonly family?: Family;
  /** Without it the claim is not served; else it is served without. */
  readonly required: boolean;
}

/** What a claim needs, in its order of preference; or two wishes that disagree. */
export type FamilyNeeds =
  | { readonly kind: "ok"; readonly needs: readonly FamilyNeed[] }
  | { readonly kind: "bad"; readonly problem: Remark };

const BOTH: readonly Family[] = ["ipv4", "ipv6"];

/** Reads ipFamilies, ipFamilyPolicy and the addresses wished for together. */
export function neededFamilies(claim: Claim, held: readonly Address[]): FamilyNeeds {
  const { policy, families } = claim.families;
  const wished = [...new Set(claim.wishedAddresses.map(familyOf))];
  if (policy !== "SingleStack") {
    const ordered = [...new Set([...families, ...BOTH])];
    const isNeeded = (family: Family): boolean =>
      policy === "RequireDualStack" || wished.includes(family);
    return ok(ordered.map((family) => ({ family, required: isNeeded(family) })));
  }
  const [listed] = families;
  if (listed !== undefined) {
    const stray = claim.wishedAddresses.find((address) => familyOf(address) !== listed);
    if (stray === undefined) return ok([{ family: listed, required: true }]);
    const detail = `${stray} is asked for, and the Service is ${listed} alone`;
    return { kind: "bad", problem: { reason: "ConflictingWishes", detail } };
  }
  if (wished.length > 0) return ok(wished.map((family) => ({ family, required: true })));
  const [first] = held;
  return ok([
    first === undefined ? { required: true } : { family: familyOf(first), required: true },
  ]);
}

function ok(needs: readonly FamilyNeed[]): FamilyNeeds {
  return { kind: "ok", needs };
}
