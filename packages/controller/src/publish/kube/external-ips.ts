// What `spec.externalIPs` of a Service shall be: what others wrote there, and after it what is
// ours. Pure. The list is one value to API servers, so that what is ours in it stands in a note
// beside it.

import type { AgentName, AgentView } from "@fairlead/model";

import type { ServiceRecord } from "../../kube/service-record.ts";

/** The list as it shall be, with what of it is ours. */
export interface ExternalIPs {
  readonly all: readonly string[];
  readonly ours: readonly string[];
}

/** What has to be written so that `wanted` stands there; undefined: nothing. */
export function externalIPsToWrite(
  { externalIPs = [], writtenExternalIPs = [] }: ServiceRecord,
  wanted: readonly string[],
): ExternalIPs | undefined {
  const others = externalIPs.filter((address) => !writtenExternalIPs.includes(address));
  // What others have there already is theirs: it stays when we go.
  const ours = wanted.filter((address) => !others.includes(address));
  const all = [...others, ...ours];
  const isSaid = all.join() === externalIPs.join() && ours.join() === writtenExternalIPs.join();
  return isSaid ? undefined : { all, ours };
}

/**
 * Why nothing may be written there; undefined: nothing speaks against it. On a node kube-proxy
 * takes what is sent to external addresses before an agent sees it. @param nodes addresses of
 * nodes; undefined: nobody knows them yet.
 */
export function whyNoExternalIPs(
  agents: ReadonlyMap<AgentName, AgentView>,
  nodes: ReadonlySet<string> | undefined,
): string | undefined {
  if (nodes === undefined) {
    return (
      "whether agents run on nodes is not known before nodes were listed, and that is waited for; " +
      "the controller needs the right to list and watch nodes"
    );
  }
  for (const { name, hello } of agents.values()) {
    for (const { prefixes } of hello.links) {
      const own = prefixes.find(({ address }) => nodes.has(address));
      if (own === undefined) continue;
      return `agent ${name} runs on the node ${own.address}, where kube-proxy takes such packets`;
    }
  }
  return undefined;
}
