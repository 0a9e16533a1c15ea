// What is proved now: the wanted plan, what was applied and what was just observed become the
// report. Pure. It claims nothing that was not seen: a listener serves when the answering
// generation has it, an address is held when the kernel has it.

import type {
  Address,
  AgentName,
  AgentReport,
  HeardRouter,
  Link,
  Remark,
  Revision,
} from "@fairlead/model";

import type { Applied } from "./applied.ts";
import { foreignRemarks } from "./foreign-remarks.ts";
import type { Outlook } from "./lookout.ts";
import type { Observation } from "./observe.ts";
import type { AcceptedPlan, LedgerEntry } from "./ports.ts";
import { type ProofInput, createProver } from "./prove.ts";
import { remembered } from "./remembered.ts";
import { speakersOf } from "./speakers.ts";
import { withSilences } from "./takeover-silence.ts";

const MEMORY_STEP_BYTES = 16 * 1024 * 1024;

/** What a report is made of. */
export interface OutcomeInput extends ProofInput {
  readonly sequence: number;
  /** Highest epoch ever obeyed. */
  readonly epoch: number;
  /** Revision of the plan that the last finished pass was for. */
  readonly appliedPlan: Revision | undefined;
  readonly observed: Observation;
  readonly outlook: Outlook;
  readonly reloads: number;
  readonly remarks: readonly Remark[];
}

/**
 * Makes reports, of what is proved of resources and lanes and what else was seen. Of parts that are
 * those of the report before it makes nothing anew.
 */
export function createReporter(): (input: OutcomeInput) => AgentReport {
  const parts: Parts = {
    prove: createProver(),
    ownLinks: remembered(ownLinks),
    foreignRemarks: remembered(foreignRemarks),
    withSilences: remembered(withSilences),
  };
  return (input) => reportOf(input, parts);
}

/** What takes a walk over all resources. */
interface Parts {
  readonly prove: ReturnType<typeof createProver>;
  readonly ownLinks: typeof ownLinks;
  readonly foreignRemarks: typeof foreignRemarks;
  readonly withSilences: typeof withSilences;
}

function reportOf(input: OutcomeInput, parts: Parts): AgentReport {
  const { observed, applied, wanted, ledger } = input;
  const { resources, lanes } = parts.prove(input);
  const { hearing, silences } = input.outlook;
  const heardRouters = strangeRouters(observed.routers, speakersOf(wanted));
  return {
    agent: input.agent,
    sequence: input.sequence,
    epoch: input.epoch,
    ...(input.appliedPlan === undefined ? {} : { planRevision: input.appliedPlan }),
    links: parts.ownLinks(observed.kernel.links, wanted, ledger),
    resources,
    lanes: parts.withSilences(lanes, silences),
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
      ...(observed.full ?? []),
      ...parts.foreignRemarks(wanted, ledger),
    ],
    ...(heardRouters.length === 0 ? {} : { heardRouters }),
    ...(hearing.length === 0 ? {} : { hearing }),
  };
}

/** Who speaks VRRP here and is no peer of a lane. */
function strangeRouters(
  routers: readonly HeardRouter[],
  peers: ReadonlyMap<Address, AgentName>,
): readonly HeardRouter[] {
  return routers.length === 0 ? routers : routers.filter(({ source }) => !peers.has(source));
}

/**
 * Links with the host's own prefixes: VIPs and anchors are never an agent's own addresses. What a
 * plan has on a device and the ledger has not as ours is the host's own, in use as a VIP. What an
 * agent speaks by is its host's own, whatever a plan has: without it the host were in no network.
 */
function ownLinks(
  links: readonly Link[],
  wanted: AcceptedPlan | undefined,
  ledger: readonly LedgerEntry[],
): readonly Link[] {
  const ours = new Set<Address>();
  const onDevices = new Set<Address>();
  for (const resource of wanted?.plan.resources.values() ?? []) {
    if (resource.kind !== "vip") continue;
    (resource.carrier.kind === "link" ? onDevices : ours).add(resource.address);
  }
  for (const { address, foreign } of ledger) {
    if (!foreign || !onDevices.has(address)) ours.add(address);
  }
  speakersOf(wanted).forEach((agent, address) => {
    if (agent === wanted?.plan.agent) ours.delete(address);
  });
  return links.map((link) => ({
    ...link,
    prefixes: link.prefixes.filter(
      ({ address }) => !ours.has(address) && !address.startsWith("169.254."),
    ),
  }));
}

/** Whether a daemon does not run with what it was given, or as it was meant. */
export function isDataPlaneDown(applied: Applied, observed: Observation): boolean {
  const isHoldingDown = applied.lanes.size > 0 && !observed.keepalivedAlive;
  const isServing = applied.generation === undefined || observed.generation === applied.generation;
  const isServingUdp =
    applied.udpGeneration === undefined || observed.udpGeneration === applied.udpGeneration;
  const isMiscounting = observed.generations.some(({ miscounts }) => miscounts === true);
  return isHoldingDown || !isServing || !isServingUdp || isMiscounting;
}

function dataPlaneRemarks(input: OutcomeInput): readonly Remark[] {
  const { applied, observed } = input;
  const remarks: Remark[] = observed.unguarded === undefined ? [] : [observed.unguarded];
  if (applied.lanes.size > 0 && !observed.keepalivedAlive) {
    remarks.push({ reason: "DataPlaneDown", detail: "keepalived is not running" });
  }
  remarks.push(
    ...nginxRemarks({
      name: "nginx",
      applied: applied.generation,
      answering: observed.generation,
      isDown: observed.isNginxDown === true,
    }),
    ...nginxRemarks({
      name: "nginx for UDP",
      applied: applied.udpGeneration,
      answering: observed.udpGeneration,
      isDown: observed.isNginxUdpDown === true,
    }),
  );
  for (const { remark } of observed.unrouted ?? []) remarks.push(remark);
  return remarks;
}

function nginxRemarks(instance: {
  readonly name: string;
  readonly applied: string | undefined;
  readonly answering: string | undefined;
  readonly isDown: boolean;
}): readonly Remark[] {
  const { name, applied, answering, isDown } = instance;
  if (applied === undefined || (answering !== undefined && !isDown)) return [];
  const silent = "does not answer on its probe socket";
  const unsteady = "answers again; lanes stay away until it has for a while, and its log says why";
  const detail = `${name} ${answering === undefined ? silent : unsteady}`;
  return [{ reason: "DataPlaneDown", detail }];
}

/** Rounded up: a report is sent when it differs, and memory always does a little. */
function roundedBytes(generations: Observation["generations"]): number {
  const bytes = generations.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  return Math.ceil(bytes / MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES;
}
