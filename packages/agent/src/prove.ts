// What is proved of each resource and each lane of the plan: what was applied and what was just
// observed become steps with evidence. Pure. A look that sees what the last one saw proves the
// same and costs nothing: a host may have thousands of resources and is looked at every second.

import {
  type Address,
  type AgentName,
  type Evidence,
  type LaneReport,
  familyOf,
  type LaneResource,
  listenerOfMembers,
  patchMap,
  type Resource,
  type ResourceName,
  type ResourceReport,
  type Revision,
  type Step,
  type VipResource,
  vipName,
} from "@fairlead/model";
import { isSameResourceReport } from "@fairlead/wire";

import type { Applied, ServedListener } from "./applied.ts";
import { type ByAddress, byAddress } from "./by-address.ts";
import { type LaneLook, laneStates } from "./lane-state.ts";
import type { Outlook } from "./lookout.ts";
import type { MemberFeed } from "./member-feed.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan, KernelAddress, LedgerEntry } from "./ports.ts";
import { ownAddressProblem, speakersOf } from "./speakers.ts";

/** What is proved by; each part is replaced when it changes, never changed in place. */
export interface ProofInput {
  readonly agent: AgentName;
  readonly wanted: AcceptedPlan | undefined;
  /**
   * Plans that this host may have yet, wanted or not: that of a pass that has begun and has not
   * touched it, and the one on its disk, by which it starts again.
   */
  readonly coming: readonly [pass: AcceptedPlan | undefined, disk: AcceptedPlan | undefined];
  readonly applied: Applied;
  readonly observed: LaneLook & Pick<Observation, "generation" | "udpGeneration" | "unrouted">;
  /** What was noticed of other hosts. */
  readonly outlook: Pick<Outlook, "seen">;
  readonly ledger: readonly LedgerEntry[];
  /** Members in the kernel's table, and those that are not yet. Default: none are. */
  readonly members?: Pick<MemberFeed, "fed" | "waiting">;
}

/** What is proved. */
export interface Proved {
  readonly resources: ReadonlyMap<ResourceName, ResourceReport>;
  readonly lanes: readonly LaneReport[];
}

const NOTHING_PROVED: Proved = { resources: new Map(), lanes: [] };

/**
 * Proves everything.
 * @param before what was proved before: a report that says the same is the same object.
 */
export function proveAll(input: ProofInput, before: Proved = NOTHING_PROVED): Proved {
  const { wanted, observed } = input;
  const here = byAddress(observed.kernel.addresses);
  let known = 0;
  const news = new Map<ResourceName, ResourceReport | undefined>();
  const say = (report: ResourceReport): void => {
    const earlier = before.resources.get(report.name);
    if (earlier !== undefined) known += 1;
    if (earlier !== undefined && isSameResourceReport(earlier, report)) return;
    news.set(report.name, report);
  };
  const lanes: LaneResource[] = [];
  const held = new Set<ResourceName>();
  wanted?.plan.resources.forEach((resource, name) => {
    const revision = wanted.revisions.get(name);
    if (revision === undefined) return;
    say(reportResource(input, resource, revision, proveResource(input, resource, here)));
    if (resource.kind === "lane" && resource.listens !== true) lanes.push(resource);
    if (resource.kind !== "vip" || resource.carrier.kind !== "lane") return;
    const isHere = here.has(resource.address) && !speakersOf(wanted).has(resource.address);
    if (isHere) held.add(resource.carrier.resource);
  });
  const unplanned = new Map([...comingReports(input), ...leftoverReports(input, here)]);
  for (const report of unplanned.values()) say(report);
  if (known < before.resources.size) {
    for (const name of before.resources.keys()) {
      const isPlanned = wanted?.plan.resources.has(name) === true && wanted.revisions.has(name);
      if (!isPlanned && !unplanned.has(name)) news.set(name, undefined);
    }
  }
  return {
    resources: patchMap(before.resources, news),
    lanes: laneStates(input, lanes, { addresses: here, held }),
  };
}

/**
 * Proves as `proveAll` does; for the very same parts it gives what it gave before, and the same
 * object for a resource that is proved as before. What was seen of other hosts is news for some
 * addresses at a time: these alone are proved anew.
 */
export function createProver(): (input: ProofInput) => Proved {
  let last: LastProof | undefined;
  return (input) => {
    const known = last;
    const parts = partsOf(input);
    const isSame = known !== undefined && parts.every((part, at) => part === known.parts[at]);
    const proved = isSame ? proveSeen(input, known) : proveAll(input, known?.proved);
    last = { parts, seen: input.outlook.seen, proved };
    return proved;
  };
}

interface LastProof {
  readonly parts: readonly unknown[];
  readonly seen: Outlook["seen"];
  readonly proved: Proved;
}

/** What was proved last, and anew what somebody else is seen to have or not to have since. */
function proveSeen(input: ProofInput, { seen: before, proved }: LastProof): Proved {
  const { wanted, outlook, observed } = input;
  if (outlook.seen === before) return proved;
  const here = byAddress(observed.kernel.addresses);
  const news = new Map<ResourceName, ResourceReport>();
  const proveAgain = (address: Address): void => {
    const name = vipName(address);
    const vip = wanted?.plan.resources.get(name);
    const revision = wanted?.revisions.get(name);
    if (vip === undefined || revision === undefined) return;
    const report = reportResource(input, vip, revision, proveResource(input, vip, here));
    const known = proved.resources.get(name);
    if (known === undefined || !isSameResourceReport(known, report)) news.set(name, report);
  };
  outlook.seen.forEach(({ mac }, address) => {
    if (before.get(address)?.mac !== mac) proveAgain(address);
  });
  before.forEach((_, address) => {
    if (!outlook.seen.has(address)) proveAgain(address);
  });
  return news.size === 0 ? proved : { ...proved, resources: patchMap(proved.resources, news) };
}

/** All but what was seen of others. */
function partsOf(input: ProofInput): readonly unknown[] {
  const { agent, wanted, coming, applied, observed, ledger, members } = input;
  const { kernel, generation, udpGeneration, keepalivedAlive, unrouted } = observed;
  const { isNginxDown, isNginxUdpDown } = observed;
  const down = [isNginxDown, isNginxUdpDown];
  const seen = [kernel, generation, udpGeneration, keepalivedAlive, unrouted, ...down];
  const fed = [members?.fed, members?.waiting];
  return [agent, wanted, applied, ledger, ...fed, ...seen, ...coming];
}

function reportResource(
  input: ProofInput,
  resource: Resource,
  wanted: Revision,
  proved: Proof,
): ResourceReport {
  const { name } = resource;
  const isPlanned = input.wanted !== undefined && resource.kind === "vip";
  const isOwn = isPlanned ? ownAddressProblem(input.wanted, resource) : undefined;
  const left = input.applied.problems.get(name) ?? input.members?.waiting.get(name);
  const problem = isOwn ?? left;
  return {
    name,
    revision: proved.revision ?? wanted,
    step: proved.step,
    evidence: proved.evidence,
    ...(problem === undefined ? {} : { problem }),
  };
}

interface Proof {
  readonly step: Step;
  readonly evidence: readonly Evidence[];
  /** Revision that is in force; absent when it is the wanted one. */
  readonly revision: Revision | undefined;
}

function proveResource(input: ProofInput, resource: Resource, here: ByAddress): Proof {
  const { applied } = input;
  switch (resource.kind) {
    case "vip":
      return proveVip(input, resource, here.get(resource.address));
    case "lane": {
      const revision = applied.lanes.get(resource.name);
      const isRun = revision !== undefined && input.observed.keepalivedAlive;
      return { step: isRun ? "serving" : "received", evidence: [], revision };
    }
    case "listener": {
      const served = applied.listeners.get(resource.name);
      return proveGeneration(input, served, served?.revision);
    }
    case "members": {
      const listener = listenerOfMembers(resource);
      const served = applied.listeners.get(listener);
      const isFed = served?.place !== undefined;
      const revision = isFed ? input.members?.fed.get(listener) : served?.membersRevision;
      return proveGeneration(input, served, revision);
    }
  }
}

const ANSWERING: readonly Evidence[] = [{ kind: "generation" }];

/** Of the instance that has the listener; where nobody reaches its members it does not serve. */
function proveGeneration(
  input: ProofInput,
  served: ServedListener | undefined,
  revision: Revision | undefined,
): Proof {
  const { observed, applied } = input;
  const [generation, wanted] =
    served?.listener.protocol === "udp"
      ? [observed.udpGeneration, applied.udpGeneration]
      : [observed.generation, applied.generation];
  if (revision === undefined) return { step: "received", evidence: [], revision };
  if (generation === undefined || generation !== wanted || isCutOff(served, input)) {
    return { step: "applied", evidence: [], revision };
  }
  return { step: "serving", evidence: ANSWERING, revision };
}

/** Whether no route leads to its members in the kernel's table, or the table has none of it. */
function isCutOff(
  served: ServedListener | undefined,
  { observed: { unrouted = [] }, members }: ProofInput,
): boolean {
  if (served?.place === undefined) return false;
  const { listener, place } = served;
  const isWaiting = members?.waiting.has(listener.members) === true;
  if (isWaiting && !members.fed.has(listener.name)) return true;
  const family = familyOf(place.service);
  return unrouted.some((one) => one.family === family);
}

function proveVip(input: ProofInput, vip: VipResource, here: KernelAddress | undefined): Proof {
  const { vips, attached } = input.applied;
  const revision = vips.get(vip.address) ?? attached.get(vip.address);
  const mac = input.applied.strangers.get(vip.address);
  const isOwn = speakersOf(input.wanted).has(vip.address);
  if (isOwn) return { step: "received", evidence: [], revision };
  if (here === undefined && mac !== undefined) {
    return {
      step: "received",
      evidence: [{ kind: "neighbour", mac, seenBy: input.agent }],
      revision,
    };
  }
  if (here !== undefined) {
    return { step: "serving", evidence: [{ kind: "kernel-address", link: here.link }], revision };
  }
  const seen = input.outlook.seen.get(vip.address);
  const evidence: readonly Evidence[] =
    seen === undefined ? [] : [{ kind: "neighbour", mac: seen.mac, seenBy: input.agent }];
  return { step: revision === undefined ? "received" : "applied", evidence, revision };
}

type UnplannedReports = readonly (readonly [ResourceName, ResourceReport])[];

/**
 * Addresses of ours that the plan does not name: as long as the ledger has them they are said, so
 * that nobody takes them for released, also where the kernel has them not. keepalived's file may
 * still name them, and then this host would take them over.
 */
function leftoverReports(input: ProofInput, here: ByAddress): UnplannedReports {
  const planned = input.wanted?.plan.resources;
  return input.ledger.flatMap((entry) => {
    const name = `vip/${entry.address}` as ResourceName;
    if (entry.foreign || planned?.has(name) === true) return [];
    const found = here.get(entry.address);
    const revision = input.applied.vips.get(entry.address) ?? NO_REVISION;
    const step: Step = found === undefined ? "applied" : "serving";
    const evidence: readonly Evidence[] =
      found === undefined ? [] : [{ kind: "kernel-address", link: found.link }];
    return [[name, { name, revision, step, evidence }] as const];
  });
}

/**
 * Addresses of another plan that this host may have yet, as it was overtaken after its pass began,
 * or is on the disk while that takes no newer one: nobody may take them for gone.
 */
function comingReports({ wanted, coming }: ProofInput): UnplannedReports {
  return coming.flatMap((plan) => {
    if (plan === undefined || plan === wanted) return [];
    return [...plan.plan.resources.values()].flatMap(({ kind, name }) => {
      if (kind !== "vip" || wanted?.plan.resources.has(name) === true) return [];
      const revision = plan.revisions.get(name) ?? NO_REVISION;
      return [[name, { name, revision, step: "received" as const, evidence: [] }] as const];
    });
  });
}

/** Revision of something whose plan is not known any more. */
const NO_REVISION: Revision = "0".repeat(32) as Revision;
