// What one VIP adds to the plans of the agents of its lane: the address, its listeners and their
// member sets. Given grants and rows; unchanged resources stay the same objects, because their
// revisions are remembered by identity.

import {
  type Address,
  type Claim,
  type ClaimListener,
  type LaneId,
  type LeasedAddress,
  type ListenerResource,
  type Member,
  type MemberSetResource,
  type Remark,
  type Resource,
  type VipResource,
  compareAge,
  familyBits,
  familyOf,
  laneName,
  listenerName,
  memberSetName,
  vipName,
} from "@fairlead/model";

import { CONNECT_TIMEOUT_MS, DRAIN_TIMEOUT_MS, idleTimeoutMs } from "./defaults.ts";
import { type Grant, leftOutKey, portText } from "./grant.ts";
import { usableMembers, vipText } from "./members.ts";

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

/** Everything that comes with one VIP. */
export interface Carried {
  readonly lane: LaneId;
  readonly vip: VipResource;
  /** Sorted by claim. */
  readonly claims: readonly CarriedClaim[];
  readonly resources: readonly Resource[];
}

/** What everything is made of, now and last time. */
export interface CarryAllOptions {
  readonly wanted: ReadonlyMap<Address, readonly Grant[]>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly before: ReadonlyMap<Address, Carried> | undefined;
  readonly rowsBefore: ReadonlyMap<Address, LeasedAddress> | undefined;
}

/** Makes what comes with every VIP that is wanted and has a lane. */
export function carryAll(options: CarryAllOptions): ReadonlyMap<Address, Carried> {
  const { wanted, rows, before, rowsBefore } = options;
  const turned = rowsBefore === undefined ? undefined : turnedVips(rowsBefore, rows);
  const carried = new Map<Address, Carried>();
  for (const [address, grants] of wanted) {
    const placement = rows.get(address)?.placement;
    if (placement?.kind !== "lane") continue;
    const { lane } = placement;
    const known = before?.get(address);
    carried.set(address, carry({ address, lane, grants, rows, turned, before: known }));
  }
  return carried;
}

/** Addresses that became a VIP, or another's, or none: members there must be judged again. */
function turnedVips(
  before: ReadonlyMap<Address, LeasedAddress>,
  rows: ReadonlyMap<Address, LeasedAddress>,
): ReadonlySet<Address> {
  const turned = new Set<Address>();
  for (const [address, row] of rows) {
    const old = before.get(address);
    if (old !== row && vipText(old) !== vipText(row)) turned.add(address);
  }
  for (const address of before.keys()) if (!rows.has(address)) turned.add(address);
  return turned;
}

/** What is needed to make one. */
interface CarryOptions {
  readonly address: Address;
  readonly lane: LaneId;
  /** The claims to be served there, sorted by id; at least one. */
  readonly grants: readonly Grant[];
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  /** Addresses that may be judged otherwise as members than last time; absent: all. */
  readonly turned: ReadonlySet<Address> | undefined;
  /** What the address had in the last plan. */
  readonly before: Carried | undefined;
}

/** Makes what comes with a VIP; the very same as before when nothing changed. */
function carry({ address, lane, grants, rows, turned, before }: CarryOptions): Carried {
  const claims = grants.map((grant) => {
    const known = before?.claims.find((one) => one.grant.claim.id === grant.claim.id);
    return carryClaim({ address, grant, rows, turned, known });
  });
  const vip = vipOf(address, lane, grants, before?.vip);
  const isSame =
    before?.vip === vip &&
    before.claims.length === claims.length &&
    claims.every((one, i) => one === before.claims[i]);
  if (isSame) return before;
  const resources: Resource[] = [vip];
  for (const { listeners } of claims) {
    for (const { listener, members } of listeners) resources.push(listener, members);
  }
  return { lane, vip, claims, resources };
}

function vipOf(
  address: Address,
  lane: LaneId,
  grants: readonly Grant[],
  before: VipResource | undefined,
): VipResource {
  const claims = grants
    .map(({ claim }) => claim)
    .sort(compareAge)
    .map(({ id }) => id);
  const isSame =
    before?.carrier.kind === "lane" &&
    before.carrier.lane === lane &&
    before.claims.length === claims.length &&
    claims.every((id, i) => id === before.claims[i]);
  if (isSame) return before;
  return {
    kind: "vip",
    name: vipName(address),
    address,
    prefixLength: familyBits(familyOf(address)),
    carrier: { kind: "lane", lane, resource: laneName(lane) },
    claims,
  };
}

interface CarryClaim {
  readonly address: Address;
  readonly grant: Grant;
  readonly rows: CarryOptions["rows"];
  readonly turned: CarryOptions["turned"];
  readonly known: CarriedClaim | undefined;
}

function carryClaim({ address, grant, rows, turned, known }: CarryClaim): CarriedClaim {
  const { claim, leftOut } = grant;
  const isKnown = known?.grant === grant;
  if (isKnown && turned !== undefined && !isConcerned(claim, turned)) return known;
  const served =
    leftOut.size === 0
      ? claim.listeners
      : claim.listeners.filter((one) => !leftOut.has(leftOutKey(address, portText(one))));
  let isSame = isKnown;
  const listeners = served.map((source, i) => {
    const { members, remarks } = usableMembers(source, rows);
    const same = known?.listeners[i];
    const isSaidSame = same?.remarks[0]?.detail === remarks[0]?.detail;
    if (isKnown && same !== undefined && isSaidSame) {
      if (isSameMembers(same.members.members, members)) return same;
    }
    isSame = false;
    const before = known?.listeners.find((one) => portText(one.source) === portText(source));
    const listener = listenerOf(address, claim, source);
    const isSameListenerKept = before !== undefined && isSameListener(before.listener, listener);
    const isSameSet = before !== undefined && isSameMembers(before.members.members, members);
    const name = memberSetName(address, source.protocol, source.port);
    return {
      source,
      listener: isSameListenerKept ? before.listener : listener,
      members: isSameSet ? before.members : { kind: "members" as const, name, members },
      remarks,
    };
  });
  return isSame && known !== undefined ? known : { grant, listeners };
}

function isConcerned(claim: Claim, turned: ReadonlySet<Address>): boolean {
  if (turned.size === 0) return false;
  return claim.listeners.some(({ members }) => members.some(({ address }) => turned.has(address)));
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

function isSameListener(a: ListenerResource, b: ListenerResource): boolean {
  const { affinity: affinityA, ...restA } = a;
  const { affinity: affinityB, ...restB } = b;
  if (JSON.stringify(affinityA) !== JSON.stringify(affinityB)) return false;
  return JSON.stringify(restA) === JSON.stringify(restB);
}

function isSameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every((member, i) => {
      const other = b[i];
      return (
        member.address === other?.address &&
        member.port === other.port &&
        member.weight === other.weight &&
        member.state === other.state
      );
    })
  );
}
