// What is proved now: the wanted plan, what was applied and what was just observed become the
// report. Pure. It claims nothing that was not seen: a listener serves when the answering
// generation has it, an address is held when the kernel has it.

import type {
  Address,
  AgentName,
  AgentReport,
  Evidence,
  HeardRouter,
  LaneReport,
  Link,
  ListenerResource,
  Remark,
  Resource,
  ResourceName,
  ResourceReport,
  Revision,
  Step,
  VipResource,
} from "@fairlead/model";

import type { Applied } from "./applied.ts";
import { foreignRemarks } from "./foreign-remarks.ts";
import { laneState } from "./lane-state.ts";
import type { Outlook } from "./lookout.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan, KernelAddress, LedgerEntry } from "./ports.ts";

const MEMORY_STEP_BYTES = 16 * 1024 * 1024;

/** What a report is made of. */
export interface OutcomeInput {
  readonly agent: AgentName;
  readonly sequence: number;
  /** Highest epoch ever obeyed. */
  readonly epoch: number;
  readonly wanted: AcceptedPlan | undefined;
  /** The plan of a pass that has begun and has not touched the host; it will, wanted or not. */
  readonly comingUp: AcceptedPlan | undefined;
  readonly applied: Applied;
  /** Revision of the plan that the last finished pass was for. */
  readonly appliedPlan: Revision | undefined;
  readonly observed: Observation;
  /** What was noticed of other hosts. */
  readonly outlook: Outlook;
  readonly ledger: readonly LedgerEntry[];
  readonly reloads: number;
  readonly remarks: readonly Remark[];
  /** Members in the kernel's table, by the listener's name. Default: none are. */
  readonly fed?: ReadonlyMap<ResourceName, Revision>;
}

/** Makes the report. */
export function reportOf(input: OutcomeInput): AgentReport {
  const { wanted, observed, applied } = input;
  const resources = new Map<ResourceName, ResourceReport>();
  const lanes: LaneReport[] = [];
  for (const [name, resource] of wanted?.plan.resources ?? []) {
    const wantedRevision = wanted?.revisions.get(name);
    if (wantedRevision === undefined) continue;
    resources.set(name, reportResource(input, resource, wantedRevision));
    if (resource.kind !== "lane" || resource.listens === true) continue;
    lanes.push({ name, state: laneState(input, resource) });
  }
  for (const [name, entry] of comingUpReports(input)) resources.set(name, entry);
  for (const [name, entry] of leftoverReports(input)) resources.set(name, entry);
  const heardRouters = strangeRouters(input);
  return {
    agent: input.agent,
    sequence: input.sequence,
    epoch: input.epoch,
    ...(input.appliedPlan === undefined ? {} : { planRevision: input.appliedPlan }),
    links: ownLinks(observed.kernel.links, input),
    resources,
    lanes,
    dataPlane: {
      ...(observed.generation === undefined ? {} : { generation: observed.generation }),
      ...(observed.udpGeneration === undefined ? {} : { udpGeneration: observed.udpGeneration }),
      generationsAlive: observed.generations.length,
      generationsBytes: roundedBytes(observed.generations),
      keepalivedAlive: observed.keepalivedAlive,
      reloads: input.reloads,
    },
    remarks: [
      ...applied.remarks,
      ...input.remarks,
      ...dataPlaneRemarks(input),
      ...foreignRemarks(input),
    ],
    ...(heardRouters.length === 0 ? {} : { heardRouters }),
    ...(input.outlook.hearing.length === 0 ? {} : { hearing: input.outlook.hearing }),
  };
}

function reportResource(input: OutcomeInput, resource: Resource, wanted: Revision): ResourceReport {
  const problem = input.applied.problems.get(resource.name);
  const proved = proveResource(input, resource);
  return {
    name: resource.name,
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

function proveResource(input: OutcomeInput, resource: Resource): Proof {
  const { applied } = input;
  switch (resource.kind) {
    case "vip":
      return proveVip(input, resource);
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
      const listener = resource.name.replace(/^members/, "listener") as ResourceName;
      const served = applied.listeners.get(listener);
      const isFed = served?.place !== undefined;
      const revision = isFed ? input.fed?.get(listener) : served?.membersRevision;
      return proveGeneration(input, served?.listener.protocol, revision);
    }
  }
}

/** Of the instance that has the listener. */
function proveGeneration(
  { observed, applied }: OutcomeInput,
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
  return { step: "serving", evidence: [{ kind: "generation", id: generation }], revision };
}

function proveVip(input: OutcomeInput, vip: VipResource): Proof {
  const { vips, attached } = input.applied;
  const revision = vips.get(vip.address) ?? attached.get(vip.address);
  const here = find(input.observed.kernel.addresses, vip.address);
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
  input: OutcomeInput,
): readonly (readonly [ResourceName, ResourceReport])[] {
  const planned = input.wanted?.plan.resources;
  return input.ledger.flatMap((entry) => {
    const name = `vip/${entry.address}` as ResourceName;
    const here = find(input.observed.kernel.addresses, entry.address);
    const revision = input.applied.vips.get(entry.address) ?? NO_REVISION;
    if (entry.foreign || planned?.has(name) === true) return [];
    const step: Step = here === undefined ? "applied" : "serving";
    const evidence: readonly Evidence[] =
      here === undefined ? [] : [{ kind: "kernel-address", link: here.link }];
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
}: OutcomeInput): readonly (readonly [ResourceName, ResourceReport])[] {
  if (comingUp === undefined || comingUp === wanted) return [];
  return [...comingUp.plan.resources.values()].flatMap(({ kind, name }) => {
    if (kind !== "vip" || wanted?.plan.resources.has(name) === true) return [];
    const revision = comingUp.revisions.get(name) ?? NO_REVISION;
    return [[name, { name, revision, step: "received", evidence: [] }] as const];
  });
}

/** Revision of something whose plan is not known any more. */
const NO_REVISION: Revision = "0".repeat(32) as Revision;

/** Who speaks VRRP here and is no peer of a lane. */
function strangeRouters({ wanted, observed }: OutcomeInput): readonly HeardRouter[] {
  if (observed.routers.length === 0) return observed.routers;
  const peers = new Set<Address>();
  for (const resource of wanted?.plan.resources.values() ?? []) {
    if (resource.kind === "lane") for (const { address } of resource.order) peers.add(address);
  }
  return observed.routers.filter(({ source }) => !peers.has(source));
}

/**
 * Links with the host's own prefixes: VIPs and anchors are never an agent's own addresses. What a
 * plan has on a device and the ledger has not as ours is the host's own, in use as a VIP.
 */
export function ownLinks(
  links: readonly Link[],
  input: { readonly wanted: AcceptedPlan | undefined; readonly ledger: readonly LedgerEntry[] },
): readonly Link[] {
  const ours = new Set<Address>();
  const onDevices = new Set<Address>();
  for (const resource of input.wanted?.plan.resources.values() ?? []) {
    if (resource.kind !== "vip") continue;
    (resource.carrier.kind === "link" ? onDevices : ours).add(resource.address);
  }
  for (const { address, foreign } of input.ledger) {
    if (!foreign || !onDevices.has(address)) ours.add(address);
  }
  return links.map((link) => ({
    ...link,
    prefixes: link.prefixes.filter(
      ({ address }) => !ours.has(address) && !address.startsWith("169.254."),
    ),
  }));
}

/** Whether a daemon does not run with what it was given. */
export function isDataPlaneDown(applied: Applied, observed: Observation): boolean {
  const isHoldingDown = applied.lanes.size > 0 && !observed.keepalivedAlive;
  const isServing = applied.generation === undefined || observed.generation === applied.generation;
  const isServingUdp =
    applied.udpGeneration === undefined || observed.udpGeneration === applied.udpGeneration;
  return isHoldingDown || !isServing || !isServingUdp;
}

function dataPlaneRemarks(input: OutcomeInput): readonly Remark[] {
  const { applied, observed } = input;
  const remarks: Remark[] = observed.unguarded === undefined ? [] : [observed.unguarded];
  if (applied.lanes.size > 0 && !observed.keepalivedAlive) {
    remarks.push({ reason: "DataPlaneDown", detail: "keepalived is not running" });
  }
  if (applied.generation !== undefined && observed.generation === undefined) {
    remarks.push({ reason: "DataPlaneDown", detail: "nginx does not answer on its probe socket" });
  }
  if (applied.udpGeneration !== undefined && observed.udpGeneration === undefined) {
    const detail = "nginx for UDP does not answer on its probe socket";
    remarks.push({ reason: "DataPlaneDown", detail });
  }
  return remarks;
}

/** Rounded up: a report is sent when it differs, and memory always does a little. */
function roundedBytes(generations: Observation["generations"]): number {
  const bytes = generations.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return Math.ceil(bytes / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES;
}

function find(addresses: readonly KernelAddress[], wanted: Address): KernelAddress | undefined {
  return addresses.find((entry) => entry.address === wanted);
}
