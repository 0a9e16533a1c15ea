// The chain of a pool: where it is declared, whether it is used, how full it is, and which agents
// reach it. Pure.

import {
  type AddressPool,
  type AgentName,
  networkOf,
  networkText,
  rangesOverlap,
} from "@fairlead/model";

import type { Seen } from "../../cluster-state.ts";
import { poolInUse } from "../../pool-in-use.ts";
import { countUsage } from "../../pool-usage.ts";
import type { AdminContext } from "./admin-context.ts";
import { type ExplainInit, type Link, link, tellLinks } from "./chain.ts";
import {
  isRefusal,
  outsideOf,
  poolFindings,
  rangesText,
  restingOf,
  sizeOf,
  usedOf,
} from "./pool-row.ts";

/** The chain of a pool that a source shows. */
export function explainPool(context: AdminContext, seen: Seen<AddressPool>): ExplainInit {
  const { view, nowMs } = context;
  const pool = poolInUse(view, seen.value);
  const uses = countUsage(view.plan?.leases.values() ?? []).of(pool);
  const [size, used, quarantined] = [sizeOf(uses), usedOf(uses), restingOf(uses)];
  const isFull = pool.external === undefined && BigInt(used + quarantined) >= size;
  const aside = quarantined === 0 ? "" : `, ${quarantined} quarantined`;
  const outside = outsideOf(uses);
  const others = outside === 0 ? "" : `; ${outside} more that it gives no more`;
  const fill = `${used} of ${size} addresses are given${aside}${others}`;
  const links = [
    seenLink(seen),
    ...judgedLinks(context, seen),
    isFull
      ? link("Filled", "doubt", fill, { reason: "PoolExhausted" })
      : link("Filled", "good", fill),
    reachedLink(context, pool),
  ];
  return tellLinks(`Pool ${pool.name}`, links, nowMs);
}

function seenLink({ value: pool, seenAtMs, absent }: Seen<AddressPool>): Link {
  const detail = `${pool.origin} declares ${rangesText(pool)}, mode ${pool.mode}`;
  if (absent === undefined) return link("Seen", "good", detail, { sinceMs: seenAtMs });
  const gone = `${pool.origin} no longer has it; it stays until a second whole list agrees`;
  return link("Seen", "doubt", gone, { reason: "SourceEmptied", sinceMs: absent.sinceMs });
}

function judgedLinks({ view }: AdminContext, seen: Seen<AddressPool>): readonly Link[] {
  const findings = poolFindings(view, seen);
  const [refusal] = findings.filter(isRefusal);
  if (refusal !== undefined) {
    return [link("Judged", "broken", refusal.detail, { reason: refusal.reason })];
  }
  if (findings.length === 0) return [link("Judged", "good", "nothing speaks against it")];
  return findings.map(({ reason, detail }) => link("Judged", "doubt", detail, { reason }));
}

/** An address can live only where some agent has a link into its network. */
function reachedLink({ view }: AdminContext, pool: AddressPool): Link {
  if (pool.external !== undefined && pool.ranges.length === 0) {
    return link("Reached", "unknown", "its IPAM has given it no address yet");
  }
  const segments = new Set<string>();
  const reaching: AgentName[] = [];
  for (const { name, hello } of view.state.agents.values()) {
    if (pool.agents.length > 0 && !pool.agents.includes(name)) continue;
    const near = hello.links
      .flatMap(({ prefixes }) => prefixes)
      .filter((prefix) => pool.ranges.some((range) => rangesOverlap(range, networkOf(prefix))));
    for (const prefix of near) segments.add(networkText(prefix));
    if (near.length > 0) reaching.push(name);
  }
  if (reaching.length > 0) {
    return link("Reached", "good", `by ${reaching.join(", ")} on ${[...segments].join(", ")}`);
  }
  const hasAgents = view.state.agents.size > 0;
  const detail = hasAgents ? "no link of an agent is in its network" : "no agent has connected";
  return link("Reached", "broken", detail, { reason: hasAgents ? "NoSegment" : "NoAgents" });
}
