// Rows for tests of stores: of each kind some that hold everything that a row can hold, and leases
// without end. Pure. A field that a row may have and none of these has is a test that is missing.

import {
  type Intent,
  type Lane,
  type LeaseOwner,
  type LeasedAddress,
  addressFromValue,
  claimId,
  laneId,
  parseAddress,
  parseAgentName,
  parseDeviceName,
  parsePoolName,
  present,
} from "@fairlead/model";

/** Lease number `index`: 10.1.0.0 and up, held by a claim of its own. */
export function makeLease(index: number): LeasedAddress {
  const claim = present(claimId("service", "default", `web-${index}`), "a claim's id");
  return {
    address: addressFromValue("ipv4", BigInt(0x0a_01_00_00 + index)),
    pool: present(parsePoolName("default"), "a pool's name"),
    owners: [{ claim, uid: `uid-${index}`, ports: [{ protocol: "tcp", port: 80 }] }],
    lastClaim: claim,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: { kind: "held" },
    published: false,
    sinceMs: 1_700_000_000_000,
  };
}

const AGENTS = ["a.example", "b", "c"].map((name) => present(parseAgentName(name), "an agent"));
const [A, B] = [present(AGENTS[0], "a"), present(AGENTS[1], "b")];
const LANE = laneId("192.0.2.0/24", 51);

/** Lanes with all that a row can hold, sorted as stores list them. */
export const LANES: readonly Lane[] = [
  {
    id: LANE,
    segment: "192.0.2.0/24",
    routerId: 51,
    order: AGENTS,
    holder: A,
    yielding: [{ agent: B, sinceMs: 7 }],
    settled: true,
  },
  {
    id: laneId("2001:db8::/64", 255),
    segment: "2001:db8::/64",
    routerId: 255,
    order: [B],
    peers: [{ agent: B, address: present(parseAddress("2001:db8::b"), "an address") }],
    settled: false,
  },
];

function joinedLater(owner: LeaseOwner): LeaseOwner {
  return { ...owner, sinceMs: 1_700_000_900_000 };
}

/** Leases with all that a row can hold. */
export const LEASES: readonly LeasedAddress[] = [
  {
    ...makeLease(1),
    owners: [...makeLease(1).owners, ...makeLease(9).owners.map(joinedLater)],
    sharingKey: 'key with "quotes", \n and ü',
    placement: { kind: "lane", lane: LANE },
    sentTo: [A, B],
    published: true,
  },
  {
    ...makeLease(2),
    owners: [],
    placement: {
      kind: "host",
      agent: A,
      link: present(parseDeviceName("eth0"), "a device"),
    },
    state: { kind: "draining", sinceMs: 5 },
  },
  {
    ...makeLease(3),
    address: present(parseAddress("2001:db8::1"), "an address"),
    owners: [],
    state: { kind: "quarantined", untilMs: 6 },
  },
];

/** One intent of each kind. */
export const INTENTS: readonly Intent[] = [
  { id: "1", sinceMs: 1, kind: "move", lane: LANE, to: B },
  { id: "2", sinceMs: 2, kind: "drain", agent: A },
  { id: "3", sinceMs: 3, kind: "confirm", source: "folder" },
  { id: "4", sinceMs: 4, kind: "forget", agent: B },
  { id: "5", sinceMs: 5, kind: "release", address: makeLease(1).address },
  { id: "6", sinceMs: 6, kind: "rebalance" },
  { id: "7", sinceMs: 7, kind: "freeze" },
  {
    id: "8",
    sinceMs: 8,
    kind: "register",
    uuid: "d0000000-0000-4000-8000-000000000001",
    pool: makeLease(1).pool,
    url: "http://ipam.example",
    class: "lab",
    renewMs: 300_000,
    claim: makeLease(1).lastClaim,
    family: "ipv4",
    wish: makeLease(1).address,
    address: makeLease(1).address,
    ending: true,
  },
];
