// The link of an address about what other hosts see of it: who asked the segment, whose hardware
// address answered, and since when that is so. Pure. There is none where nobody has asked.

import {
  type AgentName,
  type LeasedAddress,
  type Remark,
  compareText,
  vipName,
} from "@fairlead/model";

import type { CycleView } from "../../cycle-view.ts";
import { type Link, link } from "./chain.ts";
import { couldHold } from "./evidence.ts";
import { remarkAt } from "./reason-links.ts";

/** The links of all leases together: one, or none. */
export function outsideLinks(
  view: CycleView,
  leases: readonly LeasedAddress[],
  said: readonly (Remark | undefined)[],
): readonly Link[] {
  const sights = leases.flatMap((lease) => sightsOf(view, lease));
  if (sights.length === 0) return [];
  const sinceMs = Math.min(...sights.map((one) => one.sinceMs ?? Number.POSITIVE_INFINITY));
  const since = Number.isFinite(sinceMs) ? { sinceMs } : {};
  const remark = remarkAt(said, "Outside");
  if (remark === undefined) return [link("Outside", "good", textOf(sights), since)];
  return [link("Outside", "doubt", remark.detail, { reason: remark.reason, ...since })];
}

interface Sight {
  readonly agent: AgentName;
  /** What it sees, in words. */
  readonly what: string;
  readonly sinceMs: number | undefined;
}

function sightsOf(view: CycleView, { address, ...lease }: LeasedAddress): readonly Sight[] {
  const asked = [...couldHold(view, { address, ...lease })].sort(compareText);
  return asked.flatMap((name): readonly Sight[] => {
    const agent = view.state.agents.get(name);
    const report = agent?.report?.resources.get(vipName(address));
    const proof = report?.evidence.find(({ kind }) => kind === "neighbour");
    if (agent?.connected !== true || report?.problem !== undefined) return [];
    if (proof?.kind !== "neighbour") return [];
    const what = proof.mac === "" ? `nobody answer for ${address}` : `${address} at ${proof.mac}`;
    return [{ agent: name, what, sinceMs: agent.seenSinceMs?.get(address) }];
  });
}

/** `lb1 and lb3 see 192.0.2.100 at 02:00:00:00:00:0b`. */
function textOf(sights: readonly Sight[]): string {
  const byWhat = Map.groupBy(sights, ({ what }) => what);
  return Array.from(byWhat, ([what, all]) => {
    const verb = all.length > 1 ? "see" : "sees";
    return `${all.map(({ agent }) => agent).join(" and ")} ${verb} ${what}`;
  }).join("; ");
}
