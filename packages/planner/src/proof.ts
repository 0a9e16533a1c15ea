// Proof for one address of one claim: who holds it, and whether every listener answers there.
// Given what agents report; hope is no proof, and neither is silence a disproof.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Lane,
  laneName,
  type LeasedAddress,
  portText,
  type Remark,
  type Resource,
  type ResourceReport,
  type Revision,
  vipName,
} from "@fairlead/model";

import type { CarriedListener } from "./carried.ts";
import { doubtOf } from "./sighted.ts";
import { type Witness, type Witnesses, holdersOf } from "./witness.ts";

/**
 * An address that nobody holds stays published this long, in ms: twice what a takeover takes at the
 * slowest adverts that are usual (1 s).
 */
export const WITHDRAW_AFTER_MS = 6000;

/**
 * `proved`: a connected agent holds it and serves all; `main` then says what speaks against it from
 * outside. `kept`: the holder went out of reach a
 * moment ago. `unknown`: it was proved once, and those who could say are out of reach.
 * `missing`: it is not served, or was never proved to be.
 */
export type ProofState = "proved" | "kept" | "unknown" | "missing";

/** The proof for one address of one claim. */
export interface Proof {
  readonly address: Address;
  readonly state: ProofState;
  /** The most believable holder, as far as is known. */
  readonly holder?: AgentName;
  /** Whether at least one listener answers on the holder. */
  readonly servesSome: boolean;
  /** Others that say they hold it. */
  readonly rivals: number;
  /** Why it is missing or in doubt. */
  readonly main?: Remark;
  readonly remarks: readonly Remark[];
}

/** What a proof is made of. */
export interface ProofOptions {
  readonly row: LeasedAddress;
  /** Since when the claim shares the address, epoch ms; undefined: for as long as it is held. */
  readonly sinceMs: number | undefined;
  readonly lane: Lane | undefined;
  /** Agents that could hold it: the lane's, and all that were ever sent it. */
  readonly asked: readonly Witness[];
  readonly witnesses: Witnesses;
  readonly listeners: readonly CarriedListener[];
  /** Who left the lane, because it does not hear its holder. */
  readonly unheard: readonly Remark[];
  /** Why the address has no lane. */
  readonly problem: Remark | undefined;
  readonly revisionOf: (resource: Resource) => Revision;
}

/**
 * Whether every agent that could hold the address says that it does not, and went on saying so: in
 * a takeover the loser's word comes before the winner's.
 */
export function isWithdrawn(
  row: LeasedAddress,
  lane: Lane | undefined,
  { witnesses, nowMs }: { readonly witnesses: Witnesses; readonly nowMs: number },
): boolean {
  const names = couldHold(row, lane);
  // Adopted, and no agent is known yet: nobody has said anything.
  if (names.length === 0) return false;
  const isAwaited = withdrawnHolders(row, names, witnesses).length === 0;
  for (const name of names) {
    const view = witnesses.get(name)?.view;
    if (view === undefined || isUnheard(view)) return false;
    if (view.report?.resources.get(vipName(row.address))?.step === "serving") return false;
    const lostMs = view.lostAtMs?.get(row.address);
    if (isAwaited && lostMs !== undefined && nowMs - lostMs < WITHDRAW_AFTER_MS) return false;
  }
  return true;
}

/** Whether nothing that the agent said is known to be so any more. */
function isUnheard({ report, connected, withdrawn }: AgentView): boolean {
  return report === undefined || !(connected || withdrawn === true);
}

/**
 * Who was to hold the address, where all of them were withdrawn: no takeover comes. Empty while one
 * was not.
 */
function withdrawnHolders(
  { placement }: LeasedAddress,
  names: readonly AgentName[],
  witnesses: Witnesses,
): readonly AgentName[] {
  const holders = placement.kind === "host" ? [placement.agent] : names;
  const isLeft = holders.every((name) => witnesses.get(name)?.view.withdrawn === true);
  return isLeft ? holders : [];
}

/** Names of agents that could hold the address, the lane's order first. */
export function couldHold(row: LeasedAddress, lane: Lane | undefined): readonly AgentName[] {
  const first = lane?.order ?? (row.placement.kind === "host" ? [row.placement.agent] : []);
  const rest = row.sentTo.filter((name) => !first.includes(name));
  return rest.length === 0 ? first : [...first, ...rest];
}

/** Judges one address of one claim. */
export function prove(options: ProofOptions): Proof {
  const { row, asked, problem } = options;
  const { address } = row;
  const holders = holdersOf(address, asked);
  const [best] = holders;
  if (best === undefined) return proveWithoutHolder(options);
  const holder = best.view.name;
  const heard = listen(options, best);
  const remarks = [...heldTwice(address, holders), ...options.unheard, ...heard.remarks];
  const rivals = holders.length - 1;
  const base = { address, holder, servesSome: heard.servesSome, rivals, remarks };
  if (heard.main !== undefined) return { ...base, state: "missing", main: heard.main };
  if (best.view.connected) {
    const doubt = doubtOf({ address, holders, asked });
    return { ...base, state: "proved", ...(doubt === undefined ? {} : { main: doubt }) };
  }
  const detail = `${holder}, which held ${address} by its last report, is out of reach`;
  const main: Remark = { reason: "AgentUnreachable", detail };
  if (!row.published || isFromBefore(options, best.view)) {
    return { ...base, servesSome: false, state: "missing", main: problem ?? main };
  }
  if (best.isStale) return { ...base, state: "unknown", main };
  return { ...base, state: "kept" };
}

/** Whether the agent's last word is from before the claim had a part in the address. */
function isFromBefore({ sinceMs }: ProofOptions, view: AgentView | undefined): boolean {
  return sinceMs !== undefined && view?.report !== undefined && view.heardAtMs < sinceMs;
}

/**
 * Two hold it when both said so after the later one began to: one whose last word is older may have
 * lost it, and could not say.
 */
function heldTwice(address: Address, holders: readonly Witness[]): readonly Remark[] {
  const connected = holders.filter(({ view }) => view.connected).map(({ view }) => view);
  const sinceMs = Math.max(...connected.map((view) => view.heldSinceMs.get(address) ?? 0));
  const names = connected.filter((view) => view.heardAtMs >= sinceMs).map((view) => view.name);
  if (names.length < 2) return [];
  return [{ reason: "HeldTwice", detail: `${address} is held by ${names.join(" and ")}` }];
}

interface Heard {
  readonly main?: Remark;
  readonly remarks: readonly Remark[];
  readonly servesSome: boolean;
}

/** What the holder says of the listeners. */
function listen(options: ProofOptions, { view }: Witness): Heard {
  const { row, listeners, revisionOf } = options;
  const resources = view.report?.resources;
  const missing: Remark[] = [];
  const remarks: Remark[] = [];
  for (const { listener, members } of listeners) {
    const said = resources?.get(listener.name);
    if (said?.step === "serving") {
      remarks.push(...openProblem(said, listener, revisionOf, view.name));
    } else {
      missing.push(troubleOf(said, view.name) ?? waiting(view.name, row.address, listener));
    }
    const set = resources?.get(members.name);
    if (set !== undefined) remarks.push(...openProblem(set, members, revisionOf, view.name));
  }
  const vip = resources?.get(vipName(row.address));
  const foreign = troubleOf(vip, view.name);
  if (foreign !== undefined) remarks.push(foreign);
  // A daemon that is down explains a silence better than the silence itself.
  const isSilent = missing[0]?.reason === "WaitingForAgent";
  if (isSilent) missing.unshift(...own(view.report?.remarks ?? [], view.name));
  const servesSome = missing.length < listeners.length;
  const [main, ...others] = missing;
  const all = [...others, ...remarks];
  return main === undefined ? { remarks: all, servesSome } : { main, remarks: all, servesSome };
}

function waiting(
  agent: AgentName,
  address: Address,
  listener: CarriedListener["listener"],
): Remark {
  const detail = `${agent} has not proved yet that ${address} serves ${portText(listener)}`;
  return { reason: "WaitingForAgent", detail };
}

/** A problem of something that serves: it matters while another content is wanted. */
function openProblem(
  said: ResourceReport,
  wanted: Resource,
  revisionOf: ProofOptions["revisionOf"],
  agent: AgentName,
): readonly Remark[] {
  if (said.problem === undefined) return [];
  const revision = revisionOf(wanted);
  const isOpen = said.revision !== revision || said.problem.revision === revision;
  const trouble = isOpen ? troubleOf(said, agent) : undefined;
  return trouble === undefined ? [] : [trouble];
}

function troubleOf(said: ResourceReport | undefined, agent: AgentName): Remark | undefined {
  if (said?.problem === undefined) return undefined;
  return { reason: said.problem.reason, detail: `on ${agent}: ${said.problem.detail}` };
}

/** Trouble of the agent; that it has somebody else's address keeps nothing from being served. */
function own(remarks: readonly Remark[], agent: AgentName): readonly Remark[] {
  return remarks
    .filter(({ reason }) => reason !== "AddressForeign")
    .map(({ reason, detail }) => ({ reason, detail: `on ${agent}: ${detail}` }));
}

const NO_REMARKS: readonly Remark[] = [];

/** Nobody is known to hold it. */
function proveWithoutHolder(options: ProofOptions): Proof {
  const { row, lane, witnesses, problem } = options;
  const { address } = row;
  const base = { address, servesSome: false, rivals: 0, remarks: NO_REMARKS };
  const names = couldHold(row, lane);
  const silent = names.filter((name) => {
    const view = witnesses.get(name)?.view;
    return view === undefined || isUnheard(view);
  });
  const mayKnow = silent.some((name) => !isFromBefore(options, witnesses.get(name)?.view));
  if (row.published && mayKnow) {
    const isNear = silent.some((name) => witnesses.get(name)?.view.connected === true);
    const detail = `${address} was served, and ${silent.join(", ")} did not report since`;
    const reason = isNear ? "WaitingForAgent" : "AgentUnreachable";
    return { ...base, state: "unknown", main: { reason, detail } };
  }
  const withdrawn = withdrawnHolders(row, names, witnesses);
  if (withdrawn.length > 0) {
    const detail = `nobody has ${address}: the operator withdrew ${withdrawn.join(", ")}`;
    return { ...base, state: "missing", main: problem ?? { reason: "AgentWithdrawn", detail } };
  }
  const giver = options.asked.find(({ handing }) => handing.has(address));
  if (row.published && giver !== undefined) {
    const detail = givenUpText(row, giver.view.name);
    return { ...base, state: "unknown", main: { reason: "WaitingForAgent", detail } };
  }
  return { ...base, state: "missing", main: problem ?? whyNotHeld(options, silent) };
}

/** Of an address on one host's own device nobody else takes over. */
function givenUpText({ address, placement }: LeasedAddress, giver: AgentName): string {
  const isAlone = placement.kind === "host" && placement.agent === giver;
  if (isAlone) return `${giver} does not have ${address} on its device just now`;
  return `${giver} gave ${address} up, and its successor did not speak yet`;
}

function whyNotHeld(options: ProofOptions, silent: readonly AgentName[]): Remark {
  const { row, lane, asked, listeners } = options;
  for (const { view } of asked) {
    const resources = view.report?.resources;
    const laneSaid = lane === undefined ? undefined : resources?.get(laneName(lane.id));
    const trouble =
      troubleOf(resources?.get(vipName(row.address)), view.name) ?? troubleOf(laneSaid, view.name);
    if (trouble !== undefined) return trouble;
    for (const { listener } of listeners) {
      const refused = troubleOf(resources?.get(listener.name), view.name);
      if (refused !== undefined) return refused;
    }
  }
  for (const { view } of asked) {
    const [down] = own(view.connected ? (view.report?.remarks ?? []) : [], view.name);
    if (down !== undefined) return down;
  }
  const names = couldHold(row, lane);
  if (names.length > 0 && names.every((name) => silent.includes(name))) {
    const isNear = asked.some(({ view }) => view.connected);
    const detail = `${names.join(", ")} ${isNear ? "did not report yet" : "out of reach"}`;
    return { reason: isNear ? "WaitingForAgent" : "AgentUnreachable", detail };
  }
  const who = names.length === 0 ? "no agent" : `none of ${names.join(", ")}`;
  const reason = lane?.settled === true ? "NotHeld" : "WaitingForAgent";
  return { reason, detail: `${who} has proved yet to hold ${row.address}` };
}
