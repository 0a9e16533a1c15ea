// Which members a listener may have on a host's own address, where only ports of ours lead back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeAgent, makeClaim, makeRevisionOf, makeWorld } from "@fairlead/testkit";

import { plan } from "./index.ts";
import { usableMembers } from "./members.ts";

const settings = { ...makeWorld().settings, sharesOwnAddress: true };
const shared = plan(
  makeWorld({ claims: [makeClaim("web")], pools: [], agents: [makeAgent("a")], settings }),
  { revisionOf: makeRevisionOf() },
);

const cases = [
  { name: "the port of a Service", listener: "tcp/8080", member: "192.0.2.11:80", isUsed: false },
  { name: "another port", listener: "tcp/8080", member: "192.0.2.11:81", isUsed: true },
  { name: "that port over UDP", listener: "udp/8080", member: "192.0.2.11:80", isUsed: true },
  { name: "loopback", listener: "tcp/8080", member: "127.0.0.1:80", isUsed: false },
];

for (const { name, listener, member, isUsed } of cases) {
  test(`a member on ${name} is ${isUsed ? "used" : "left out"}`, () => {
    const [source] = makeClaim("relay", { ports: [listener], members: [member] }).listeners;
    assert.ok(source);
    const { members, remarks } = usableMembers(source, shared.leases);
    assert.deepEqual(members, isUsed ? source.members : []);
    assert.deepEqual(
      remarks.map(({ reason }) => reason),
      isUsed ? [] : ["BadMember"],
    );
  });
}
