// What stands in the status of an AddressPool: how full it is by family, whether it is used,
// whether it has room, and whether all that is held of it lies in it. Given the pool, what is found
// about it and its usage. Pure; what says the same as the status that is there is equal to it.

import type { Finding, Remark } from "@fairlead/model";

import { childOf, isJson, type Json, listOf, textOf } from "../../kube/object-fields.ts";
import type { PoolRecord } from "../../kube/pool-record.ts";
import type { PoolUse } from "../../pool-usage.ts";

/** A status as it is written. */
export interface PoolStatus {
  readonly observedGeneration: number;
  /** By family that the pool has; absent when nothing of it can be counted. */
  readonly usage?: Readonly<Partial<Record<"ipv4" | "ipv6", FamilyStatus>>>;
  readonly conditions: readonly PoolCondition[];
}

/** How full a pool is in one family. */
export interface FamilyStatus {
  /** Addresses that the pool may give, decimal: IPv6 ranges are larger than JSON's numbers. */
  readonly size: string;
  readonly held: number;
  readonly draining: number;
  readonly quarantined: number;
  /** `3/10`, for people. */
  readonly used: string;
}

/** One condition in the manner of Kubernetes. */
export interface PoolCondition {
  readonly type: "Ready" | "Available" | "HeldInside";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
  /** RFC 3339; it stays while the status does. */
  readonly lastTransitionTime: string;
}

/** What a status is made of. */
export interface PoolStatusOptions {
  readonly record: PoolRecord;
  /** Findings about a pool of this name. */
  readonly findings: readonly Finding[];
  readonly uses: readonly PoolUse[];
  /** RFC 3339, to the second. */
  readonly now: string;
}

/** The status that the pool shall have. */
export function wantedPoolStatus(options: PoolStatusOptions): PoolStatus {
  const { record, findings } = options;
  const { generation: observedGeneration, reading } = record;
  const refusal = reading.kind === "bad" ? reading.problem : findings.find(isRefusal);
  // What is held under its name is held of another pool then.
  const uses = refusal?.reason === "DuplicateObject" ? [] : options.uses;
  const usage = Object.fromEntries(uses.map((use) => [use.family, familyStatus(use)]));
  const outage = findings.find(({ reason }) => reason === "IpamUnreachable");
  // An IPAM may have more to give, whatever it gave.
  const own = reading.kind === "pool" && reading.pool.external !== undefined ? [] : uses;
  const told = [ready(refusal), available(own, refusal, outage), heldInside(findings)];
  const conditions = told.map((one): PoolCondition => {
    const before = recorded(record.status, one.type);
    const isSame = before !== undefined && textOf(before, "status") === one.status;
    const since = isSame ? textOf(before, "lastTransitionTime") : undefined;
    return { ...one, observedGeneration, lastTransitionTime: since ?? options.now };
  });
  return { observedGeneration, ...(uses.length === 0 ? {} : { usage }), conditions };
}

type Told = Pick<PoolCondition, "type" | "status" | "reason" | "message">;

function ready(refusal: Remark | undefined): Told {
  const type = "Ready";
  if (refusal === undefined) {
    return { type, status: "True", reason: "InUse", message: "The pool gives addresses." };
  }
  const { reason, detail } = refusal;
  return { type, status: "False", reason, message: sentence(detail) };
}

function available(
  uses: readonly PoolUse[],
  refusal: Remark | undefined,
  outage: Remark | undefined,
): Told {
  const type = "Available";
  if (refusal !== undefined) {
    return { type, status: "False", reason: "NotReady", message: "The pool is not used." };
  }
  if (outage !== undefined) {
    const { reason, detail } = outage;
    return { type, status: "False", reason, message: capitalised(sentence(detail)) };
  }
  const full = uses.filter(({ size, held, draining }) => BigInt(held + draining) >= size);
  if (full.length === 0) {
    return { type, status: "True", reason: "HasRoom", message: "Addresses are free." };
  }
  const named = full.map(({ family, size }) => `all ${size} of ${family}`).join(" and ");
  const message = `${capitalised(named)} are given.`;
  return { type, status: "False", reason: "PoolExhausted", message };
}

function heldInside(findings: readonly Finding[]): Told {
  const type = "HeldInside";
  const misfits = findings.filter(isAboutHolders);
  const [first] = misfits;
  if (first === undefined) {
    const message = "Everything that is held of the pool is what it gives.";
    return { type, status: "True", reason: "Fits", message };
  }
  const message = capitalised(sentence(misfits.map(({ detail }) => detail).join("; ")));
  return { type, status: "False", reason: first.reason, message };
}

/** Whether a finding is about those who hold addresses of a pool that is used all the same. */
function isAboutHolders({ reason }: Remark): boolean {
  return reason === "HeldOutside" || reason === "RegistrationLost";
}

/** Whether a finding says that the pool is not used. */
function isRefusal(finding: Remark): boolean {
  return !isAboutHolders(finding) && finding.reason !== "IpamUnreachable";
}

function familyStatus({ size, held, draining, quarantined }: PoolUse): FamilyStatus {
  return { size: String(size), held, draining, quarantined, used: `${held + draining}/${size}` };
}

function recorded(status: unknown, type: string): Json | undefined {
  const conditions = isJson(status) ? listOf(childOf({ status }, "status"), "conditions") : [];
  return conditions.filter(isJson).find((one) => textOf(one, "type") === type);
}

function sentence(detail: string): string {
  return detail.endsWith(".") ? detail : `${detail}.`;
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
