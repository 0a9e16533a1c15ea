// What a controller's loop hears in tests: facts of a folder that has the one pool `lan`, and of
// agents with an address in 192.0.2.0/24, in a few words.

import type { Fact, PlanDelivery } from "@fairlead/controller";
import {
  type AddressPool,
  type AgentReport,
  assert,
  type Claim,
  type Resource,
} from "@fairlead/model";

import { makeAgent, makePool } from "../builders.ts";
import { makeReport, makeRevisionOf } from "../plan-answers.ts";

/** What a loop hands over for its agents. */
export type Delivered = Parameters<PlanDelivery["deliver"]>[0];

const revisionOf = makeRevisionOf();
const LINKS: AgentReport["links"] = makeAgent("a").hello.links;

/** The folder's pool, with these ranges; what it gave rests for a minute. */
export function lanPool(ranges: string): AddressPool {
  return makePool("lan", ranges, { quarantineMs: 60_000 });
}

/** The folder shows a claim. */
export function claimSeen(claim: Claim): Fact {
  return { kind: "claim-seen", source: "folder", claim };
}

/** The folder saw a claim deleted. */
export function claimGone({ id, uid }: Claim): Fact {
  return { kind: "claim-gone", source: "folder", id, uid, how: "seen-deleted" };
}

/** The folder has its pool and these claims, and no more. */
export function folderListed(claims: readonly Claim[]): Fact {
  return {
    kind: "source-listed",
    source: "folder",
    atMs: 0,
    claims: new Set(claims.map(({ id }) => id)),
    pools: new Set([lanPool("192.0.2.100").name]),
  };
}

/** An agent comes, from a host 192.0.2.`octet`. It obeyed nobody yet unless `epoch` says whom. */
export function agentHello(name: string, octet: number, epoch = 0): Fact {
  const { hello } = makeAgent(name, { prefixes: [`192.0.2.${octet}/24`] });
  return { kind: "agent-hello", atMs: 0, hello: { ...hello, epoch } };
}

/** An agent proves all of what was delivered to it, and holds the VIPs that it `holds`: all. */
export function agentProof(
  delivered: Delivered | undefined,
  name: string,
  holds: (resource: Resource) => boolean = () => true,
): Fact {
  const plan = [...(delivered?.plans.values() ?? [])].find(({ agent }) => agent === name);
  assert(plan !== undefined, "the agent has a plan");
  const report = { ...makeReport(plan, holds, revisionOf), links: LINKS };
  return { kind: "agent-report", atMs: 0, report };
}
