// Leases as they are stored to records of a file, and back. Pure. Where a lease rides is left out:
// lanes belong to the install that made them. What a file says is believed by nobody: everything
// that is wrong with it is told at once.

import {
  compareAddress,
  compareText,
  type LeasedAddress,
  type LeaseOwner,
  type LeaseState,
  parseAddress,
  parseAgentName,
  parseClaimId,
  parsePoolName,
  portText,
} from "@fairlead/model";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { LeaseBook, LeaseBookSchema, LeaseRecord } from "@fairlead/proto";

/** The form that is written. */
const VERSION = 1;
/** Most records of one file; more than an install has. */
const RECORDS_MAX = 200_000;

/** The leases of a file, or everything that is wrong with it. */
export type DecodedLeases =
  | { readonly kind: "ok"; readonly leases: readonly LeasedAddress[] }
  | { readonly kind: "bad"; readonly problems: readonly string[] };

/** Leases as a book, sorted by address. */
export function encodeLeaseBook(
  leases: Iterable<LeasedAddress>,
): MessageInitShape<typeof LeaseBookSchema> {
  const sorted = [...leases].sort((a, b) => compareAddress(a.address, b.address));
  return { version: VERSION, leases: sorted.map(encodeLease) };
}

/** A book as leases without a place. */
export function decodeLeaseBook(book: LeaseBook | undefined): DecodedLeases {
  if (book?.version !== VERSION) {
    const problem = `the file is of version ${book?.version ?? 0}, and ${VERSION} is read here`;
    return { kind: "bad", problems: [problem] };
  }
  if (book.leases.length > RECORDS_MAX) {
    return { kind: "bad", problems: [`the file has more than ${RECORDS_MAX} leases`] };
  }
  const problems: string[] = [];
  const leases = book.leases.flatMap((record, at) => {
    const lease = decodeLease(record);
    if (typeof lease !== "string") return [lease];
    problems.push(`lease ${at + 1}, ${JSON.stringify(record.address)}: ${lease}`);
    return [];
  });
  return problems.length > 0 ? { kind: "bad", problems } : { kind: "ok", leases };
}

type LeaseInit = NonNullable<MessageInitShape<typeof LeaseBookSchema>["leases"]>[number];
type OwnerInit = NonNullable<LeaseInit["owners"]>[number];

function encodeLease(lease: LeasedAddress): LeaseInit {
  const { address, pool, owners, sharingKey, lastClaim, sentTo, state, published } = lease;
  const since = state.kind === "draining" ? state.sinceMs : lease.sinceMs;
  return {
    address,
    pool,
    state: state.kind,
    owners: owners.map(encodeOwner),
    ...(sharingKey === undefined ? {} : { sharingKey }),
    lastClaim,
    sentTo: [...sentTo],
    published,
    sinceMs: wholeMs(since),
    ...(state.kind === "quarantined" ? { quarantinedUntilMs: wholeMs(state.untilMs) } : {}),
  };
}

function encodeOwner({ claim, uid, ports, sinceMs }: LeaseOwner): OwnerInit {
  const since = sinceMs === undefined ? {} : { sinceMs: wholeMs(sinceMs) };
  return { claim, uid, ports: ports.map(portText), ...since };
}

/** Clocks are finer than records are. */
function wholeMs(ms: number): bigint {
  return BigInt(Math.round(ms));
}

/** The lease, or what is wrong with the record. */
function decodeLease(record: LeaseRecord): LeasedAddress | string {
  const address = parseAddress(record.address);
  if (address === undefined) return "it is no address";
  const pool = parsePoolName(record.pool);
  if (pool === undefined) return `${JSON.stringify(record.pool)} is no pool's name`;
  const lastClaim = parseClaimId(record.lastClaim);
  if (lastClaim === undefined) return `${JSON.stringify(record.lastClaim)} is no claim`;
  const sentTo = record.sentTo.map(parseAgentName).filter((name) => name !== undefined);
  if (sentTo.length < record.sentTo.length) return "sentTo has what is no agent's name";
  const owners = record.owners.map(decodeOwner);
  const bad = owners.find((owner) => typeof owner === "string");
  if (bad !== undefined) return bad;
  const state = decodeState(record);
  if (typeof state === "string") return state;
  return {
    address,
    pool,
    owners: owners
      .filter((owner) => typeof owner !== "string")
      .sort((a, b) => compareText(a.claim, b.claim)),
    ...(record.sharingKey === undefined ? {} : { sharingKey: record.sharingKey }),
    lastClaim,
    placement: { kind: "unplaced" },
    sentTo: [...new Set(sentTo)].sort(compareText),
    state,
    published: record.published,
    sinceMs: Number(record.sinceMs),
  };
}

function decodeState({
  state,
  owners,
  sentTo,
  sinceMs,
  quarantinedUntilMs,
}: LeaseRecord): LeaseState | string {
  if ((state === "held") !== owners.length > 0) {
    return `it is ${JSON.stringify(state)} and has ${owners.length} owners`;
  }
  if (state === "held") return { kind: "held" };
  if (state === "draining" && sentTo.length > 0) {
    return { kind: "draining", sinceMs: Number(sinceMs) };
  }
  if (state === "quarantined" && quarantinedUntilMs !== undefined) {
    return { kind: "quarantined", untilMs: Number(quarantinedUntilMs) };
  }
  return `state ${JSON.stringify(state)} is none, or lacks what it waits for`;
}

function decodeOwner(record: LeaseRecord["owners"][number]): LeaseOwner | string {
  const { claim, uid, ports, sinceMs } = record;
  const id = parseClaimId(claim);
  if (id === undefined) return `${JSON.stringify(claim)} is no claim`;
  if (uid === "") return `${claim} has no uid`;
  const read: { readonly protocol: "tcp" | "udp"; readonly port: number }[] = [];
  for (const text of ports) {
    const [, digits, protocol] = /^(\d{1,5})\/(TCP|UDP)$/.exec(text) ?? [];
    const port = Number(digits);
    if (protocol === undefined || port < 1 || port > 65_535) {
      return `${JSON.stringify(text)} is no port of ${claim}`;
    }
    read.push({ protocol: protocol === "TCP" ? "tcp" : "udp", port });
  }
  const since = sinceMs === undefined ? {} : { sinceMs: Number(sinceMs) };
  return { claim: id, uid, ports: read, ...since };
}
