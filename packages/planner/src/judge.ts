// Judging: one verdict for every claim, and which addresses stand published. Given grants, rows,
// lanes and what agents report. A claim is ready only when every address of it is proved to
// serve all its listeners; what was published stays while proof is merely stale.

import {
  type Address,
  type ClaimId,
  type Lane,
  type LaneId,
  type LeasedAddress,
  type Remark,
  type Resource,
  type Revision,
  type Verdict,
  type VerdictAddress,
  type VerdictState,
} from "@fairlead/model";

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
import { type Grant, portText } from "./grant.ts";
import { usableMembers } from "./members.ts";
import { type Proof, couldHold, isWithdrawn, prove } from "./proof.ts";
import { type Witness, type Witnesses, holdersOf } from "./witness.ts";

/** What judging works on. */
export interface JudgeOptions {
  readonly grants: ReadonlyMap<ClaimId, Grant>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly problems: ReadonlyMap<Address, Remark>;
  readonly carried: ReadonlyMap<Address, Carried>;
  readonly witnesses: Witnesses;
  /** Epoch ms. */
  readonly nowMs: number;
  readonly revisionOf: (resource: Resource) => Revision;
  readonly before: Judged | undefined;
}

/** One claim's verdict with everything that it follows from. */
interface Judgement {
  readonly grant: Grant;
  /** Rows, lanes, carried things and witnesses; undefined when there may be others. */
  readonly inputs: readonly unknown[] | undefined;
  readonly proofs: readonly Proof[];
  /** The addresses that stand published, in the grant's order. */
  readonly published?: readonly boolean[];
  readonly verdict?: Verdict;
}

/** The verdicts, and the rows that are published from now on. */
export interface Judged {
  readonly verdicts: ReadonlyMap<ClaimId, Verdict>;
  readonly published: ReadonlySet<Address>;
  readonly judgements: ReadonlyMap<ClaimId, Judgement>;
}

/** Judges all claims. What follows from the same things as last time is the same verdict. */
export function judge(options: JudgeOptions): Judged {
  const drafts: Judgement[] = [];
  const proved = new Set<Address>();
  for (const grant of options.grants.values()) {
    const draft = draftOf(options, grant);
    for (const { state, address } of draft.proofs) if (state === "proved") proved.add(address);
    drafts.push(draft);
  }
  const published = publishedNow(options, proved);
  const verdicts = new Map<ClaimId, Verdict>();
  const judgements = new Map<ClaimId, Judgement>();
  for (const draft of drafts) {
    const judged = finish(options, draft, published);
    judgements.set(draft.grant.claim.id, judged);
    if (judged.verdict !== undefined) verdicts.set(draft.grant.claim.id, judged.verdict);
  }
  return { verdicts, published, judgements };
}

function isContested({ rivals }: Proof): boolean {
  return rivals > 0;
}

function draftOf(options: JudgeOptions, grant: Grant): Judgement {
  const known = options.before?.judgements.get(grant.claim.id);
  if (known?.grant === grant && followsFrom(options, grant, known.inputs)) return known;
  const inputs: unknown[] = [];
  const isWhole = visitInputs(options, grant, (input) => inputs.push(input) > 0);
  const proofs = grant.programmed ? grant.addresses.map((at) => proofOf(options, grant, at)) : [];
  // Who of two holders is right changes with when they were heard last, whatever they say.
  return { grant, inputs: !isWhole || proofs.some(isContested) ? undefined : inputs, proofs };
}

function followsFrom(
  options: JudgeOptions,
  grant: Grant,
  inputs: readonly unknown[] | undefined,
): boolean {
  if (inputs === undefined) return false;
  let at = 0;
  return visitInputs(options, grant, (input) => input === inputs[at++]) && at === inputs.length;
}

/**
 * Visits what a verdict follows from, beside its grant, until `see` says no. False: it said so, or
 * the verdict follows from more than can be named.
 */
function visitInputs(
  options: JudgeOptions,
  grant: Grant,
  see: (input: unknown) => boolean,
): boolean {
  const { rows, carried, lanes, witnesses } = options;
  if (!grant.programmed || grant.leftOut.size > 0) return false;
  for (const address of grant.addresses) {
    const row = rows.get(address);
    const carriedHere = carried.get(address);
    if (row === undefined || carriedHere === undefined) return false;
    const lane = laneOf(row, lanes);
    if (!see(row) || !see(carriedHere) || !see(lane)) return false;
    for (const name of couldHold(row, lane)) if (!see(witnesses.get(name)?.word)) return false;
  }
  return true;
}

function finish(
  options: JudgeOptions,
  draft: Judgement,
  published: ReadonlySet<Address>,
): Judgement {
  const { addresses } = draft.grant;
  const isSame =
    draft.verdict !== undefined &&
    addresses.every((address, i) => published.has(address) === draft.published?.[i]);
  if (isSame) return draft;
  const now = addresses.map((address) => published.has(address));
  return { ...draft, published: now, verdict: verdictOf(options, draft, published) };
}

/** An address is published by proof, and stays until every agent says that it has it not. */
function publishedNow(
  { rows, lanes, witnesses, nowMs }: JudgeOptions,
  proved: ReadonlySet<Address>,
): ReadonlySet<Address> {
  const published = new Set(proved);
  for (const row of rows.values()) {
    if (!row.published || row.owners.length === 0 || published.has(row.address)) continue;
    if (!isWithdrawn(row, laneOf(row, lanes), { witnesses, nowMs })) published.add(row.address);
  }
  return published;
}

function laneOf(row: LeasedAddress, lanes: JudgeOptions["lanes"]): Lane | undefined {
  return row.placement.kind === "lane" ? lanes.get(row.placement.lane) : undefined;
}

function proofOf(options: JudgeOptions, grant: Grant, address: Address): Proof {
  const { rows, lanes, problems, witnesses, revisionOf } = options;
  const row = rows.get(address);
  if (row === undefined) {
    return { address, state: "missing", servesSome: false, rivals: 0, remarks: [] };
  }
  const lane = laneOf(row, lanes);
  return prove({
    row,
    lane,
    asked: ask(row, lane, witnesses),
    witnesses,
    listeners: listenersOf(options, grant, address),
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

function verdictOf(
  options: JudgeOptions,
  { grant, proofs }: Judgement,
  published: ReadonlySet<Address>,
): Verdict {
  const { claim } = grant;
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
    addresses: grant.addresses.map((address) => addressOf(options, { address, proofs, published })),
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
  return proofs.some((proof) => proof.state === "missing") ? "pending" : "ready";
}

interface AddressOptions {
  readonly address: Address;
  readonly proofs: readonly Proof[];
  readonly published: ReadonlySet<Address>;
}

function addressOf(
  { rows, lanes, witnesses }: JudgeOptions,
  { address, proofs, published }: AddressOptions,
): VerdictAddress {
  const row = rows.get(address);
  const proof = proofs.find((one) => one.address === address);
  const isAlone = row === undefined || row.owners.length < 2;
  // On a shared address the other's proof is not this one's.
  const isOwn = isAlone || (proof !== undefined && (proof.servesSome || proof.state === "unknown"));
  const asked = row === undefined ? [] : ask(row, laneOf(row, lanes), witnesses);
  const holder = proof?.holder ?? holdersOf(address, asked)[0]?.view.name;
  const isPublished = published.has(address) && isOwn;
  return { address, published: isPublished, ...(holder === undefined ? {} : { holder }) };
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
        ? usableMembers(listener, options.rows)
        : { members: same.members.members, remarks: same.remarks };
    remarks.push(...usable.remarks);
    const active = usable.members.filter((member) => member.state === "active").length;
    return { port: portText(listener), active };
  });
  return { counts, remarks };
}

function withoutRepeats(remarks: readonly Remark[], main: Remark | undefined): readonly Remark[] {
  if (remarks.length === 0) return remarks;
  const seen = new Set(main === undefined ? [] : [keyOf(main)]);
  return remarks.filter((remark) => {
    const key = keyOf(remark);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function keyOf({ reason, detail }: Remark): string {
  return `${reason} ${detail}`;
}
