// Allocation: which claim holds which address. Given admitted claims and rows without owners that
// are gone; never moves a held address but where its owner asks for another one. In turn: claims
// that hold something, that wish for an address, whose namesake left one, the others; the oldest
// first. Who holds something is served on it, whatever is refused on top; a newcomer gets all that
// it cannot do without, or nothing.

import {
  type Address,
  type Claim,
  type ClaimId,
  familyOf,
  portText,
  type Reason,
  type Remark,
} from "@fairlead/model";

import { type Admission, admit } from "./admit.ts";
import { adoptAddresses, findWait } from "./adopt.ts";
import { findHostPool, serveOnHosts } from "./allocate-hosts.ts";
import { bestOf, livingOf } from "./best-held.ts";
import { type Desk, choose, chosen } from "./choose.ts";
import { NOTHING, commit, fallBack, nothing } from "./commit.ts";
import { type FamilyNeed, neededFamilies } from "./families.ts";
import type { Grant } from "./grant.ts";
import { isMidway, withMoves } from "./reassign.ts";
import { type Steps, isStep } from "./steps.ts";

/** What allocation works on. */
export interface AllocateOptions extends Desk {
  /** Claims that may be granted something else than last time, oldest first. */
  readonly claims: readonly Claim[];
}

/** Gives addresses; the desk's table has the result. One grant for every given claim. */
export function* allocate(options: AllocateOptions): Steps<Map<ClaimId, Grant>> {
  const { claims, table, free } = options;
  const grants = new Map<ClaimId, Grant>();
  adoptAddresses(options, claims);
  const held: Claim[] = [];
  const wishing: Claim[] = [];
  const returning: Claim[] = [];
  const others: Claim[] = [];
  const turnOf = (claim: Claim): Claim[] => {
    if (table.heldBy(claim).length > 0) return held;
    if (claim.wishedAddresses.length > 0) return wishing;
    return table.leftBy(claim.id).length > 0 ? returning : others;
  };
  const refused = new Map<Claim, Extract<Admission, { kind: "refused" }>>();
  for (const claim of claims) {
    const admission = admit(claim);
    if (admission.kind === "refused") refused.set(claim, admission);
    else turnOf(claim).push(claim);
  }
  dropUnusedPorts(options, held);
  // Whoever began to move has the turn.
  const midway = held.filter((claim) => isMidway(options, claim));
  const staying = midway.length === 0 ? held : held.filter((claim) => !midway.includes(claim));
  let open = [...midway, ...staying, ...wishing, ...returning, ...others];
  // What leaves or takes an address in one round may be what somebody else is told about it.
  for (let round = 0; round < ROUNDS_MAX && open.length > 0; round++) {
    const before = table.changes();
    if (round > 0) adoptAddresses(options, open);
    for (const [at, claim] of open.entries()) {
      if (isStep(at)) yield;
      grants.set(claim.id, serve(options, claim));
    }
    if (table.changes() === before) break;
    free.rewind();
    open = open.filter((claim) => grants.get(claim.id)?.main !== undefined);
  }
  // What the others left stays with whoever had it, served or not.
  adoptAddresses(options, [...refused.keys()]);
  for (const [claim, why] of refused) grants.set(claim.id, refuse(options, claim, why));
  return grants;
}

/** Rounds of one plan; a chain of moves that is longer goes on in the next plan. */
const ROUNDS_MAX = 8;

function refuse(
  { table }: AllocateOptions,
  claim: Claim,
  { main, others }: Extract<Admission, { kind: "refused" }>,
): Grant {
  return {
    claim,
    best: "refused",
    programmed: false,
    addresses: table.heldBy(claim),
    leftOut: NOTHING,
    main,
    remarks: [...others, ...claim.remarks],
  };
}

/** Ports that an owner no longer asks for are free for the others before anybody asks. */
function dropUnusedPorts({ table }: AllocateOptions, claims: readonly Claim[]): void {
  for (const claim of claims) {
    for (const address of table.heldBy(claim)) {
      const row = table.rows.get(address);
      const own = row?.owners.find((owner) => owner.claim === claim.id);
      if (row === undefined || own === undefined || row.owners.length < 2) continue;
      const wanted = new Set(claim.listeners.map(portText));
      const ports = own.ports.filter((port) => wanted.has(portText(port)));
      const { pool, sharingKey } = row;
      table.enter({
        address,
        claim,
        ports,
        pool,
        ...(sharingKey === undefined ? {} : { sharingKey }),
      });
    }
  }
}

function serve(options: AllocateOptions, claim: Claim): Grant {
  options.asking.drop(claim.id);
  const held = options.table.heldBy(claim);
  const wait = held.length === 0 ? findWait(options, claim) : undefined;
  // Agents go on with what they have there, and so does the status.
  if (wait !== undefined) return { ...nothing(claim, wait.problem), addresses: [wait.address] };
  const wanted = neededFamilies(claim, held);
  const stay = (problem: Remark): Grant =>
    fallBack(options, claim, { held, kept: served(options, held) }, problem);
  if (wanted.kind === "bad") return stay(wanted.problem);
  const hostPool = findHostPool(options, claim, held);
  if (hostPool !== undefined) {
    return serveOnHosts(options, { claim, held, needs: wanted.needs, ...hostPool });
  }
  const choices = wanted.needs.map((need) => {
    const own = held.filter((address) => isOf(need, address));
    return { need, choice: choose(options, claim, need, own) };
  });
  const lacking = choices.flatMap(({ need, choice }) =>
    choice.kind === "none" ? [{ need, problem: choice.problem }] : [],
  );
  const isHopeless = lacking.length === choices.length;
  const fatals = lacking.filter(({ need }) => need.required || isHopeless);
  // What others took may come free; what no pool has is the better answer.
  const fatal = fatals.find(({ problem }) => !isScarcity(problem)) ?? fatals[0];
  if (fatal !== undefined) {
    // What was found already is not given back while the rest is waited for.
    for (const { choice } of choices) {
      if (choice.kind === "take") options.asking.keep(choice.address);
    }
    return stay(fatal.problem);
  }
  const doubts = choices.flatMap(({ choice }) =>
    choice.kind === "keep" && choice.doubt !== undefined ? [choice.doubt] : [],
  );
  // That no pool has the second family is no trouble of a claim that merely prefers both.
  const missed = lacking.map(({ problem }) => problem).filter(isTrouble);
  const found = choices.flatMap(({ choice }) => chosen(choice));
  // Kept for each claim: a copy, for a list that grew has room for sixteen more.
  const kept = { chosen: [...found], doubts, missed };
  const moves = choices.flatMap(({ choice }) => (choice.kind === "move" ? [choice] : []));
  return withMoves(commit(options, claim, held, kept), moves);
}

/**
 * What a claim is served on while it is refused what it asks for: of a move that it had begun the
 * address that clients know, or both would stay for as long as it is refused. Agents' own are all
 * but those of forgotten agents.
 */
function served(options: AllocateOptions, held: readonly Address[]): readonly Address[] {
  const isAgents = (address: Address): boolean => {
    const view = options.book.poolOf(address);
    if (view !== undefined) return view.pool.mode === "host";
    return options.table.rows.get(address)?.placement.kind === "host";
  };
  const single = held.filter((address) => !isAgents(address));
  const best = FAMILIES.map((family) =>
    bestOf(
      options,
      single.filter((one) => familyOf(one) === family),
    ),
  );
  const kept = new Set([...best, ...livingOf(options, held.filter(isAgents))]);
  return held.filter((address) => kept.has(address));
}

const FAMILIES = ["ipv4", "ipv6"] as const;

function isOf(need: FamilyNeed, address: Address): boolean {
  return need.family === undefined || need.family === familyOf(address);
}

function isTrouble(problem: Remark): boolean {
  return problem.reason !== "FamilyUnavailable";
}

function isScarcity({ reason }: Remark): boolean {
  return SCARCE.has(reason);
}

const SCARCE: ReadonlySet<Reason> = new Set([
  "PoolExhausted",
  "AddressTaken",
  "SharingRefused",
  "Releasing",
  "WaitsForIpam",
  "IpamUnreachable",
  "IpamRefused",
]);
