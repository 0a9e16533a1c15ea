// What one VIP adds to the plans of the agents that hold it: the address, its listeners and their
// member sets. Given grants and rows; unchanged resources stay the same objects, because their
// revisions are remembered by identity.

import {
  type Address,
  type Claim,
  type ClaimListener,
  compareAge,
  familyBits,
  familyOf,
  type LaneId,
  laneName,
  type LeasedAddress,
  listenerName,
  type ListenerResource,
  memberSetName,
  type MemberSetResource,
  type Placement,
  portText,
  type Remark,
  type Resource,
  vipName,
  type VipResource,
  type World,
} from "@fairlead/model";

import { isAlike, keep } from "./alike.ts";
import { CONNECT_TIMEOUT_MS, DRAIN_TIMEOUT_MS, idleTimeoutMs } from "./defaults.ts";
import { type Grant, type WantedGrants, leftOutKey } from "./grant.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { usableMembers } from "./members.ts";
import { isOwnAddress } from "./own-address.ts";
import { lengthOn } from "./seats.ts";
import { type Steps, isStep } from "./steps.ts";

/** One listener of one claim on one address. */
export interface CarriedListener {
  readonly source: ClaimListener;
  readonly listener: ListenerResource;
  readonly members: MemberSetResource;
  readonly remarks: readonly Remark[];
}

/** A claim's part of an address. */
export interface CarriedClaim {
  readonly grant: Grant;
  readonly listeners: readonly CarriedListener[];
}

/** Where a VIP is held. */
export type VipPlace = Exclude<Placement, { readonly kind: "unplaced" }>;

/** Everything that comes with one VIP. */
export interface Carried {
  readonly place: VipPlace;
  readonly vip: VipResource;
  /** Sorted by claim. */
  readonly claims: readonly CarriedClaim[];
  readonly resources: readonly Resource[];
}

/** What came with one VIP and what comes with it now; the same object where nothing changed. */
export interface CarriedChange {
  readonly old: Carried | undefined;
  readonly now: Carried | undefined;
}

/** What everything is made of. */
export interface CarryAllOptions {
  readonly wanted: WantedGrants;
  readonly rows: LeaseRows;
  readonly agents: World["agents"];
  /** What comes with every VIP that is wanted and placed. Changed. */
  readonly carried: Map<Address, Carried>;
}

/** Makes anew what comes with the VIPs that were touched; returns what was looked at. */
export function* carryAll({
  wanted,
  rows,
  agents,
  carried,
}: CarryAllOptions): Steps<readonly CarriedChange[]> {
  const changes: CarriedChange[] = [];
  for (const address of rows.touched.addresses) {
    if (isStep(changes.length)) yield;
    const old = carried.get(address);
    const grants = wanted.get(address);
    const row = rows.all.get(address);
    if (grants === undefined || row === undefined || row.placement.kind === "unplaced") {
      carried.delete(address);
      changes.push({ old, now: undefined });
      continue;
    }
    const carrier = carrierOf(row, row.placement, agents);
    const place = row.placement;
    const now = carry({ address, place, carrier, grants, rows: rows.all, before: old });
    if (now !== old) carried.set(address, now);
    changes.push({ old, now });
  }
  return changes;
}

/** What is needed to make one. */
interface CarryOptions {
  readonly address: Address;
  readonly place: VipPlace;
  readonly carrier: Pick<VipResource, "carrier" | "prefixLength">;
  /** The claims to be served there, sorted by id; at least one. */
  readonly grants: readonly Grant[];
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  /** What the address had in the last plan. */
  readonly before: Carried | undefined;
}

/** Makes what comes with a VIP; the very same as before when nothing changed. */
function carry({ address, place, carrier, grants, rows, before }: CarryOptions): Carried {
  const claims = grants.map((grant) => {
    const known = before?.claims.find((one) => one.grant.claim.id === grant.claim.id);
    const past = known?.listeners ?? before?.claims.flatMap(({ listeners }) => listeners) ?? [];
    return carryClaim({ address, grant, rows, known, past });
  });
  const vip = keep(before?.vip, vipOf(address, carrier, grants));
  const isSame =
    before?.vip === vip &&
    isAlike(before.place, place) &&
    before.claims.length === claims.length &&
    claims.every((one, i) => one === before.claims[i]);
  if (isSame) return before;
  const resources: Resource[] = [vip];
  for (const { listeners } of claims) {
    for (const { listener, members } of listeners) resources.push(listener, members);
  }
  return { place, vip, claims, resources };
}

/** How the address is held: in its lane alone, or with the network that its device has. */
function carrierOf(
  row: LeasedAddress,
  place: VipPlace,
  agents: World["agents"],
): CarryOptions["carrier"] {
  if (place.kind === "lane") return carriedBy(place.lane, row.address);
  const links = agents.get(place.agent)?.hello.links;
  const link = links?.find(({ name }) => name === place.link);
  const carrier = { kind: "link", link: place.link, adopts: isOwnAddress(row) } as const;
  const prefixLength = lengthOn(link, row.address) ?? familyBits(familyOf(row.address));
  return { prefixLength, carrier };
}

function carriedBy(lane: LaneId, address: Address): CarryOptions["carrier"] {
  const prefixLength = familyBits(familyOf(address));
  return { prefixLength, carrier: { kind: "lane", lane, resource: laneName(lane) } };
}

/** The address as agents have it that hold it in the lane for these claims. */
export function vipIn(lane: LaneId, address: Address, grants: readonly Grant[]): VipResource {
  return vipOf(address, carriedBy(lane, address), grants);
}

function vipOf(
  address: Address,
  carrier: CarryOptions["carrier"],
  grants: readonly Grant[],
): VipResource {
  const claims = grants
    .map(({ claim }) => claim)
    .sort(compareAge)
    .map(({ id }) => id);
  return { kind: "vip", name: vipName(address), address, ...carrier, claims };
}

interface CarryClaim {
  readonly address: Address;
  readonly grant: Grant;
  readonly rows: CarryOptions["rows"];
  readonly known: CarriedClaim | undefined;
  /** Its listeners there in the last plan; of a claim that is new there, those of the others. */
  readonly past: readonly CarriedListener[];
}

function carryClaim({ address, grant, rows, known, past }: CarryClaim): CarriedClaim {
  const { claim, leftOut } = grant;
  const served =
    leftOut.size === 0
      ? claim.listeners
      : claim.listeners.filter((one) => !leftOut.has(leftOutKey(address, portText(one))));
  const listeners = served.map((source) => {
    const { members, remarks } = usableMembers(source, rows);
    const port = portText(source);
    const before = past.find((one) => portText(one.source) === port);
    const name = memberSetName(address, source.protocol, source.port);
    const now: CarriedListener = {
      source,
      listener: keep(before?.listener, listenerOf(address, claim, source)),
      members: keep(before?.members, { kind: "members", name, members }),
      remarks: keep(before?.remarks, remarks),
    };
    return before !== undefined && isSameListener(before, now) ? before : now;
  });
  const isSame =
    known?.grant === grant &&
    known.listeners.length === listeners.length &&
    listeners.every((one, i) => one === known.listeners[i]);
  return isSame ? known : { grant, listeners };
}

function isSameListener(a: CarriedListener, b: CarriedListener): boolean {
  const isSaidSame = a.source === b.source && a.remarks === b.remarks;
  return isSaidSame && a.listener === b.listener && a.members === b.members;
}

function listenerOf(address: Address, claim: Claim, source: ClaimListener): ListenerResource {
  const { protocol, port } = source;
  const { policy } = claim;
  return {
    kind: "listener",
    name: listenerName(address, protocol, port),
    address,
    protocol,
    port,
    claim: claim.id,
    members: memberSetName(address, protocol, port),
    balance: policy.balance,
    affinity: policy.affinity,
    proxyProtocol: policy.proxyProtocol,
    acceptProxyProtocol: policy.acceptProxyProtocol,
    connectTimeoutMs: policy.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    idleTimeoutMs: policy.idleTimeoutMs ?? idleTimeoutMs(protocol),
    drainTimeoutMs: policy.drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
    ...(policy.connectionsMax === undefined ? {} : { connectionsMax: policy.connectionsMax }),
  };
}
