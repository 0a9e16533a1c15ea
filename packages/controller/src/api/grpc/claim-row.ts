// One claim with its verdict as a row. Pure. A claim that no plan has judged yet is pending, with
// what keeps planning from it.

import {
  type Claim,
  type ClaimId,
  type ClaimListener,
  type Member,
  portText,
  present,
  type Remark,
  type Verdict,
} from "@fairlead/model";
import type { ClaimRowSchema, MessageInitShape } from "@fairlead/wire";

import type { CycleView } from "../../cycle-view.ts";
import type { AdminContext } from "./admin-context.ts";
import { wholeMs } from "./age.ts";
import { remarkRow } from "./remark-row.ts";

/** The row of a claim that a source shows. */
export function claimRow(
  { nowMs, view }: AdminContext,
  id: ClaimId,
): MessageInitShape<typeof ClaimRowSchema> {
  const seen = present(view.state.claims.get(id), "the claim is seen");
  const verdict = verdictOf(view, seen.value);
  // A change counts once it is judged: "ready" must never stand beside a port of a newer claim.
  const claim = (verdict === undefined ? undefined : view.judged.get(id)) ?? seen.value;
  const main = verdict === undefined ? notJudged(view) : verdict.main;
  return {
    id,
    namespace: claim.namespace,
    name: claim.name,
    addresses: (verdict?.addresses ?? []).map(({ address, holder, published }) => ({
      address,
      published,
      ...(holder === undefined ? {} : { holder }),
    })),
    ports: claim.listeners.map(portText),
    state: verdict?.state ?? "pending",
    ...(main === undefined ? {} : { main: remarkRow(main) }),
    remarks: (verdict?.remarks ?? []).map(remarkRow),
    conditions: (verdict?.conditions ?? []).map((condition) => ({ ...condition })),
    members: countMembers(view, claim),
    ageMs: wholeMs(nowMs - (claim.createdAtMs ?? seen.seenAtMs)),
    origin: claim.origin,
  };
}

/** The verdict of this very claim: one of an owner of the same name that is gone counts not. */
export function verdictOf(view: CycleView, claim: Claim): Verdict | undefined {
  const verdict = view.plan?.verdicts.get(claim.id);
  return verdict?.uid === claim.uid ? verdict : undefined;
}

/** Why there is no verdict yet. */
export function notJudged(view: CycleView): Remark {
  const store = view.findings.find(({ reason }) => reason === "StoreUnavailable");
  if (store !== undefined) return store;
  const detail = view.notReady ?? "the next plan will say more";
  return { reason: "WaitingForAgent", detail };
}

/** Endpoints that get connections, of all listeners together. */
function countMembers(view: CycleView, claim: Claim): number {
  const active = claim.listeners.flatMap((listener) => activeMembers(view, listener));
  return new Set(active.map(({ address }) => address)).size;
}

/** Endpoints of a listener that get connections; an address of ours never does. */
export function activeMembers(view: CycleView, { members }: ClaimListener): readonly Member[] {
  const leases = view.plan?.leases;
  return members.filter(
    ({ address, state }) => state === "active" && leases?.has(address) !== true,
  );
}
