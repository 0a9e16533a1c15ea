// The links of a claim about what its holder proves: the address in the kernel, what others see of
// it, and the listeners in the generation that answers. Pure. Shown is the agents' own proof, kind
// by kind.

import {
  type LeasedAddress,
  listenerName,
  portText,
  type Reason,
  type Remark,
} from "@fairlead/model";

import { type Link, link } from "./chain.ts";
import {
  type Holding,
  answeringGeneration,
  couldHold,
  evidenceText,
  holdingsOf,
} from "./evidence.ts";
import { outsideLinks } from "./outside-link.ts";
import type { Given } from "./placed-links.ts";
import { remarkAt } from "./reason-links.ts";

/** Held and Answering. */
export function heldLinks(given: Given): readonly Link[] {
  const { context, leases } = given;
  if (leases.length === 0) {
    return [
      link("Held", "unknown", "there is no address to hold"),
      link("Answering", "unknown", "there is no address to answer on"),
    ];
  }
  const { view } = context;
  const found = leases.map((lease) => ({
    lease,
    holdings: holdingsOf(view, lease.address, couldHold(view, lease)),
  }));
  const said = [given.verdict.main, ...given.verdict.remarks];
  return [heldLink(given, found), ...outsideLinks(view, leases, said), answeringLink(given, found)];
}

interface Found {
  readonly lease: LeasedAddress;
  readonly holdings: readonly Holding[];
}

function heldLink({ verdict }: Given, found: readonly Found[]): Link {
  const said = [verdict.main, ...verdict.remarks];
  const missing = found.find(({ holdings }) => holdings.length === 0);
  if (missing !== undefined) {
    const remark = remarkAt(said, "Held", "agent");
    const detail = remark?.detail ?? `no agent reports holding ${missing.lease.address}`;
    const isStale = missing.lease.published && remark?.reason === "AgentUnreachable";
    const reason = remark?.reason ?? "NotHeld";
    // Others serve the claim, and nobody has to do anything.
    const isLeft = verdict.state === "ready" && reason === "AgentWithdrawn";
    const state = isLeft ? "doubt" : "broken";
    return link("Held", isStale ? "unknown" : state, detail, { reason });
  }
  const best = found.flatMap(({ lease, holdings }) =>
    holdings.slice(0, 1).map((holding) => ({ ...holding, address: lease.address })),
  );
  const detail = best
    .map(
      ({ agent, address, evidence }) => `${agent.name} has ${address}: ${evidenceText(evidence)}`,
    )
    .join("; ");
  const sinceMs = Math.min(...best.map((holding) => holding.sinceMs ?? Number.POSITIVE_INFINITY));
  const since = Number.isFinite(sinceMs) ? { sinceMs } : {};
  const away = best.find(({ agent }) => !agent.connected)?.agent;
  if (away !== undefined) {
    const stale = `${detail}, by its last report; ${away.name} is out of reach`;
    return link("Held", "unknown", stale, { reason: "AgentUnreachable", ...since });
  }
  const remark = remarkAt(said, "Held");
  if (remark === undefined) return link("Held", "good", detail, since);
  return link("Held", "doubt", `${detail}, but ${remark.detail}`, { reason: remark.reason });
}

function answeringLink({ claim, verdict }: Given, found: readonly Found[]): Link {
  const proofs = found.flatMap(({ lease, holdings }) =>
    holdings.slice(0, 1).flatMap(({ agent }) =>
      claim.listeners.map((listener) => {
        const name = listenerName(lease.address, listener.protocol, listener.port);
        const report = agent.report?.resources.get(name);
        return { agent, port: portText(listener), protocol: listener.protocol, report };
      }),
    ),
  );
  if (proofs.length === 0) return link("Answering", "unknown", "no holder to ask");
  const silent = proofs.filter(({ report }) => report?.step !== "serving");
  const remark = troubleOf(verdict.main, verdict.remarks);
  const [first] = silent;
  if (first !== undefined) {
    const ports = silent.map(({ port }) => port).join(", ");
    const why = remark?.detail ?? `${first.agent.name} has not proved ${ports} yet`;
    return link("Answering", "broken", why, { reason: remark?.reason ?? "WaitingForAgent" });
  }
  const ports = [...new Set(proofs.map(({ port }) => port))].join(", ");
  const evidence = [
    ...new Set(
      proofs.flatMap((one) => answeringGeneration(one.agent, one.protocol, one.report) ?? []),
    ),
  ].map((generation) => `nginx generation ${generation} answers`);
  const how = evidence.length === 0 ? "" : `: ${evidence.join("; ")}`;
  const agents = [...new Set(proofs.map(({ agent }) => agent.name))].join(", ");
  const detail = `${ports} on ${agents}${how}`;
  if (proofs.some(({ agent }) => !agent.connected)) {
    return link("Answering", "unknown", `${detail}, by the last report`);
  }
  if (remark === undefined) return link("Answering", "good", detail);
  return link("Answering", "doubt", `${detail}, but ${remark.detail}`, { reason: remark.reason });
}

const AWAY: readonly (Reason | undefined)[] = ["AgentUnreachable", "AgentWithdrawn"];

/** Trouble of an agent; that it is out of reach or gone is the link before. */
function troubleOf(main: Remark | undefined, remarks: readonly Remark[]): Remark | undefined {
  const reachable = [main, ...remarks].filter((one) => !AWAY.includes(one?.reason));
  return remarkAt(reachable, "agent");
}
