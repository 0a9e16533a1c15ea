// Admission: which claims may be served at all, whatever addresses there are. Given one claim,
// looks at nothing else, so that one bad claim never disturbs another.
//
// The rule for what is refused here: it is not programmed, on no agent, because what its source
// could not read may be what protects somebody (loadBalancerSourceRanges). Whatever address it
// holds stays its own, unpublished once nobody holds it: no edit ever loses an address.

import type { Claim, Remark } from "@fairlead/model";

/** What admission says of a claim. */
export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "refused"; readonly main: Remark; readonly others: readonly Remark[] };

const ADMITTED: Admission = { kind: "admitted" };

/** Decides whether the claim may be served. The first refusal is the main one. */
export function admit(claim: Claim): Admission {
  const refusals = [...claim.refusals, ...missingPath(claim), ...missingPorts(claim)];
  const [main, ...others] = refusals;
  return main === undefined ? ADMITTED : { kind: "refused", main, others };
}

function missingPath({ policy }: Claim): readonly Remark[] {
  if (policy.datapath === undefined || policy.datapath === "nginx") return [];
  const detail = `the data path asked for is ${policy.datapath}; nginx is the one there is`;
  return [{ reason: "DatapathUnavailable", detail }];
}

function missingPorts(claim: Claim): readonly Remark[] {
  if (claim.listeners.length > 0 || claim.refusals.length > 0) return [];
  // It is given to somebody else, who listens there as he likes.
  if (claim.kind === "registration") return [];
  return [{ reason: "NoPorts", detail: "there is no port to listen on" }];
}
