// What a leader that begins reads out of its store: who had an address, and whether somebody asked
// for where it is now.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  type Intent,
  type Lane,
  laneId,
  type LeasedAddress,
  parsePoolName,
  present,
} from "@fairlead/model";
import { address, agentName, device, makeClaim } from "@fairlead/testkit";

import { storedCause, storedHolders } from "./found-moves.ts";

const VIP = address("192.0.2.100");
const [FIRST, SECOND, THIRD] = [agentName("lb-1"), agentName("lb-2"), agentName("lb-3")];
const LANE: Lane = {
  id: laneId("192.0.2.0/24", 51),
  segment: "192.0.2.0/24",
  routerId: 51,
  order: [FIRST, SECOND],
  holder: FIRST,
  settled: true,
};
const CLAIM = makeClaim("web");
const LEASE: LeasedAddress = {
  address: VIP,
  pool: present(parsePoolName("lan"), "a pool's name"),
  owners: [{ claim: CLAIM.id, uid: CLAIM.uid, ports: [] }],
  lastClaim: CLAIM.id,
  placement: { kind: "lane", lane: LANE.id },
  sentTo: [FIRST, SECOND],
  state: { kind: "held" },
  published: true,
  sinceMs: 0,
};

suite("who had an address by the store", () => {
  const { holder: _, ...unheld } = LANE;
  const cases: readonly {
    readonly name: string;
    readonly lease?: Partial<LeasedAddress>;
    readonly lane?: Lane;
    readonly holder: string | undefined;
  }[] = [
    { name: "is who held its lane", holder: "lb-1" },
    {
      name: "is its host in mode host",
      lease: { placement: { kind: "host", agent: THIRD, link: device("eth0") } },
      holder: "lb-3",
    },
    { name: "is nobody in a lane that nobody held", lane: unheld, holder: undefined },
    {
      name: "is nobody where it has no place",
      lease: { placement: { kind: "unplaced" } },
      holder: undefined,
    },
    { name: "is not known where none was seen", lease: { published: false }, holder: undefined },
    {
      name: "is nobody once nobody asks for it",
      lease: { owners: [], state: { kind: "draining", sinceMs: 0 } },
      holder: undefined,
    },
  ];
  for (const { name, lease = {}, lane = LANE, holder } of cases) {
    test(name, () => {
      const leases = new Map([[VIP, { ...LEASE, ...lease }]]);
      const lanes = new Map([[lane.id, lane]]);
      assert.equal(storedHolders({ leases, lanes }).get(VIP), holder);
    });
  }
});

suite("an address that was found elsewhere", () => {
  const move: Intent = { id: "m", sinceMs: 0, kind: "move", lane: LANE.id, to: SECOND };
  const drain: Intent = { id: "d", sinceMs: 0, kind: "drain", agent: FIRST };
  const other: Intent = { id: "o", sinceMs: 0, kind: "drain", agent: THIRD };
  const rebalance: Intent = { id: "r", sinceMs: 0, kind: "rebalance" };
  const moved = [SECOND, FIRST];
  const cases: readonly {
    readonly name: string;
    readonly intents: readonly Intent[];
    readonly order?: Lane["order"];
    readonly cause: string | undefined;
  }[] = [
    { name: "was moved", intents: [move], order: moved, cause: "moved by an operator" },
    {
      name: "left a drained host",
      intents: [other, drain],
      order: moved,
      cause: "lb-1 is drained",
    },
    { name: "went by a rebalance", intents: [rebalance], order: moved, cause: "rebalanced" },
    { name: "was asked for by nobody", intents: [other], order: moved, cause: undefined },
    // A freeze holds it back, or it had not begun: the host died meanwhile.
    { name: "was to go there later", intents: [move, drain], cause: undefined },
  ];
  for (const { name, intents, order = LANE.order, cause } of cases) {
    test(name, () => {
      const lanes = new Map([[LANE.id, { ...LANE, order }]]);
      const at = { address: VIP, from: FIRST, to: SECOND, lane: LANE.id };
      const why = cause && `${cause}; lb-1 had it before this controller led`;
      assert.equal(storedCause({ lanes, intents }, at), why);
    });
  }
});
