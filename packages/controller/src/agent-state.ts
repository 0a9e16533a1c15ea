// What is known of agents, by their hellos, reports and departures. A part of the fold of facts.
// An agent's last report stays when its stream ends: judging decides what it is still worth.

import { isDeepStrictEqual } from "node:util";

import {
  type Address,
  type AgentName,
  type AgentReport,
  type AgentView,
  type Stranger,
  addressOfResource,
  changedKeys,
  patchMap,
  vipName,
} from "@fairlead/model";
import { RIVAL_MS, STRANGER_MS } from "@fairlead/planner";

import { isListening, isMissed, listenAgain, sightsAfter, withoutSights } from "./agent-sights.ts";
import type { Fact } from "./facts.ts";

/** Facts that are about agents. */
type AgentFact = Extract<
  Fact,
  { kind: "agent-hello" | "agent-report" | "agent-heard" | "agent-gone" | "agent-forgotten" }
>;

/** Agents while facts are folded in. */
interface AgentTable extends ReadonlyMap<AgentName, AgentView> {
  set(name: AgentName, view: AgentView): unknown;
  delete(name: AgentName): boolean;
}

/** Folds one fact into the agents; returns whether it changed anything. */
export function foldAgent(agents: AgentTable, fact: AgentFact): boolean {
  switch (fact.kind) {
    case "agent-hello": {
      const { hello } = fact;
      const known = agents.get(hello.agent);
      // After a boot of its host nothing that it proved before holds any more; nor after a
      // withdrawal, from which it begins with the plan on its disk.
      const isSameBoot =
        known !== undefined && known.hello.bootId === hello.bootId && known.withdrawn !== true;
      const { disconnectedAtMs: _, ...proved } = isSameBoot
        ? known
        : { name: hello.agent, heldSinceMs: new Map<Address, number>() };
      // Its last report is from before: whether that is still so, only the next one says.
      const isProvedLater = isSameBoot && known.report !== undefined;
      const heardAtMs = isProvedLater ? known.heardAtMs : fact.atMs;
      const again = isSameBoot ? listenAgain(known, fact.atMs) : {};
      agents.set(hello.agent, { ...proved, ...again, connected: true, heardAtMs, hello });
      return true;
    }
    case "agent-report": {
      const known = agents.get(fact.report.agent);
      if (known === undefined) return false;
      const heldSinceMs = heldSince(known, fact.report, fact.atMs);
      const lostAtMs = lostAt(known, heldSinceMs, fact.atMs);
      const strangers = strangersOf(known, fact.report, fact.atMs);
      const hello = { ...known.hello, links: fact.report.links };
      const { atMs: heardAtMs, report } = fact;
      const { strangers: _, ...rest } = withoutSights(known);
      const sights = sightsAfter(known, report, heardAtMs);
      const next = { ...rest, ...sights, hello, report, heardAtMs, heldSinceMs, lostAtMs };
      agents.set(known.name, strangers.size === 0 ? next : { ...next, strangers });
      return fact.isFirst === true || !isSameProof(known.report, fact.report);
    }
    case "agent-heard": {
      const known = agents.get(fact.agent);
      if (known === undefined) return false;
      agents.set(known.name, { ...known, heardAtMs: fact.atMs });
      const isAwaited = isListening(known, fact.atMs);
      return isAwaited || isRival(agents, known) || isMissed(agents.values(), known);
    }
    case "agent-gone": {
      const known = agents.get(fact.agent);
      if (known === undefined || !known.connected) return false;
      const left = fact.withdrawn === true ? afterWithdrawal(known, fact.atMs) : known;
      agents.set(known.name, { ...left, connected: false, disconnectedAtMs: fact.atMs });
      return true;
    }
    // One that came back meanwhile is there.
    case "agent-forgotten":
      return agents.get(fact.agent)?.connected === false && agents.delete(fact.agent);
  }
}

/** Its last word is that nothing of it is left on its host. */
function afterWithdrawal(known: AgentView, atMs: number): AgentView {
  const { strangers: _, ...rest } = withoutSights(known);
  const gone = { ...rest, withdrawn: true, heardAtMs: atMs } as const;
  const { report } = known;
  if (report === undefined) return gone;
  const { hearing: _hearing, heardRouters: _routers, ...last } = report;
  const dataPlane = { ...NO_DATA_PLANE, reloads: report.dataPlane.reloads };
  const nothing = { ...last, resources: NO_RESOURCES, lanes: [], remarks: [], dataPlane };
  const heldSinceMs = heldSince(known, nothing, atMs);
  return { ...gone, report: nothing, heldSinceMs, lostAtMs: lostAt(known, heldSinceMs, atMs) };
}

const NO_DATA_PLANE = { generationsAlive: 0, keepalivedAlive: false };

/**
 * Whether another agent began to hold an address of this one after it was last heard, or not long
 * before: only its next word tells a double holding from a takeover that it could not speak of.
 */
function isRival(agents: ReadonlyMap<AgentName, AgentView>, known: AgentView): boolean {
  for (const other of agents.values()) {
    if (other.name === known.name || !other.connected) continue;
    for (const [address, sinceMs] of other.heldSinceMs) {
      if (sinceMs + RIVAL_MS > known.heardAtMs && known.heldSinceMs.has(address)) return true;
    }
  }
  return false;
}

/** Whether two reports prove the same; each has a number of its own. */
function isSameProof(before: AgentReport | undefined, report: AgentReport): boolean {
  if (before === undefined) return false;
  const { resources: old, ...restBefore } = before;
  const { resources, ...rest } = report;
  if (!isDeepStrictEqual({ ...restBefore, sequence: 0 }, { ...rest, sequence: 0 })) return false;
  return changedKeys(old, resources).every((name) =>
    isDeepStrictEqual(old.get(name), resources.get(name)),
  );
}

/** What is the same stays the same object, so that planning sees that nothing is new. */
function heldSince(
  { heldSinceMs, report: before }: AgentView,
  { resources }: AgentReport,
  atMs: number,
): ReadonlyMap<Address, number> {
  const news = new Map<Address, number | undefined>();
  for (const name of changedKeys(before?.resources ?? NO_RESOURCES, resources)) {
    const address = name.startsWith("vip/") ? addressOfResource(name) : undefined;
    if (address === undefined) continue;
    const isHeld = resources.get(name)?.step === "serving";
    news.set(address, isHeld ? (heldSinceMs.get(address) ?? atMs) : undefined);
  }
  return patchMap(heldSinceMs, news);
}

const NO_RESOURCES: AgentReport["resources"] = new Map();

/** How long it is remembered that an address was lost, in ms. */
const LOST_MS_MAX = 60_000;

function lostAt(
  known: AgentView,
  held: ReadonlyMap<Address, number>,
  atMs: number,
): ReadonlyMap<Address, number> {
  const lost = new Map<Address, number>();
  for (const [address, lostMs] of known.lostAtMs ?? []) {
    if (!held.has(address) && atMs - lostMs < LOST_MS_MAX) lost.set(address, lostMs);
  }
  for (const address of known.heldSinceMs.keys()) {
    if (!held.has(address)) lost.set(address, atMs);
  }
  return lost;
}

/**
 * Who answered for addresses that the agent was to hold: as long as it says so, and a minute after
 * its plan has them no more. That one is silent now, or was held since, ends it at once.
 */
function strangersOf(
  known: AgentView,
  report: AgentReport,
  atMs: number,
): ReadonlyMap<Address, Stranger> {
  const strangers = new Map<Address, Stranger>();
  for (const [address, stranger] of known.strangers ?? []) {
    const said = report.resources.get(vipName(address));
    const wasSaid = known.report?.resources.get(vipName(address))?.problem;
    const heardAtMs = wasSaid?.reason === "AddressInUse" ? atMs : stranger.heardAtMs;
    if (said !== undefined && said.step !== "received") continue;
    if (atMs - heardAtMs < STRANGER_MS) strangers.set(address, { ...stranger, heardAtMs });
  }
  for (const [name, { problem, evidence }] of report.resources) {
    if (problem?.reason !== "AddressInUse") continue;
    const address = addressOfResource(name);
    const seen = evidence.find(({ kind }) => kind === "neighbour");
    if (address === undefined || seen?.kind !== "neighbour") continue;
    strangers.set(address, { mac: seen.mac, heardAtMs: atMs });
  }
  return strangers;
}
