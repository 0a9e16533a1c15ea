// The chain of an address: who holds it and where, and what its claims say; or why nobody has it.
// Pure.

import {
  type Address,
  type LeasedAddress,
  type Remark,
  claimTitle,
  rangeContains,
  rangeText,
} from "@fairlead/model";

import { gapText } from "../../move-lines.ts";
import { poolInUse } from "../../pool-in-use.ts";
import type { AdminContext } from "./admin-context.ts";
import { type ExplainInit, type Link, link, tellChain } from "./chain.ts";
import { couldHold, evidenceText, holdingsOf } from "./evidence.ts";
import { outsideLinks } from "./outside-link.ts";
import { placementText } from "./placed-links.ts";

/** The chain of any address. */
export function explainAddress(context: AdminContext, address: Address): ExplainInit {
  const { view, nowMs } = context;
  const lease = view.plan?.leases.get(address);
  const links = lease === undefined ? freeLinks(context, address) : leasedLinks(context, lease);
  return tellChain(`Address ${address}`, links, nowMs);
}

function leasedLinks(context: AdminContext, lease: LeasedAddress): readonly Link[] {
  const placed =
    lease.placement.kind === "unplaced"
      ? link("Placed", "broken", "no agent may hold it yet", { reason: "NoAgents" })
      : link("Placed", "good", placementText(context, lease));
  const isQuarantined = lease.state.kind === "quarantined";
  const claims = lease.owners.map(({ claim }) => claimLink(context, claim));
  return [
    leaseLink(context, lease),
    ...findingLinks(context, lease.address),
    ...(isQuarantined ? [] : [placed, heldLink(context, lease)]),
    ...(isQuarantined ? [] : outsideLinks(context.view, [lease], saidOf(context, lease))),
    ...claims,
    ...movedLinks(context, lease.address),
  ];
}

/** What the verdicts of its claims say. */
function saidOf(
  { view }: AdminContext,
  { owners }: LeasedAddress,
): readonly (Remark | undefined)[] {
  return owners.flatMap(({ claim }) => {
    const verdict = view.plan?.verdicts.get(claim);
    return verdict === undefined ? [] : [verdict.main, ...verdict.remarks];
  });
}

function leaseLink({ nowMs }: AdminContext, lease: LeasedAddress): Link {
  const { state, pool, owners, lastClaim, sentTo, sinceMs } = lease;
  switch (state.kind) {
    case "held": {
      const names = owners.map(({ claim }) => claimTitle(claim)).join(", ");
      const key = lease.sharingKey === undefined ? "" : `, shared by key ${lease.sharingKey}`;
      return link("Leased", "good", `held by ${names} from pool ${pool}${key}`, { sinceMs });
    }
    case "draining": {
      const waits = sentTo.length === 0 ? "the next plan" : sentTo.join(", ");
      const detail = `${claimTitle(lastClaim)} is gone; it waits for ${waits} to report not having it`;
      return link("Leased", "doubt", detail, { reason: "Releasing", sinceMs: state.sinceMs });
    }
    case "quarantined": {
      const seconds = Math.max(0, Math.ceil((state.untilMs - nowMs) / 1000));
      const detail = `${claimTitle(lastClaim)} had it; it is quarantined for another ${seconds} s`;
      return link("Leased", "good", detail, { sinceMs });
    }
  }
}

function findingLinks({ view }: AdminContext, address: Address): readonly Link[] {
  return view.findings
    .filter(({ subject, name }) => subject === "address" && name === address)
    .filter(({ reason }) => reason !== "Releasing")
    .map(({ reason, detail }) => link("Judged", "doubt", detail, { reason }));
}

function heldLink({ view }: AdminContext, lease: LeasedAddress): Link {
  const holdings = holdingsOf(view, lease.address, couldHold(view, lease));
  const [best] = holdings;
  if (best === undefined) {
    if (lease.state.kind !== "held") return link("Held", "good", "no agent reports having it");
    const { placement } = lease;
    const agent = placement.kind === "host" ? view.state.agents.get(placement.agent) : undefined;
    if (agent?.withdrawn === true) {
      const left = `its operator withdrew ${agent.name}`;
      return link("Held", "broken", left, { reason: "AgentWithdrawn" });
    }
    return link("Held", "broken", "no agent reports having it", { reason: "NotHeld" });
  }
  const detail = `${best.agent.name}: ${evidenceText(best.evidence)}`;
  const connected = holdings.filter(({ agent }) => agent.connected).map(({ agent }) => agent.name);
  const since = { sinceMs: best.sinceMs };
  if (connected.length > 1) {
    const twice = `${connected.join(" and ")} both report having it`;
    return link("Held", "doubt", twice, { reason: "HeldTwice", ...since });
  }
  if (best.agent.connected) return link("Held", "good", detail, since);
  const stale = `${detail}, by its last report; it is out of reach`;
  return link("Held", "unknown", stale, { reason: "AgentUnreachable", ...since });
}

/** Its last moves, the latest first. */
function movedLinks({ view }: AdminContext, address: Address): readonly Link[] {
  return (view.moves.get(address) ?? []).map((move) => {
    const { from, to, why, isPlanned, atMs } = move;
    const how = isPlanned ? "planned" : "unplanned";
    const words = why === "" ? "" : `: ${why}`;
    const detail = `from ${from} to ${to}, ${how}, gap ${gapText(move)}${words}`;
    return link("Moved", "good", detail, { sinceMs: atMs });
  });
}

function claimLink({ view }: AdminContext, id: LeasedAddress["owners"][number]["claim"]): Link {
  const title = claimTitle(id);
  const verdict = view.plan?.verdicts.get(id);
  const sinceMs = view.times.get(id)?.sinceMs;
  if (verdict === undefined) {
    return link("Claim", "unknown", `no source shows ${title}; its address stays`);
  }
  const { state, main } = verdict;
  const why = main === undefined ? "" : `: ${main.detail}`;
  const detail = `${title} is ${state}${why}`;
  const good = main === undefined ? "good" : "doubt";
  return link("Claim", state === "ready" ? good : "broken", detail, {
    reason: main?.reason,
    sinceMs,
  });
}

function freeLinks(context: AdminContext, address: Address): readonly Link[] {
  const own = ownLinks(context, address);
  const pools = [...context.view.state.pools.values()].map(({ value }) =>
    poolInUse(context.view, value),
  );
  const pool = pools.find(({ ranges }) => ranges.some((range) => rangeContains(range, address)));
  if (pool === undefined) {
    if (own.length > 0) return own;
    const detail = "it lies in no pool, so no claim can have it";
    return [link("Leased", "broken", detail, { reason: "AddressOutsidePools" })];
  }
  const reserved = pool.reserved.find((range) => rangeContains(range, address));
  if (reserved === undefined) return [link("Leased", "good", `free in pool ${pool.name}`), ...own];
  const detail = `pool ${pool.name} reserves ${rangeText(reserved)}, so no claim can have it`;
  return [link("Leased", "good", detail), ...own];
}

/** Agents that have the address as one of their hosts' own. */
function ownLinks({ view }: AdminContext, address: Address): readonly Link[] {
  return [...view.state.agents.values()].flatMap(({ name, hello }) =>
    hello.links
      .filter(({ prefixes }) => prefixes.some((prefix) => prefix.address === address))
      .map((one) => link("Own", "doubt", `${name} has it on ${one.name} as its own address`)),
  );
}
