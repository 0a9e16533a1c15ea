// What admission and allocation decided for one claim: the value that the later stages read. All
// grants together are found by claim and by address, and say what was touched when one changes.

import {
  type Address,
  type Claim,
  type ClaimId,
  type Remark,
  type VerdictState,
  compareText,
} from "@fairlead/model";

import { isAlike } from "./alike.ts";
import type { Touched } from "./touched.ts";

/** Addresses that a claim has to leave, and what takes their place. */
export interface GrantMove {
  readonly leaving: readonly Address[];
  /** Not counted on yet; empty while the claim waits for its turn. */
  readonly arriving: readonly Address[];
  /** Whether the claim asks for one of these: it goes there frozen or not. */
  readonly isWished: boolean;
}

/** The outcome of a claim before placing. */
export interface Grant {
  readonly claim: Claim;
  /** The best that its verdict can be: `ready` when all that it asks for is given. */
  readonly best: VerdictState;
  /** Whether agents get its listeners; never true without an address. */
  readonly programmed: boolean;
  /** What it holds, in the order of the families it wants. */
  readonly addresses: readonly Address[];
  /** One address of each of several agents: the claim is served as soon as one of them is. */
  readonly perAgent?: true;
  /** What it keeps is for now: the next planning may decide otherwise, whatever changes or not. */
  readonly isForNow?: true;
  /** Keys of `leftOutKey`: ports that another claim has on a shared address. */
  readonly leftOut: ReadonlySet<string>;
  /** Why it is less than it asks for; absent when it has all. */
  readonly main?: Remark;
  readonly remarks: readonly Remark[];
  /** Absent unless it has to leave an address that still serves. */
  readonly move?: GrantMove;
}

/** The key of one port, written by `portText`, of one address in `Grant.leftOut`. */
export function leftOutKey(address: Address, port: string): string {
  return `${address} ${port}`;
}

/** By address, the grants that agents shall serve there, sorted by claim. */
export type WantedGrants = ReadonlyMap<Address, readonly Grant[]>;

/** All grants, and by address those that name it: changed in place, never by half. */
export interface Grants {
  readonly byClaim: ReadonlyMap<ClaimId, Grant>;
  /** Those that are served there. */
  readonly wanted: WantedGrants;
  /** Those that are not, sorted too: their claims wait for it, or may not be served. */
  readonly unserved: WantedGrants;
  /** Replaces the grant of a claim that is gone, by none, or was asked for again. */
  replace(id: ClaimId, grant: Grant | undefined, touched: Touched): void;
}

/** Makes an empty book of grants. */
export function createGrants(): Grants {
  const byClaim = new Map<ClaimId, Grant>();
  const wanted = new Map<Address, readonly Grant[]>();
  const unserved = new Map<Address, readonly Grant[]>();
  const leave = (grant: Grant): void => {
    const index = grant.programmed ? wanted : unserved;
    for (const address of grant.addresses) {
      const others = index.get(address)?.filter((one) => one !== grant) ?? [];
      if (others.length > 0) index.set(address, others);
      else index.delete(address);
    }
  };
  const join = (grant: Grant): void => {
    const index = grant.programmed ? wanted : unserved;
    for (const address of grant.addresses) {
      const others = index.get(address);
      index.set(address, others ? [...others, grant].sort(compareGrant) : [grant]);
    }
  };
  return {
    byClaim,
    wanted,
    unserved,
    replace: (id, grant, { addresses, claims }) => {
      const old = byClaim.get(id);
      if (old === grant || (old && grant && isSameGrant(old, grant))) return;
      claims.add(id);
      for (const address of servedBy(old)) addresses.add(address);
      for (const address of servedBy(grant)) addresses.add(address);
      if (old !== undefined) leave(old);
      if (grant === undefined) byClaim.delete(id);
      else {
        byClaim.set(id, grant);
        join(grant);
      }
    },
  };
}

function servedBy(grant: Grant | undefined): readonly Address[] {
  return grant?.programmed === true ? grant.addresses : NO_ADDRESSES;
}

const NO_ADDRESSES: readonly Address[] = [];

function compareGrant(a: Grant, b: Grant): number {
  return compareText(a.claim.id, b.claim.id);
}

function isSameGrant(a: Grant, b: Grant): boolean {
  const { claim: claimA, leftOut: leftA, ...restA } = a;
  const { claim: claimB, leftOut: leftB, ...restB } = b;
  if (claimA !== claimB || !isAlike(restA, restB)) return false;
  return leftA.size === leftB.size && [...leftA].every((key) => leftB.has(key));
}
