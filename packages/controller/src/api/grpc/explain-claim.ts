// The chain of a claim: seen, admitted, given an address, placed, and so on to the published
// status. Pure. Whether it is served is the verdict's word; the links only show where that comes
// from, with values and ages.

import {
  type Claim,
  type ClaimId,
  claimTitle,
  type LeasedAddress,
  parseClaimId,
  portText,
  type Remark,
  type Verdict,
} from "@fairlead/model";

import type { Seen } from "../../cluster-state.ts";
import type { AdminContext } from "./admin-context.ts";
import { type ExplainInit, type Link, link, tellChain } from "./chain.ts";
import { notJudged, verdictOf } from "./claim-row.ts";
import { statusLink, writtenLink } from "./cluster-links.ts";
import { unreadableLink } from "./explain-finding.ts";
import { heldLinks } from "./held-links.ts";
import { membersLink } from "./members-link.ts";
import { placedLink, sentLink } from "./placed-links.ts";
import { remarkAt, remarksAt } from "./reason-links.ts";

/** Most remarks that one link tells. */
const DOUBTS_MAX = 5;

const KIND_WORDS: Readonly<Record<Claim["kind"], string>> = {
  service: "Service",
  configmap: "ConfigMap",
  ingress: "Ingress",
  gateway: "Gateway",
  virtualip: "VirtualIP",
  registration: "registration",
};

/** The chain of a claim that a source shows. */
export function explainClaim(context: AdminContext, seen: Seen<Claim>): ExplainInit {
  const { view, nowMs } = context;
  const claim = seen.value;
  const verdict = verdictOf(view, claim);
  const links =
    verdict === undefined
      ? [seenLink(seen), unjudgedLink(context)]
      : [seenLink(seen), admittedLink(claim, verdict), ...servedLinks(context, claim, verdict)];
  return tellChain(claimWords(claim.id), links, nowMs);
}

/** The chain of a claim that only the store knows. */
export function explainOrphan(context: AdminContext, id: ClaimId): ExplainInit {
  const { view, nowMs } = context;
  const leases = ownedBy(context, id);
  const detail = "no source shows it; it counts as gone when a second whole list lacks it too";
  const sinceMs = view.state.orphans.get(id)?.absent?.sinceMs;
  const gone = link("Seen", "unknown", detail, { reason: "SourceEmptied", sinceMs });
  const links = [unreadableLink(context, id) ?? gone];
  if (leases.length > 0) links.push(link("Address", "doubt", `${texts(leases)} stays meanwhile`));
  return tellChain(claimWords(id), links, nowMs);
}

/** `Service default/web`. */
export function claimWords(id: ClaimId): string {
  const kind = parseClaimId(id)?.split("/")[0];
  const word = Object.entries(KIND_WORDS).find(([name]) => name === kind)?.[1] ?? "Claim";
  return `${word} ${claimTitle(id)}`;
}

function seenLink({ value: claim, seenAtMs, absent }: Seen<Claim>): Link {
  const ports = claim.listeners.map(portText).join(", ");
  // What cannot be taken is left out of the claim; that is not the same as asking for nothing.
  const isBare = claim.refusals.every(({ reason }) => reason === "NoPorts");
  const none = isBare ? "asks for no port" : "declares it";
  const asks = ports === "" ? none : `asks for ${ports}`;
  if (absent === undefined) {
    const sinceMs = claim.createdAtMs ?? seenAtMs;
    return link("Seen", "good", `${claim.origin} ${asks}`, { sinceMs });
  }
  const detail = `${claim.origin} no longer has it; it stays until a second whole list agrees`;
  return link("Seen", "doubt", detail, { reason: "SourceEmptied", sinceMs: absent.sinceMs });
}

function unjudgedLink({ view }: AdminContext): Link {
  const { reason, detail } = notJudged(view);
  const state = reason === "StoreUnavailable" ? "broken" : "unknown";
  return link("Admitted", state, `no plan has looked at it yet: ${detail}`, { reason });
}

function admittedLink(claim: Claim, { state, main, remarks }: Verdict): Link {
  const [refusal = state === "refused" ? remarkAt([main], "Admitted") : undefined] = claim.refusals;
  if (refusal !== undefined) {
    return link("Admitted", "broken", refusal.detail, { reason: refusal.reason });
  }
  const doubts = remarksAt([main, ...remarks], "Admitted", "Seen");
  const [first] = doubts;
  if (first === undefined) return link("Admitted", "good", "nothing speaks against it");
  // All at once: whoever mends one of them shall not have to look again for the next.
  const details = doubts.slice(0, DOUBTS_MAX).map(({ detail }) => detail);
  const more = doubts.length > DOUBTS_MAX ? [`${doubts.length - DOUBTS_MAX} more`] : [];
  const detail = `accepted, but ${[...details, ...more].join("; ")}`;
  return link("Admitted", "doubt", detail, { reason: first.reason });
}

/** From the address to the status. */
function servedLinks(context: AdminContext, claim: Claim, verdict: Verdict): readonly Link[] {
  const leases = ownedBy(context, claim.id).filter(({ address }) =>
    verdict.addresses.some((one) => one.address === address),
  );
  const given = { context, claim, verdict, leases };
  return [
    addressLink(verdict, leases),
    placedLink(given),
    sentLink(given),
    membersLink(context, claim, verdict),
    ...heldLinks(given),
    ...toldLinks(context, claim, verdict),
  ];
}

function addressLink({ main, remarks }: Verdict, leases: readonly LeasedAddress[]): Link {
  const remark: Remark | undefined = remarkAt([main, ...remarks], "Address");
  const [first] = leases;
  if (first === undefined) {
    if (remark === undefined) return link("Address", "unknown", "none is given");
    return link("Address", "broken", remark.detail, { reason: remark.reason });
  }
  const sinceMs = Math.min(...leases.map((lease) => lease.sinceMs));
  if (remark === undefined) return link("Address", "good", texts(leases), { sinceMs });
  const detail = `${texts(leases)}, but ${remark.detail}`;
  return link("Address", "doubt", detail, { reason: remark.reason, sinceMs });
}

/** How the world is told, and in a cluster who wrote the object. */
function toldLinks(context: AdminContext, claim: Claim, verdict: Verdict): readonly Link[] {
  const record =
    claim.kind === "service" ? context.services?.get(claim.namespace, claim.name) : undefined;
  if (record === undefined) return [publishedLink(context, verdict)];
  return [statusLink(context, verdict, record), writtenLink(context, record)];
}

function publishedLink({ view }: AdminContext, { claim, state, addresses }: Verdict): Link {
  const published = addresses.filter((one) => one.published).map(({ address }) => address);
  if (published.length === 0) {
    const detail = "not in its status, where only proved addresses stand";
    return link("Published", "unknown", detail);
  }
  const detail = `${published.join(" and ")} in its status`;
  if (state !== "ready") return link("Published", "doubt", `${detail} since it was proved once`);
  return link("Published", "good", detail, { sinceMs: view.times.get(claim)?.sinceMs });
}

function ownedBy({ view }: AdminContext, id: ClaimId): readonly LeasedAddress[] {
  const leases = [...(view.plan?.leases.values() ?? [])];
  return leases.filter(({ owners }) => owners.some(({ claim }) => claim === id));
}

function texts(leases: readonly LeasedAddress[]): string {
  return leases.map(({ address, pool }) => `${address} of pool ${pool}`).join(" and ");
}
