// What is proved of each resource and each lane of the plan: what was applied and what was just
// observed become steps with evidence. Pure. A look that sees what the last one saw proves the
// same and costs nothing: a host may have thousands of resources and is looked at every second.

import {
  type AgentName,
  type Evidence,
  type LaneReport,
  type ListenerResource,
  listenerOfMembers,
  type Resource,
  type ResourceName,
  type ResourceReport,
  type Revision,
  type Step,
  type VipResource,
} from "@fairlead/model";
import { isSameResourceReport } from "@fairlead/wire";

import type { Applied } from "./applied.ts";
import { type ByAddress, byAddress } from "./by-address.ts";
import { laneState } from "./lane-state.ts";
import type { Outlook } from "./lookout.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan, KernelAddress, LedgerEntry } from "./ports.ts";

/** What is proved by; each part is replaced when it changes, never changed in place. */
export interface ProofInput {
  readonly agent: AgentName;
  readonly wanted: AcceptedPlan | undefined;
  /** The plan of a pass that has begun and has not touched the host; it will, wanted or not. */
  readonly comingUp: AcceptedPlan | undefined;
  readonly applied: Applied;
  readonly observed: Pick<
    Observation,
    "kernel" | "generation" | "udpGeneration" | "keepalivedAlive"
  >;
  /** What was noticed of other hosts. */
  readonly outlook: Pick<Outlook, "seen">;
  readonly ledger: readonly LedgerEntry[];
  /** Members in the kernel's table, by the listener's name. Default: none are. */
  readonly fed?: ReadonlyMap<ResourceName, Revision>;
}

/** What is proved. */
export interface Proved {
  readonly resources: ReadonlyMap<ResourceName, ResourceReport>;
  readonly lanes: readonly LaneReport[];
}

/** Proves everything. */
export function proveAll(input: ProofInput): Proved {
  const { wanted, observed } = input;
  const resources = new Map<ResourceName, ResourceReport>();
  const lanes: LaneReport[] = [];
  const here = byAddress(observed.kernel.addresses);
  for (const [name, resource] of wanted?.plan.resources ?? []) {
    const revision = wanted?.revisions.get(name);
    if (revision === undefined) continue;
    const proof = proveResource(input, resource, here);
    resources.set(name, reportResource(input, resource, revision, proof));
    if (resource.kind !== "lane" || resource.listens === true) continue;
    lanes.push({ name, state: laneState(input, resource) });
  }
  for (const [name, entry] of comingUpReports(input)) resources.set(name, entry);
  for (const [name, entry] of leftoverReports(input, here)) resources.set(name, entry);
  return { resources, lanes };
}

/**
 * Proves as `proveAll` does; for the very same parts it gives what it gave before, and the same
 * object for a resource that is proved as before.
 */
export function createProver(): (input: ProofInput) => Proved {
  let parts: readonly unknown[] = [];
  let proved: Proved = { resources: new Map(), lanes: [] };
  return (input) => {
    const now = partsOf(input);
    if (parts.length === 0 || now.some((part, at) => part !== parts[at])) {
      const { resources, lanes } = proveAll(input);
      proved = { resources: withKnown(proved.resources, resources), lanes };
      parts = now;
    }
    return proved;
  };
}

/** `now`, with the objects of `before` where they say the same; `before` when all do. */
function withKnown(before: Proved["resources"], now: Proved["resources"]): Proved["resources"] {
  const kept = new Map<ResourceName, ResourceReport>();
  let news = 0;
  for (const [name, report] of now) {
    const known = before.get(name);
    const isKnown = known !== undefined && isSameResourceReport(known, report);
    kept.set(name, isKnown ? known : report);
    if (!isKnown) news += 1;
  }
  return news === 0 && now.size === before.size ? before : kept;
}

function partsOf(input: ProofInput): readonly unknown[] {
  const { agent, wanted, comingUp, applied, observed, outlook, ledger, fed } = input;
  const { kernel, generation, udpGeneration, keepalivedAlive } = observed;
  const seen = [kernel, generation, udpGeneration, keepalivedAlive, outlook.seen];
  return [agent, wanted, comingUp, applied, ledger, fed, ...seen];
}

function reportResource(
  input: ProofInput,
  { name }: Resource,
  wanted: Revision,
  proved: Proof,
): ResourceReport {
  const problem = input.applied.problems.get(name);
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
      return proveGeneration(input, resource.protocol, served?.revision);
    }
    case "members": {
      const listener = listenerOfMembers(resource);
      const served = applied.listeners.get(listener);
      const isFed = served?.place !== undefined;
      const revision = isFed ? input.fed?.get(listener) : served?.membersRevision;
      return proveGeneration(input, served?.listener.protocol, revision);
    }
  }
}

const ANSWERING: readonly Evidence[] = [{ kind: "generation" }];

/** Of the instance that has the listener. */
function proveGeneration(
  { observed, applied }: ProofInput,
  protocol: ListenerResource["protocol"] | undefined,
  revision: Revision | undefined,
): Proof {
  const [generation, wanted] =
    protocol === "udp"
      ? [observed.udpGeneration, applied.udpGeneration]
      : [observed.generation, applied.generation];
  if (revision === undefined) return { step: "received", evidence: [], revision };
  if (generation === undefined || generation !== wanted) {
    return { step: "applied", evidence: [], revision };
  }
  return { step: "serving", evidence: ANSWERING, revision };
}

function proveVip(input: ProofInput, vip: VipResource, here: KernelAddress | undefined): Proof {
  const { vips, attached } = input.applied;
  const revision = vips.get(vip.address) ?? attached.get(vip.address);
  const mac = input.applied.strangers.get(vip.address);
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

/**
 * Addresses of ours that the plan does not name: as long as the ledger has them they are said, so
 * that nobody takes them for released, also where the kernel has them not. keepalived's file may
 * still name them, and then this host would take them over.
 */
function leftoverReports(
  input: ProofInput,
  here: ByAddress,
): readonly (readonly [ResourceName, ResourceReport])[] {
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
 * Addresses of a plan that was overtaken after its pass began: this host is about to have them, so
 * nobody may take them for gone.
 */
function comingUpReports({
  wanted,
  comingUp,
}: ProofInput): readonly (readonly [ResourceName, ResourceReport])[] {
  if (comingUp === undefined || comingUp === wanted) return [];
  return [...comingUp.plan.resources.values()].flatMap(({ kind, name }) => {
    if (kind !== "vip" || wanted?.plan.resources.has(name) === true) return [];
    const revision = comingUp.revisions.get(name) ?? NO_REVISION;
    return [[name, { name, revision, step: "received", evidence: [] }] as const];
  });
}

/** Revision of something whose plan is not known any more. */
const NO_REVISION: Revision = "0".repeat(32) as Revision;
