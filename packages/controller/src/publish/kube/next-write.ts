// What to write to a Service next, or nothing: its record and what is wanted go in, writes come
// out. Pure, and the only place that decides what is written. The order is what counts: the
// finalizer before an address stands in the status, and off again only when nothing is held.

import {
  CONDITION_PREFIX,
  FINALIZER,
  type RecordedCondition,
  type ServiceRecord,
  STATUS_MANAGER,
} from "../../kube/service-record.ts";
import { type ExternalIPs, externalIPsToWrite } from "./external-ips.ts";
import type { WantedClaim, WantedService } from "./wanted-service.ts";
import { type WantedCondition, type WantedStatus, wantedStatus } from "./wanted-status.ts";

/** A condition as it is written. */
export interface WrittenCondition extends WantedCondition {
  /** RFC 3339, whole seconds. */
  readonly lastTransitionTime: string;
  /** Absent: the API server counts no generations of Services. */
  readonly observedGeneration?: number;
}

/** What a status is made to say. */
export interface WrittenStatus {
  /** Absent: it is not ours to say; what we said of it before goes. */
  readonly ingress?: readonly { readonly ip: string; readonly ipMode: "Proxy" }[];
  readonly conditions: readonly WrittenCondition[];
}

/** One write to one Service, as it was recorded. */
export type ServiceWrite =
  /** Our finalizer comes. */
  | { readonly kind: "hold"; readonly record: ServiceRecord }
  /** Our finalizer goes. */
  | { readonly kind: "release"; readonly record: ServiceRecord }
  | {
      readonly kind: "status";
      readonly record: ServiceRecord;
      readonly status: WrittenStatus;
      /** What differs most from the record: addresses, a condition, the words of one. */
      readonly news: "addresses" | "conditions" | "words";
    }
  /** What is ours in spec.externalIPs changes. */
  | { readonly kind: "external"; readonly record: ServiceRecord; readonly list: ExternalIPs }
  /** What we said in the status goes. */
  | { readonly kind: "clear"; readonly record: ServiceRecord };

/**
 * The next writes, first the one that should be made; none when the record says all that is
 * wanted. Another one may be made instead while the server does not take the first. `wallMs` is
 * epoch ms.
 */
export function nextWrites(
  record: ServiceRecord,
  wanted: WantedService,
  wallMs: number,
): readonly ServiceWrite[] {
  const { claim } = wanted;
  if (claim === undefined) return endWrites(record, wanted);
  // Publication and record are of two objects of one name: one of them is behind, and will change.
  if (claim.claim.uid !== record.uid) return [];
  // Nobody looks at the status of what goes, and no finalizer may be added to it.
  if (record.isDeleting) return [];
  if (hasAddress(claim) && !record.finalizers.includes(FINALIZER)) {
    return [{ kind: "hold", record }];
  }
  return those(
    statusWrite(record, wantedStatus(claim.claim, claim.verdict), wallMs),
    externalWrite(record, claim.external ?? NO_ADDRESSES),
  );
}

function those(...writes: readonly (ServiceWrite | undefined)[]): readonly ServiceWrite[] {
  return writes.filter((write) => write !== undefined);
}

const NO_ADDRESSES: readonly string[] = [];

function externalWrite(record: ServiceRecord, wanted: readonly string[]): ServiceWrite | undefined {
  const list = externalIPsToWrite(record, wanted);
  return list === undefined ? undefined : { kind: "external", record, list };
}

/** Nothing asks any more, or the object is another one than the one that did. */
function endWrites(record: ServiceRecord, wanted: WantedService): readonly ServiceWrite[] {
  // An owner that is not seen just now, such as an unreadable object: what it has stays.
  if (wanted.owns) return [];
  if (!record.isDeleting || saysFreed(record, wanted)) {
    const clear = saysOurs(record) ? ({ kind: "clear", record } as const) : undefined;
    const left = those(externalWrite(record, NO_ADDRESSES), clear);
    if (left.length > 0) return left;
  }
  if (wanted.held.length > 0 || !record.finalizers.includes(FINALIZER)) return [];
  return [{ kind: "release", record }];
}

/**
 * Whether the status of what goes still says an address that it gave back: somebody else may have
 * it by now, while another one keeps the object. Where all go at once nobody looks any more.
 */
function saysFreed(
  { ingress, writtenExternalIPs = [] }: ServiceRecord,
  { held }: WantedService,
): boolean {
  if (held.length === 0) return false;
  const kept = new Set<string>(held);
  const said = [...ingress.flatMap(({ ip }) => ip ?? []), ...writtenExternalIPs];
  return said.some((address) => !kept.has(address));
}

/** A lease is durable by then. */
function hasAddress({ verdict }: WantedClaim): boolean {
  return verdict.addresses.length > 0;
}

function saysOurs({ conditions, writers }: ServiceRecord): boolean {
  return conditions.length > 0 || writers.some(isOurStatus);
}

function isOurStatus({ manager, parts }: ServiceRecord["writers"][number]): boolean {
  return manager === STATUS_MANAGER && parts.some((part) => part.startsWith("status."));
}

function statusWrite(
  record: ServiceRecord,
  wanted: WantedStatus,
  wallMs: number,
): ServiceWrite | undefined {
  const news = statusNews(record, wanted);
  if (news === undefined) return undefined;
  const ingress = writtenIngress(record, wanted);
  const conditions = wanted.conditions.map((condition): WrittenCondition => {
    const known = record.conditions.find(({ type }) => type === condition.type);
    return {
      ...condition,
      lastTransitionTime: transitionTime(condition, known, wallMs),
      ...(wanted.observedGeneration > 0 ? { observedGeneration: wanted.observedGeneration } : {}),
    };
  });
  const status = { conditions, ...(ingress === undefined ? {} : { ingress }) };
  return { kind: "status", record, status, news };
}

function statusNews(
  record: ServiceRecord,
  wanted: WantedStatus,
): "addresses" | "conditions" | "words" | undefined {
  if (!saysAddresses(record, wanted)) return "addresses";
  const known = new Map(record.conditions.map((condition) => [condition.type, condition]));
  const extra = [...known.keys()].some(
    (type) =>
      type.startsWith(CONDITION_PREFIX) && !wanted.conditions.some((one) => one.type === type),
  );
  const generation = wanted.observedGeneration;
  if (extra || !wanted.conditions.every((one) => isSaid(known.get(one.type), one, generation))) {
    return "conditions";
  }
  const isWorded = wanted.conditions.every((one) => isSameWords(known.get(one.type), one));
  return isWorded ? undefined : "words";
}

function saysAddresses(record: ServiceRecord, wanted: WantedStatus): boolean {
  const { ingress } = record;
  const addresses = wantedAddresses(record, wanted);
  if (addresses.length > 0) {
    return (
      ingress.length === addresses.length &&
      ingress.every(
        ({ ip, ipMode, hostname }, index) =>
          ip === addresses[index] && ipMode === "Proxy" && hostname === undefined,
      )
    );
  }
  // Who serves a Service that we refuse may say so.
  return ingress.length === 0 || (wanted.isRefused && !writesIngress(record));
}

/** API servers refuse the addresses of a Service of another type, with all that comes with them. */
function wantedAddresses({ type }: ServiceRecord, { ingress }: WantedStatus): readonly string[] {
  return type === "LoadBalancer" ? ingress : [];
}

function writtenIngress(record: ServiceRecord, wanted: WantedStatus): WrittenStatus["ingress"] {
  const addresses = wantedAddresses(record, wanted);
  if (addresses.length > 0) return addresses.map((ip) => ({ ip, ipMode: "Proxy" as const }));
  // Leaving it out takes back what we said; what a hand put there goes by saying that there is
  // none.
  return wanted.isRefused || record.ingress.length === 0 ? undefined : [];
}

function writesIngress({ writers }: ServiceRecord): boolean {
  return writers.some(
    ({ manager, parts }) => manager === STATUS_MANAGER && parts.includes("status.loadBalancer"),
  );
}

function isSaid(
  known: RecordedCondition | undefined,
  wanted: WantedCondition,
  generation: number,
): boolean {
  return (
    known !== undefined &&
    known.status === wanted.status &&
    known.reason === wanted.reason &&
    (known.observedGeneration ?? 0) === generation
  );
}

/** Words about what is well matter only where they name an address: they are told apart by it. */
function isSameWords(known: RecordedCondition | undefined, wanted: WantedCondition): boolean {
  const matters = wanted.status !== "True" || NAMES_ADDRESSES.has(wanted.type);
  return !matters || known?.message === wanted.message;
}

const NAMES_ADDRESSES: ReadonlySet<string> = new Set([
  `${CONDITION_PREFIX}AddressAllocated`,
  `${CONDITION_PREFIX}Serving`,
]);

function transitionTime(
  wanted: WantedCondition,
  known: RecordedCondition | undefined,
  wallMs: number,
): string {
  const keeps =
    known?.status === wanted.status && !Number.isNaN(Date.parse(known.lastTransitionTime));
  return keeps ? known.lastTransitionTime : secondsText(wallMs);
}

function secondsText(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}
