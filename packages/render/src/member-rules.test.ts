// The kernel's table as scripts: only what differs is changed, deletions come first, and text that
// is no token never gets in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AssertionFailure } from "@fairlead/model";
import { address, member } from "@fairlead/testkit";
import { type TableListener, memberChangeScript, memberTableScript } from "./member-rules.ts";

const RANGES = { ipv4: { network: "198.18.0.0/15", target: address("198.18.0.1") } };

const TURN = { from: 1, to: 2 };

function listener(...members: readonly string[]): TableListener {
  return {
    address: address("192.0.2.100"),
    port: 80,
    protocol: "tcp",
    service: address("198.18.1.0"),
    slots: members.map(member),
    takesTurns: false,
  };
}

const taking = (...members: readonly string[]): TableListener => ({
  ...listener(...members),
  takesTurns: true,
});

test("a member in the place of another is one slot", () => {
  const script = memberChangeScript(
    [
      {
        before: listener("10.0.0.1:80", "10.0.0.2:80"),
        after: listener("10.0.0.1:80", "10.0.0.3:80"),
      },
    ],
    () => [],
    TURN,
  );
  assert.equal(
    script,
    `delete element inet fairlead_members slots4 {
198.18.1.0 . tcp . 2
}
add element inet fairlead_members slots4 {
198.18.1.0 . tcp . 2 : 10.0.0.3 . 80
}
delete element inet fairlead_members revision { 1 }
add element inet fairlead_members revision { 2 }
`,
  );
});

test("where the kernel chooses, it has all slots, and nginx three for when that fails", () => {
  const members = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:80"];
  const script = memberTableScript(RANGES, [taking(...members)], 1);
  const [, slots = "", turns = ""] = script.split("add element inet fairlead_members ").slice(1);
  assert.equal(
    slots,
    `slots4 {
198.18.1.0 . tcp . 1 : 10.0.0.1 . 80,
198.18.1.0 . tcp . 2 : 10.0.0.2 . 80,
198.18.1.0 . tcp . 3 : 10.0.0.1 . 80
}
`,
  );
  assert.equal(
    turns,
    `turns4 {
198.18.1.0 . 0 : 10.0.0.1 . 80,
198.18.1.0 . 1 : 10.0.0.2 . 80,
198.18.1.0 . 2 : 10.0.0.1 . 80,
198.18.1.0 . 3 : 10.0.0.2 . 80
}
`,
  );
});

test("a listener whose balancing is edited gets the slots that it lacked, and no other change", () => {
  const members = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.1:80", "10.0.0.2:80"];
  const [before, after] = [taking(...members), listener(...members)];
  assert.equal(
    memberChangeScript([{ before, after }], () => [], TURN),
    `delete element inet fairlead_members turns4 {
198.18.1.0 . 0,
198.18.1.0 . 1,
198.18.1.0 . 2,
198.18.1.0 . 3
}
add element inet fairlead_members slots4 {
198.18.1.0 . tcp . 4 : 10.0.0.2 . 80
}
delete element inet fairlead_members revision { 1 }
add element inet fairlead_members revision { 2 }
`,
  );
});

test("what is the same is not touched", () => {
  const same = { before: listener("10.0.0.1:80"), after: listener("10.0.0.1:80") };
  assert.equal(
    memberChangeScript([same], () => [], TURN),
    undefined,
  );
  assert.equal(
    memberChangeScript([], () => [], TURN),
    undefined,
  );
});

test("a listener that goes takes its slots and its own element along", () => {
  const script = memberChangeScript([{ before: listener("10.0.0.1:80") }], () => [], TURN) ?? "";
  assert.match(
    script,
    /delete element inet fairlead_members listeners4 \{\n192.0.2.100 . tcp . 80\n/,
  );
  assert.match(script, /delete element inet fairlead_members slots4 \{\n198.18.1.0 . tcp . 1\n/);
  assert.doesNotMatch(script, /add element inet fairlead_members (?:slots|listeners)/);
});

test("of two parts of a listener, the first that goes leaves its element to the other", () => {
  const before = listener("10.0.0.1:80");
  const other = { ...before, service: address("198.18.1.1") };
  const script = memberChangeScript([{ before }], () => [other], TURN) ?? "";
  assert.match(script, /delete element inet fairlead_members slots4 \{\n198.18.1.0 . tcp . 1\n\}/);
  assert.doesNotMatch(script, /listeners4/);
  const both = memberChangeScript([{ before }, { before: other }], () => [], TURN) ?? "";
  assert.match(
    both,
    /delete element inet fairlead_members listeners4 \{\n192.0.2.100 . tcp . 80\n\}/,
  );
});

test("a host without IPv6 has no rule for it", () => {
  assert.doesNotMatch(memberTableScript(RANGES, [], 1), /ip6 saddr fd|dnat ip6/);
});

test("an address that is none of the grammar is a bug of ours", () => {
  const bad = { ...listener("10.0.0.1:80"), service: "198.18.1.0 }" as TableListener["service"] };
  assert.throws(() => memberChangeScript([{ after: bad }], () => [], TURN), AssertionFailure);
  const stranger = { ...member("10.0.0.1:80"), address: "10.0.0.1\n" as TableListener["service"] };
  const slots = [stranger];
  assert.throws(
    () => memberChangeScript([{ after: { ...listener(), slots } }], () => [], TURN),
    AssertionFailure,
  );
  const range = { ipv4: { network: "any; flush ruleset", target: address("198.18.0.1") } };
  assert.throws(() => memberTableScript(range, [], 1), AssertionFailure);
});
