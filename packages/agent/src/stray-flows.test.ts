// Which flows end, and when: a table of flows that one listener has or had.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Revision } from "@fairlead/model";
import { address, listenerOf } from "@fairlead/testkit";

import type { MemberFlow, PlacedMembers } from "./member-ports.ts";
import { type FlowOwners, flowOwner, judgeFlows, withoutMembers } from "./stray-flows.ts";

const SERVICE = address("198.18.1.0");
const DRAIN_MS = 30_000;
const NOW_MS = 1_000_000;

function flowTo(member: string, protocol: MemberFlow["protocol"] = "tcp"): MemberFlow {
  const [host = "", port] = member.split(":");
  return {
    protocol,
    service: SERVICE,
    servicePort: 40_000,
    target: address("198.18.0.1"),
    slot: 1,
    member: address(host),
    memberPort: Number(port),
  };
}

function placed(members: readonly string[], drainTimeoutMs = DRAIN_MS): PlacedMembers {
  const [listener, set] = listenerOf("192.0.2.1:80/tcp", members, { drainTimeoutMs });
  const place = { service: SERVICE, slots: 24 } as const;
  return { listener, members: set, membersRevision: members.join() as Revision, place };
}

const owned = (...entries: readonly PlacedMembers[]): FlowOwners => {
  return new Map([[SERVICE, flowOwner(entries)]]);
};
const WEB = owned(placed(["10.0.0.1:8080"]));
const GONE: FlowOwners = new Map([[SERVICE, withoutMembers(flowOwner([placed([], 5000)]))]]);

const cases: readonly {
  readonly name: string;
  readonly flow: MemberFlow;
  readonly owners: FlowOwners;
  /** For how long it was seen to be stray; absent: it is seen so now. */
  readonly strayMs?: number;
  /** In how many ms it ends; "stays": never. */
  readonly ends: number | "stays";
}[] = [
  { name: "a member's stays", flow: flowTo("10.0.0.1:8080"), owners: WEB, ends: "stays" },
  {
    name: "one to a removed member has the drain time",
    flow: flowTo("10.0.0.2:8080"),
    owners: WEB,
    ends: DRAIN_MS,
  },
  {
    name: "and what is left of it",
    flow: flowTo("10.0.0.2:8080"),
    owners: WEB,
    strayMs: 29_000,
    ends: 1000,
  },
  {
    name: "until it is over",
    flow: flowTo("10.0.0.2:8080"),
    owners: WEB,
    strayMs: DRAIN_MS,
    ends: 0,
  },
  {
    name: "a member that comes back in time keeps it",
    flow: flowTo("10.0.0.1:8080"),
    owners: WEB,
    strayMs: 29_000,
    ends: "stays",
  },
  {
    name: "another port of the same address is another member",
    flow: flowTo("10.0.0.1:8081"),
    owners: WEB,
    ends: DRAIN_MS,
  },
  {
    name: "UDP to a removed member has no time",
    flow: flowTo("10.0.0.2:8080", "udp"),
    owners: WEB,
    ends: 0,
  },
  {
    name: "one of a listener that went has that one's drain time",
    flow: flowTo("10.0.0.1:8080"),
    owners: GONE,
    ends: 5000,
  },
  {
    name: "one of a listener that nobody remembers has ten minutes",
    flow: flowTo("10.0.0.1:8080"),
    owners: new Map(),
    ends: 600_000,
  },
  {
    name: "amid a filling the members before and after are both its own",
    flow: flowTo("10.0.0.2:8080"),
    owners: owned(placed(["10.0.0.1:8080"]), placed(["10.0.0.2:8080"])),
    ends: "stays",
  },
];

for (const { name, flow, owners, strayMs, ends } of cases) {
  test(name, () => {
    const key = `${flow.service} ${flow.member} ${flow.memberPort}`;
    const times = new Map(strayMs === undefined ? [] : [[key, NOW_MS - strayMs]]);
    const judged = judgeFlows([flow], { owners, times, nowMs: NOW_MS });
    assert.deepEqual(judged.over, ends === 0 ? [flow] : []);
    const waits = ends === 0 || ends === "stays" ? undefined : NOW_MS + ends;
    assert.equal(judged.nextMs, waits);
    assert.equal(judged.times.get(key), ends === "stays" ? undefined : NOW_MS - (strayMs ?? 0));
  });
}

test("a flow that is gone is forgotten, and so is its listener's drain time", () => {
  const times = new Map([["198.18.1.0 10.0.0.2 8080", NOW_MS]]);
  const judged = judgeFlows([], { owners: GONE, times, nowMs: NOW_MS });
  assert.deepEqual([judged.times.size, judged.owners.size], [0, 0]);
});

test("the next look is for whichever is over first", () => {
  const times = new Map([["198.18.1.0 10.0.0.3 8080", NOW_MS - 10_000]]);
  const flows = [flowTo("10.0.0.2:8080"), flowTo("10.0.0.3:8080")];
  assert.equal(judgeFlows(flows, { owners: WEB, times, nowMs: NOW_MS }).nextMs, NOW_MS + 20_000);
});
