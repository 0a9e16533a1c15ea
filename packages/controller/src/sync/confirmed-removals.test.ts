// VIPs that go from an agent: few at a time while their claims still hold them, and all at once
// where they ended or moved.

import assert from "node:assert";
import { test } from "node:test";

import {
  type Address,
  type AgentName,
  type LeasedAddress,
  type NodePlan,
  parseClaimId,
  parsePoolName,
  present,
  type Resource,
} from "@fairlead/model";
import { address, agentName, servicesIn, vipOf } from "@fairlead/testkit";

import { AGENT, Bench, LANE, planOf } from "./outbox-bench.ts";
import { findUnconfirmed, NOTHING_DELIVERED } from "./wanted-plan.ts";

const services = (count: number): readonly Resource[] => servicesIn(LANE, count);

const removals: readonly {
  readonly name: string;
  readonly vips: number;
  readonly going: number;
  readonly unconfirmed: boolean;
  readonly tombstones: number;
  readonly confirmed: boolean;
}[] = [
  {
    name: "ended claims, many",
    vips: 60,
    going: 60,
    unconfirmed: false,
    tombstones: 180,
    confirmed: true,
  },
  {
    name: "held by claims, few",
    vips: 60,
    going: 12,
    unconfirmed: true,
    tombstones: 36,
    confirmed: false,
  },
  {
    name: "held by claims, too many",
    vips: 60,
    going: 13,
    unconfirmed: true,
    tombstones: 0,
    confirmed: true,
  },
  {
    name: "held by claims, the last ten",
    vips: 10,
    going: 10,
    unconfirmed: true,
    tombstones: 30,
    confirmed: false,
  },
];

for (const { name, vips, going, unconfirmed, tombstones, confirmed } of removals) {
  test(`VIPs that go: ${name}`, () => {
    const all = services(vips);
    const staying = services(vips - going);
    const bench = new Bench().want(all).hello().ack();
    const gone = Array.from({ length: going }, (_, i) => address(`192.0.2.${vips - i}`));
    bench.want(staying, { unconfirmed: new Set(unconfirmed ? gone : []) });
    const sent = bench.sent.length > 1 ? bench.last : undefined;
    assert.equal(sent?.tombstones.length ?? 0, tombstones);
    assert.equal(sent?.confirmed ?? true, confirmed);
    if (tombstones === 0) assert.match(bench.state, /^rejected: 13 VIPs stay/);
  });
}

test("a VIP that moved to another agent, or whose claim ended, goes confirmed", () => {
  const claim = present(parseClaimId("service/default/web"), "a claim");
  const lease = (text: string, state: LeasedAddress["state"]): [Address, LeasedAddress] => [
    address(text),
    {
      address: address(text),
      pool: present(parsePoolName("default"), "a pool"),
      owners: [],
      lastClaim: claim,
      placement: { kind: "unplaced" },
      sentTo: [AGENT],
      state,
      published: true,
      sinceMs: 0,
    },
  ];
  const other = agentName("lb2");
  const plans = (own: readonly string[]): Map<AgentName, NodePlan> =>
    new Map([[other, { ...planOf(own.map((text) => vipOf(text, LANE))), agent: other }]]);
  const first = findUnconfirmed(NOTHING_DELIVERED, {
    epoch: 1,
    plans: plans(["192.0.2.1"]),
    leases: new Map([
      lease("192.0.2.1", { kind: "held" }),
      lease("192.0.2.2", { kind: "held" }),
      lease("192.0.2.3", { kind: "draining", sinceMs: 0 }),
    ]),
  });
  assert.deepEqual([...first.unconfirmed], [address("192.0.2.2")]);
  const { leases } = first.delivery;
  const moved = findUnconfirmed(first, { epoch: 1, plans: plans(["192.0.2.2"]), leases });
  assert.deepEqual([...moved.unconfirmed], [address("192.0.2.1")]);
  const none = findUnconfirmed(moved, { epoch: 1, plans: plans([]), leases: new Map() });
  assert.deepEqual([...none.unconfirmed], []);
});
