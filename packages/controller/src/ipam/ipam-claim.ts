// Registrations as claims and netblocks as pools: how the service's words read to the planner.
// Pure. What is no matter of the service has the model's usual value.

import {
  type Address,
  type AddressPool,
  type Claim,
  type ClaimId,
  type Family,
  claimId,
  familyOf,
  parseClaimId,
  parsePoolName,
  present,
} from "@fairlead/model";

import { type Netblock, type Registration, type Uuid, parseUuid } from "./ipam-model.ts";

/** Rest of an address that was released, in ms: as long as pools have it by default. */
const QUARANTINE_MS = 60_000;
/** All claims of the service are in one namespace: a class is a world of its own. */
const NAMESPACE = "ipam";

/** What somebody asks for. */
export interface Wish {
  readonly uuid: Uuid;
  readonly createdMs: number;
  /** Absent: any. */
  readonly address?: Address;
  /** Absent: the wished address's, or that of the first netblock. */
  readonly family?: Family;
}

/** The claim of a registration, which wishes for what it holds. */
export function claimOf(registration: Registration): Claim {
  return wishClaim(registration);
}

/** The claim of somebody who is not registered yet. */
export function wishClaim({ uuid, createdMs, address, family }: Wish): Claim {
  const wished = family ?? (address === undefined ? undefined : familyOf(address));
  return {
    id: claimIdOf(uuid),
    kind: "registration",
    namespace: NAMESPACE,
    name: uuid,
    uid: uuid,
    generation: 0,
    createdAtMs: createdMs,
    origin: "ipam",
    labels: {},
    listeners: [],
    wishedAddresses: address === undefined ? [] : [address],
    families: { policy: "SingleStack", families: wished === undefined ? [] : [wished] },
    policy: NO_POLICY,
    refusals: [],
    remarks: [],
  };
}

const NO_POLICY: Claim["policy"] = {
  balance: "round-robin",
  affinity: { kind: "none" },
  externalTraffic: "cluster",
  sourceRanges: [],
  proxyProtocol: "none",
  acceptProxyProtocol: false,
};

/** The id of a registration's claim. */
export function claimIdOf(uuid: Uuid): ClaimId {
  return present(claimId("registration", NAMESPACE, uuid), "a uuid is a claim's name");
}

/** The registration behind a claim's id; undefined when it is none. */
export function uuidOf(claim: string): Uuid | undefined {
  const id = parseClaimId(claim);
  const prefix = `registration/${NAMESPACE}/`;
  return id?.startsWith(prefix) === true ? parseUuid(id.slice(prefix.length)) : undefined;
}

/** The pool of a netblock, named by its uuid. `index`: pools of a class are tried in this order. */
export function poolOf({ uuid, range, createdMs }: Netblock, index: number): AddressPool {
  return {
    name: present(parsePoolName(uuid), "a uuid is a pool's name"),
    origin: "ipam",
    createdAtMs: createdMs,
    ranges: [range],
    mode: "vrrp",
    autoAssign: true,
    avoidBuggyIPs: false,
    reserved: [],
    sharing: "never",
    quarantineMs: QUARANTINE_MS,
    onShrink: "keep",
    priority: -index,
    namespaces: [],
    serviceSelector: { matchLabels: {}, matchExpressions: [] },
    agents: [],
  };
}
