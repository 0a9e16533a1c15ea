// What agents prove, looked up for tables and chains. Pure. Given what the loop knows. It repeats
// no judgement: whether a claim is served is the verdict's to say.

import {
  type Address,
  type AgentName,
  type AgentView,
  type Evidence,
  type Lane,
  type LeasedAddress,
  type ListenerResource,
  type ResourceReport,
  compareText,
  vipName,
} from "@fairlead/model";

import type { CycleView } from "../../cycle-view.ts";

/** An agent that says it has an address in its kernel. */
export interface Holding {
  readonly agent: AgentView;
  readonly evidence: readonly Evidence[];
  /** Epoch ms when it was first reported; absent when not known. */
  readonly sinceMs?: number;
}

/**
 * Who says to hold the address: connected ones first, then who came later, then by name.
 * @param asked agents that are asked; all by default.
 */
export function holdingsOf(
  view: CycleView,
  address: Address,
  asked: Iterable<AgentName> = view.state.agents.keys(),
): readonly Holding[] {
  const holdings: Holding[] = [];
  for (const name of asked) {
    const agent = view.state.agents.get(name);
    const report = agent?.report?.resources.get(vipName(address));
    if (agent === undefined || report?.step !== "serving") continue;
    const sinceMs = agent.heldSinceMs.get(address);
    const { evidence } = report;
    holdings.push({ agent, evidence, ...(sinceMs === undefined ? {} : { sinceMs }) });
  }
  return holdings.sort(
    (a, b) =>
      Number(b.agent.connected) - Number(a.agent.connected) ||
      (b.sinceMs ?? 0) - (a.sinceMs ?? 0) ||
      compareText(a.agent.name, b.agent.name),
  );
}

/** The lane that a leased address rides in, if it has one. */
export function laneOf(view: CycleView, lease: LeasedAddress): Lane | undefined {
  if (lease.placement.kind !== "lane") return undefined;
  return view.plan?.lanes.get(lease.placement.lane);
}

/** Agents that the address is placed on, the preferred holder first. */
export function orderOf(view: CycleView, lease: LeasedAddress): readonly AgentName[] {
  if (lease.placement.kind === "host") return [lease.placement.agent];
  return laneOf(view, lease)?.order ?? [];
}

/** Agents that could hold the address: those it is placed on, and all that were ever sent it. */
export function couldHold(view: CycleView, lease: LeasedAddress): ReadonlySet<AgentName> {
  return new Set([...orderOf(view, lease), ...lease.sentTo]);
}

/** Which nginx of the agent is proved to answer for a listener of this protocol. */
export function answeringGeneration(
  { report }: AgentView,
  protocol: ListenerResource["protocol"],
  proof: ResourceReport | undefined,
): string | undefined {
  if (proof?.evidence.some(({ kind }) => kind === "generation") !== true) return undefined;
  const { generation, udpGeneration } = report?.dataPlane ?? {};
  return protocol === "udp" ? udpGeneration : generation;
}

/** Proof in words: `eth0 has it in the kernel`. Empty when there is none. */
export function evidenceText(evidence: readonly Evidence[]): string {
  return evidence
    .map((proof) => {
      switch (proof.kind) {
        case "kernel-address":
          return `its kernel has it on ${proof.link}`;
        case "generation":
          return "the answering nginx generation has it";
        case "neighbour":
          return proof.mac === ""
            ? `${proof.seenBy} sees nobody answer for it`
            : `${proof.seenBy} sees it at ${proof.mac}`;
      }
    })
    .join(", ");
}
