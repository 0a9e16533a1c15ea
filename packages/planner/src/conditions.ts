// The three conditions of a verdict, in sentences with the values that they are about. Given what
// was granted and proved; decides nothing itself.

import { type Claim, type Condition, portText, type Reason, type Remark } from "@fairlead/model";

import type { Grant } from "./grant.ts";
import type { Proof } from "./proof.ts";

/** What is known of a listener's members. */
export interface MemberCount {
  /** 80/TCP */
  readonly port: string;
  /** Members that get connections. */
  readonly active: number;
}

/** AddressAllocated; what it has is less than it asks for where its reason says why. */
export function allocatedCondition(grant: Grant): Condition {
  const type = "AddressAllocated";
  const { addresses, main } = grant;
  if (addresses.length > 0) {
    const has = `${addresses.join(" and ")} ${addresses.length > 1 ? "are" : "is"} allocated`;
    if (main === undefined) {
      return { type, status: "True", reason: "Allocated", message: sentence(has) };
    }
    const message = sentence(`${has}, but ${main.detail}`);
    return { type, status: "True", reason: main.reason, message };
  }
  return { type, status: "False", ...said(main) };
}

/** Serving: by the worst of the addresses. */
export function servingCondition(
  grant: Grant,
  proofs: readonly Proof[],
  ports: readonly string[],
): Condition {
  const type = "Serving";
  if (!grant.programmed) return { type, status: "False", ...said(grant.main) };
  return serving(grant.perAgent === true ? bestOf(proofs) : proofs, ports);
}

/** Of several agents those count that serve; where none does, what was served once. */
function bestOf(proofs: readonly Proof[]): readonly Proof[] {
  const good = proofs.filter(({ state }) => state === "proved" || state === "kept");
  if (good.length > 0) return good;
  const known = proofs.filter(({ state }) => state !== "missing");
  return known.length > 0 ? known : proofs;
}

function serving(proofs: readonly Proof[], ports: readonly string[]): Condition {
  const type = "Serving";
  const missing = proofs.find((proof) => proof.state === "missing");
  if (missing !== undefined) return { type, status: "False", ...said(missing.main) };
  const unknown = proofs.find((proof) => proof.state === "unknown");
  if (unknown !== undefined) return { type, status: "Unknown", ...said(unknown.main) };
  const doubted = proofs.find(({ state, main }) => state === "proved" && main !== undefined);
  if (doubted !== undefined) return { type, status: "Unknown", ...said(doubted.main) };
  const message = proofs
    .map(({ address, holder, state }) => {
      const when = state === "kept" ? ", by its last report" : "";
      return `${holder ?? "an agent"} holds ${address} and serves ${ports.join(", ")}${when}.`;
    })
    .join(" ");
  return { type, status: "True", reason: "Proved", message };
}

/** MembersReady: every listener has a member that gets connections. */
export function membersCondition(counts: readonly MemberCount[]): Condition {
  const type = "MembersReady";
  if (counts.length === 0) {
    const message = "There is no port to have members.";
    return { type, status: "Unknown", reason: "NoPorts", message };
  }
  const empty = noMembers(counts);
  if (empty !== undefined) return { type, status: "False", ...said(empty) };
  const each = counts.map(({ port, active }) => `${port} has ${active}`).join(", ");
  const message = `${each} ${counts.at(-1)?.active === 1 ? "member" : "members"}.`;
  return { type, status: "True", reason: "Ready", message };
}

/** What is said when listeners have no member; undefined when all have. */
export function noMembers(counts: readonly MemberCount[]): Remark | undefined {
  const empty = counts.filter(({ active }) => active === 0).map(({ port }) => port);
  if (empty.length === 0) return undefined;
  const verb = empty.length === 1 ? "has" : "have";
  return { reason: "NoMembers", detail: `${empty.join(", ")} ${verb} no member` };
}

/** What keeps members away, where that is known: it tells more than that there are none. */
export function whyNoMembers(remarks: readonly Remark[]): Remark | undefined {
  return remarks.find(({ reason }) => MEMBER_CAUSES.has(reason));
}

const MEMBER_CAUSES: ReadonlySet<Reason> = new Set([
  // Of a claim that is more than what is counted: why there are none at all.
  "NoMembers",
  "UnknownTargetPort",
  "NoNodePort",
  "BadMember",
]);

/** The ports of a claim as they are named in sentences. */
export function portTexts(claim: Claim): readonly string[] {
  return claim.listeners.map(portText);
}

function said(remark: Remark | undefined): Pick<Condition, "reason" | "message"> {
  if (remark === undefined) return { reason: "WaitingForAgent", message: "Nothing is proved yet." };
  return { reason: remark.reason, message: sentence(remark.detail) };
}

function sentence(detail: string): string {
  return detail.endsWith(".") ? detail : `${detail}.`;
}
