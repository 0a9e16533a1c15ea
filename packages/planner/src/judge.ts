// Judging: one verdict for every claim, and which addresses stand published. Given grants, rows,
// lanes and what agents report. A claim is ready only when every address of it is proved to
// serve all its listeners; what was published stays while proof is merely stale.

import {
  type Address,
  type AgentName,
  type ClaimId,
  type Lane,
  type LaneId,
  type LeasedAddress,
  portText,
  type Remark,
  type Resource,
  type Revision,
  type Verdict,
  type VerdictAddress,
  type VerdictState,
} from "@fairlead/model";

import { keep } from "./alike.ts";
import type { Carried, CarriedListener } from "./carried.ts";
import {
  type MemberCount,
  allocatedCondition,
  membersCondition,
  noMembers,
  portTexts,
  servingCondition,
  whyNoMembers,
} from "./conditions.ts";
import type { Grant, Grants } from "./grant.ts";
import { unheardIn } from "./hearing.ts";
import type { LaneResources } from "./lane-resources.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { usableMembers } from "./members.ts";
import { type Proof, couldHold, isWithdrawn, prove } from "./proof.ts";
import { withoutRepeats } from "./remarks.ts";
import { type Steps, isStep } from "./steps.ts";
import { type Witness, type Witnesses, holdersOf } from "./witness.ts";

/** What judging works on. */
export interface JudgeOptions {
  readonly grants: Pick<Grants, "byClaim" | "unserved">;
  /** Changed: whether an address stands published is decided here. */
  readonly rows: LeaseRows;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  /** Who runs them. */
  readonly resources: LaneResources;
  readonly problems: ReadonlyMap<Address, Remark>;
  readonly carried: ReadonlyMap<Address, Carried>;
  readonly witnesses: Witnesses;
  /** Epoch ms. */
  readonly nowMs: number;
  readonly revisionOf: (resource: Resource) => Revision;
  /** All judgements of last time, which are changed. */
  readonly judgements: Judgements;
}

/** One claim's verdict with the proofs that it follows from. Changed in place. */
export interface Judgement {
  grant: Grant;
  proofs: readonly Proof[];
  /** Undefined while it is being judged for the first time. */
  verdict: Verdict | undefined;
}

/** One for every claim. */
export type Judgements = Map<ClaimId, Judgement>;

/**
 * Judges the claims that were touched. What says the same as last time is the same verdict.
 * @returns the verdicts of the claims that were judged; undefined for those that are gone.
 */
export function* judge(options: JudgeOptions): Steps<ReadonlyMap<ClaimId, Verdict | undefined>> {
  const { grants, rows, judgements } = options;
  const asked = touchedClaims(rows, grants.unserved);
  let proved = 0;
  for (const id of asked) {
    if (isStep(proved++)) yield;
    const grant = grants.byClaim.get(id);
    if (grant === undefined) {
      judgements.delete(id);
      continue;
    }
    const proofs = proofsOf(options, grant);
    const known = judgements.get(id);
    if (known === undefined) judgements.set(id, { grant, proofs, verdict: undefined });
    else Object.assign(known, { grant, proofs });
  }
  for (const address of rows.touched.addresses) republish(options, address);
  const verdicts = new Map<ClaimId, Verdict | undefined>();
  for (const id of asked) {
    if (isStep(verdicts.size)) yield;
    const judgement = judgements.get(id);
    if (judgement !== undefined) {
      judgement.verdict = keep(judgement.verdict, verdictOf(options, judgement));
    }
    verdicts.set(id, judgement?.verdict);
  }
  return verdicts;
}

/** Whether time alone, or a word that says nothing new, may change what is thought of the row. */
export function isInDoubt(judgements: Judgements, row: LeasedAddress): boolean {
  // Who of two holders is right changes with when they were heard last, whatever they say.
  if (someProof(judgements, row, ({ rivals }) => rivals > 0)) return true;
  return row.published && !someProof(judgements, row, isProved);
}

/**
 * Whoever owns an address that was touched is judged, or waits for it as its status has it: all of
 * them say whether it is published.
 */
function touchedClaims(
  { all, touched }: LeaseRows,
  unserved: Grants["unserved"],
): ReadonlySet<ClaimId> {
  const asked = new Set(touched.claims);
  for (const address of touched.addresses) {
    for (const { claim } of all.get(address)?.owners ?? []) asked.add(claim);
    for (const { claim } of unserved.get(address) ?? []) asked.add(claim.id);
  }
  return asked;
}

function someProof(
  judgements: Judgements,
  { address, owners }: LeasedAddress,
  test: (proof: Proof) => boolean,
): boolean {
  return owners.some(({ claim }) => {
    const proofs = judgements.get(claim)?.proofs;
    return proofs?.some((proof) => proof.address === address && test(proof)) ?? false;
  });
}

function isProved({ state }: Proof): boolean {
  return state === "proved";
}

/** An address is published by proof, and stays until every agent says that it has it not. */
function republish(options: JudgeOptions, address: Address): void {
  const { rows, lanes, judgements } = options;
  const row = rows.all.get(address);
  if (row === undefined) return;
  const isStaying = (): boolean =>
    row.published &&
    row.owners.length > 0 &&
    !isWithdrawn(row, laneOf(row, lanes), options) &&
    !isReplaced(options, row);
  const published = someProof(judgements, row, isProved) || isStaying();
  if (row.published !== published) rows.put({ ...row, published });
}

/**
 * Whether its agent has been out of reach for so long that the kernel there has it no more, while
 * each of its owners is served by another agent. Silence alone never empties a status.
 */
function isReplaced({ witnesses, judgements }: JudgeOptions, row: LeasedAddress): boolean {
  const { placement, address, owners } = row;
  if (placement.kind !== "host" || witnesses.get(placement.agent)?.isStale !== true) return false;
  return owners.every(({ claim }) => {
    const judgement = judgements.get(claim);
    if (judgement?.grant.perAgent !== true) return false;
    return judgement.proofs.some((proof) => proof.address !== address && isProved(proof));
  });
}

function proofsOf(options: JudgeOptions, grant: Grant): readonly Proof[] {
  return grant.programmed ? grant.addresses.map((at) => proofOf(options, grant, at)) : [];
}

function laneOf(row: LeasedAddress, lanes: JudgeOptions["lanes"]): Lane | undefined {
  return row.placement.kind === "lane" ? lanes.get(row.placement.lane) : undefined;
}

function proofOf(options: JudgeOptions, grant: Grant, address: Address): Proof {
  const { rows, lanes, problems, witnesses, revisionOf } = options;
  const row = rows.all.get(address);
  if (row === undefined) {
    return { address, state: "missing", servesSome: false, rivals: 0, remarks: [] };
  }
  const lane = laneOf(row, lanes);
  return prove({
    row,
    sinceMs: row.owners.find((owner) => owner.claim === grant.claim.id)?.sinceMs,
    lane,
    asked: ask(row, lane, witnesses),
    witnesses,
    listeners: listenersOf(options, grant, address),
    unheard: lane === undefined ? [] : unheardIn(lane, options),
    problem: problems.get(address),
    revisionOf,
  });
}

function ask(row: LeasedAddress, lane: Lane | undefined, witnesses: Witnesses): readonly Witness[] {
  return couldHold(row, lane).flatMap((name) => witnesses.get(name) ?? []);
}

function listenersOf(
  { carried }: JudgeOptions,
  grant: Grant,
  address: Address,
): readonly CarriedListener[] {
  const claims = carried.get(address)?.claims;
  return claims?.find((one) => one.grant.claim.id === grant.claim.id)?.listeners ?? [];
}

function verdictOf(options: JudgeOptions, judgement: Readonly<Judgement>): Verdict {
  const { grant, proofs: all } = judgement;
  const { claim } = grant;
  // What takes the place of another one is not missed before that has gone.
  const proofs = all.filter(({ address }) => grant.move?.arriving.includes(address) !== true);
  const { counts, remarks: memberRemarks } = countMembers(options, grant);
  const proofMains = proofs.flatMap((proof) => proof.main ?? []);
  const mains = grant.best === "ready" ? [...proofMains, grant.main] : [grant.main, ...proofMains];
  const empty = noMembers(counts);
  const cause = empty && whyNoMembers([...memberRemarks, ...grant.remarks]);
  const [main, ...others] = [...mains, cause, empty].filter((one) => one !== undefined);
  const remarks = [
    ...others,
    ...proofs.flatMap((proof) => proof.remarks),
    ...memberRemarks,
    ...grant.remarks,
  ];
  return {
    claim: claim.id,
    uid: claim.uid,
    generation: claim.generation,
    state: stateOf(grant, proofs),
    ...(main === undefined ? {} : { main }),
    addresses: grant.addresses.map((address) => addressOf(options, address, all)),
    conditions: [
      allocatedCondition(grant),
      servingCondition(grant, proofs, portTexts(claim)),
      membersCondition(counts),
    ],
    remarks: withoutRepeats(remarks, main),
  };
}

function stateOf(grant: Grant, proofs: readonly Proof[]): VerdictState {
  if (grant.best !== "ready") return grant.best;
  const missing = proofs.filter((proof) => proof.state === "missing").length;
  const mayMiss = grant.perAgent === true ? proofs.length - 1 : 0;
  if (missing <= mayMiss) return "ready";
  const isStrangers = proofs.some(({ main }) => main?.reason === "AddressInUse");
  return isStrangers ? "refused" : "pending";
}

function addressOf(
  { rows, lanes, witnesses }: JudgeOptions,
  address: Address,
  proofs: readonly Proof[],
): VerdictAddress {
  const row = rows.all.get(address);
  const proof = proofs.find((one) => one.address === address);
  const isAlone = row === undefined || row.owners.length < 2;
  // On a shared address the other's proof is not this one's.
  const isOwn = isAlone || (proof !== undefined && (proof.servesSome || proof.state === "unknown"));
  const holder = proof === undefined ? holderNow() : proof.holder;
  const isPublished = row?.published === true && isOwn;
  return { address, published: isPublished, ...(holder === undefined ? {} : { holder }) };

  function holderNow(): AgentName | undefined {
    const asked = row === undefined ? [] : ask(row, laneOf(row, lanes), witnesses);
    return holdersOf(address, asked)[0]?.view.name;
  }
}

function countMembers(
  options: JudgeOptions,
  grant: Grant,
): { readonly counts: readonly MemberCount[]; readonly remarks: readonly Remark[] } {
  const remarks: Remark[] = [];
  const [first] = grant.programmed ? grant.addresses : [];
  const known = first === undefined ? [] : listenersOf(options, grant, first);
  const counts = grant.claim.listeners.map((listener) => {
    const same = known.find(({ source }) => source === listener);
    const usable =
      same === undefined
        ? usableMembers(listener, options.rows.all)
        : { members: same.members.members, remarks: same.remarks };
    remarks.push(...usable.remarks);
    const active = usable.members.filter((member) => member.state === "active").length;
    return { port: portText(listener), active };
  });
  return { counts, remarks };
}
