// What people are told of the table of members: the kernel's slots and connections beside what the
// plan says, whatever differs between them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseClaimId, present, type ResourceName } from "@fairlead/model";
import type { ServicePlace } from "@fairlead/render";
import {
  acceptedPlan,
  address,
  fakeWorld,
  laneOf,
  listenerOf,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import type { MemberFlow, TableSlot } from "../../ports.ts";
import type { ShownMembers } from "./debug-context.ts";
import { getMembers } from "./get-members.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const WEB = "listener/192.0.2.100/tcp/80" as ResourceName;
const DNS = "listener/192.0.2.100/udp/53" as ResourceName;

function slotsOf(service: string, members: readonly string[]): readonly TableSlot[] {
  return members.map((member, index) => ({
    service: address(service),
    protocol: "tcp",
    slot: index + 1,
    member: address(member),
    memberPort: 8080,
  }));
}

function flowTo(service: string, member: string): MemberFlow {
  const ports = { servicePort: 40_000, slot: 1, memberPort: 8080 };
  const target = address("198.18.0.1");
  return {
    protocol: "tcp",
    service: address(service),
    target,
    member: address(member),
    ...ports,
  };
}

const RANGES = {
  ipv4: { network: "198.18.0.0/15", target: address("198.18.0.1") },
  ipv6: { network: "fdfa:1ead::/64", target: address("fdfa:1ead::1") },
};

/** A host whose plan, table and flows are three different things. */
const SHOWN: ShownMembers = {
  ranges: RANGES,
  table: {
    places: new Map<ResourceName, ServicePlace>([
      [WEB, { service: address("198.18.1.0"), slots: 24 }],
      [DNS, { service: address("198.18.1.1"), slots: 24 }],
    ]),
    slots: () =>
      Promise.resolve([
        ...slotsOf("198.18.1.0", ["10.0.0.1", "10.0.0.9", "10.0.0.1"]),
        ...slotsOf("198.18.1.7", ["10.0.0.1"]),
      ]),
  },
  flows: {
    list: () =>
      Promise.resolve([
        flowTo("198.18.1.0", "10.0.0.1"),
        flowTo("198.18.1.0", "10.0.0.1"),
        flowTo("198.18.1.0", "10.0.0.8"),
      ]),
  },
};

async function ask(subject: string, members: ShownMembers = SHOWN): Promise<readonly string[]> {
  const answer = await answerTo(subject, members);
  if (answer.trouble !== undefined) return [answer.trouble];
  return (answer.listeners ?? []).flatMap(({ service, claim: who, slots, members: found = [] }) => {
    const told = found.map(({ address: at, port, slots: has, state, flows }) => {
      return `  ${at}:${port} ${has} slots, ${state}, ${flows} flows`;
    });
    return [`${service} ${who === "" ? "nobody" : who} ${slots}`, ...told];
  });
}

async function answerTo(subject: string, members: ShownMembers): ReturnType<typeof getMembers> {
  const world = fakeWorld();
  const agent = await startFakeAgent(world, "a");
  const [listener, set] = listenerOf("192.0.2.100:80/tcp", ["10.0.0.1:8080", "10.0.0.2:8080"]);
  const some = set.members.map((member, index) => {
    return index === 0 ? member : { ...member, state: "draining" as const };
  });
  const claim = present(parseClaimId("service/shop/dns"), "a claim");
  const dns = listenerOf("192.0.2.100:53/udp", [], { claim });
  const vip = vipOf("192.0.2.100", LANE);
  const plan = acceptedPlan("a", [LANE, vip, listener, { ...set, members: some }, ...dns]);
  agent.loop.accept(plan);
  const context = {
    nowMs: 0,
    view: agent.loop.view(),
    files: () => Promise.resolve([]),
    segment: agent.host.segment,
    members,
  };
  const answer = await getMembers(context, { subject });
  await agent.loop[Symbol.asyncDispose]();
  return answer;
}

const ALL = [
  "198.18.1.0 default/web 24",
  "  10.0.0.1:8080 2 slots, active, 2 flows",
  "  10.0.0.2:8080 0 slots, draining, 0 flows",
  "  10.0.0.8:8080 0 slots, removed, 1 flows",
  "  10.0.0.9:8080 1 slots, removed, 0 flows",
  "198.18.1.1 shop/dns 24",
  "198.18.1.7 nobody 0",
  "  10.0.0.1:8080 1 slots, removed, 0 flows",
];

const cases: readonly {
  readonly name: string;
  readonly subject: string;
  readonly says: readonly string[];
}[] = [
  { name: "everything that the plan, the kernel or a flow names", subject: "", says: ALL },
  { name: "a service address", subject: "198.18.1.1", says: ALL.slice(5, 6) },
  { name: "a Service", subject: "default/web", says: ALL.slice(0, 5) },
  { name: "a VIP", subject: "192.0.2.100", says: ALL.slice(0, 6) },
  { name: "a member", subject: "10.0.0.9", says: ALL.slice(0, 5) },
  { name: "what is not there", subject: "default/nobody", says: [] },
];
for (const { name, subject, says } of cases) {
  test(`gives ${name}`, async () => {
    assert.deepEqual(await ask(subject), says);
  });
}

test("says that members stand in nginx's file", async () => {
  const world = fakeWorld();
  const agent = await startFakeAgent(world, "a");
  const { segment } = agent.host;
  const context = { nowMs: 0, view: agent.loop.view(), files: async () => [], segment };
  assert.deepEqual(await getMembers(context, { subject: "" }), { inKernel: false });
  await agent.loop[Symbol.asyncDispose]();
});

test("says why the kernel cannot be read", async () => {
  const table = { ...SHOWN.table, slots: () => Promise.reject(new Error("nft says no")) };
  assert.deepEqual(await ask("", { ...SHOWN, table }), ["nft says no"]);
});

test("says what the host uses for itself, also where the kernel cannot be read", async () => {
  const table = { ...SHOWN.table, slots: () => Promise.reject(new Error("nft says no")) };
  const { ipv4 } = RANGES;
  for (const shown of [SHOWN, { ...SHOWN, table }]) {
    const { networks, targets } = await answerTo("198.18.9.9", shown);
    assert.deepEqual(networks, ["198.18.0.0/15", "fdfa:1ead::/64"]);
    assert.deepEqual(targets, ["198.18.0.1", "fdfa:1ead::1"]);
  }
  const alone = await answerTo("", { ...SHOWN, ranges: { ipv4 } });
  assert.deepEqual([alone.networks, alone.targets], [["198.18.0.0/15"], ["198.18.0.1"]]);
});

test("of ten thousand listeners fits, and says how many it left out", async () => {
  const slots = Array.from({ length: 10_000 }, (_, index) => {
    const service = `198.18.${1 + (index >> 8)}.${index & 255}`;
    return slotsOf(service, ["10.0.0.1", "10.0.0.2"]);
  }).flat();
  const world = fakeWorld();
  const agent = await startFakeAgent(world, "a");
  const members = { ...SHOWN, table: { places: new Map(), slots: async () => slots } };
  const { segment } = agent.host;
  const context = { nowMs: 0, view: agent.loop.view(), files: async () => [], segment, members };
  const answer = await getMembers(context, { subject: "" });
  const taken = answer.listeners?.length ?? 0;
  assert.ok(taken > 3000, `${taken} are there`);
  assert.equal(taken + (answer.leftOut ?? 0), 10_000);
  await agent.loop[Symbol.asyncDispose]();
});
