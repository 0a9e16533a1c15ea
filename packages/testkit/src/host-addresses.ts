// What a plan has of addresses that agents hold by themselves, as tests read it: where each lease
// is, what stands on an agent's device, and what a claim has in its status.

import type { Plan } from "@fairlead/model";

import { findVerdict } from "./plan-answers.ts";

/** Where each address is: `192.0.2.100 on lb-1 eth0`. */
export function places({ leases }: Plan): readonly string[] {
  return Array.from(leases.values(), ({ address, placement }) =>
    placement.kind === "host"
      ? `${address} on ${placement.agent} ${placement.link}`
      : `${address} ${placement.kind}`,
  ).toSorted();
}

/** The address on the device of an agent: `24 eth0`; undefined: it has none there. */
export function vipOn(result: Plan, agent: string, address: string): string | undefined {
  const own = [...result.nodePlans.values()].find((one) => one.agent === agent);
  const vip = [...(own?.resources.values() ?? [])].find(({ name }) => name === `vip/${address}`);
  if (vip?.kind !== "vip" || vip.carrier.kind !== "link") return undefined;
  return `${vip.prefixLength} ${vip.carrier.link}${vip.carrier.adopts ? " adopted" : ""}`;
}

/** The addresses that a claim has in its status. */
export function published(result: Plan, name: string): readonly string[] {
  const { addresses } = findVerdict(result, name);
  return addresses.filter((one) => one.published).map(({ address }) => address);
}
