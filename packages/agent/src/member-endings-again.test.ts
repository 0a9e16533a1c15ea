// When connections to members are listed, and what follows when that fails or when they do not go:
// played with flows that behave and a clock that stands still.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Revision, present } from "@fairlead/model";
import { createFakeClock, createLogger } from "@fairlead/runtime";
import { address, createFakeMemberTable, listenerOf } from "@fairlead/testkit";

import { createMemberEndings } from "./member-endings.ts";
import type { MemberFlow, MemberFlows, MemberTable } from "./member-ports.ts";

const MEMBERS = ["10.0.0.1:8080", "10.0.0.2:8080"];

/** Flows of a kernel that may refuse to list them, or to end them. */
class FakeFlows implements MemberFlows {
  flows: readonly MemberFlow[] = [];
  lists = 0;
  ends = 0;
  refuses: "nothing" | "lists" | "ends" = "nothing";

  async list(): Promise<readonly MemberFlow[]> {
    this.lists += 1;
    if (this.refuses === "lists") throw new Error("no buffer space");
    return this.flows;
  }

  async end(flows: readonly MemberFlow[]): Promise<void> {
    this.ends += 1;
    if (this.refuses !== "ends") this.flows = this.flows.filter((flow) => !flows.includes(flow));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

async function fill(table: MemberTable, members: readonly string[]): Promise<void> {
  const [listener, set] = listenerOf("192.0.2.1:80/tcp", members, { drainTimeoutMs: 30_000 });
  const wanted = { listener, members: set, membersRevision: members.join() as Revision };
  const places = await table.place(new Map([[listener.name, wanted]]));
  const place = present(places.get(listener.name), "a place");
  await table.fill(new Map([[place.service, { ...wanted, place }]]));
}

function makeStage(): {
  readonly kernel: FakeFlows;
  readonly clock: ReturnType<typeof createFakeClock>;
  readonly table: MemberTable;
} {
  const clock = createFakeClock();
  const kernel = new FakeFlows();
  kernel.flows = MEMBERS.map((member, index) => ({
    protocol: "tcp",
    service: address("198.18.1.0"),
    servicePort: 40_000 + index,
    target: address("198.18.0.1"),
    slot: 1,
    member: address(member.replace(/:.*/, "")),
    memberPort: 8080,
  }));
  const { table } = createFakeMemberTable(() => undefined);
  const log = createLogger({ level: "silent", format: "json" });
  return { kernel, clock, table: createMemberEndings({ table, flows: kernel, clock, log }) };
}

test("they are listed at the start, after a removal and when a drain time is over", async () => {
  const { kernel, clock, table } = makeStage();
  await fill(table, MEMBERS);
  await clock.advance(60_000);
  assert.equal(kernel.lists, 1);
  await fill(table, [...MEMBERS, "10.0.0.3:8080"]);
  await fill(table, [...MEMBERS, "10.0.0.3:8080"]);
  await clock.advance(60_000);
  assert.equal(kernel.lists, 1, "who comes ends nothing");
  await fill(table, MEMBERS.slice(1));
  await clock.advance(29_000);
  assert.deepEqual([kernel.lists, kernel.flows.length], [2, 2]);
  await clock.advance(2000);
  assert.deepEqual([kernel.lists, kernel.flows.length], [3, 1]);
  await clock.advance(600_000);
  assert.equal(kernel.lists, 4, "once more, to see that they are gone");
});

test("a burst of removals is looked at once a second", async () => {
  const { kernel, clock, table } = makeStage();
  for (let round = 0; round < 100; round++) {
    await fill(table, [`10.0.0.${10 + round}:8080`]);
    await clock.advance(50);
  }
  assert.ok(kernel.lists >= 5 && kernel.lists <= 7, `${kernel.lists} listings in 5 s`);
});

test("a listing that fails is tried again, and the time of before counts", async () => {
  const { kernel, clock, table } = makeStage();
  await fill(table, MEMBERS);
  await clock.advance(1000);
  await fill(table, MEMBERS.slice(1));
  await clock.advance(5000);
  kernel.refuses = "lists";
  await clock.advance(40_000);
  assert.equal(kernel.flows.length, 2);
  kernel.refuses = "nothing";
  await clock.advance(10_000);
  assert.equal(kernel.flows.length, 1);
});

test("what does not end is ended again, and no sooner than ten seconds later", async () => {
  const { kernel, clock, table } = makeStage();
  await fill(table, MEMBERS);
  await clock.advance(1000);
  kernel.refuses = "ends";
  await fill(table, MEMBERS.slice(1));
  await clock.advance(30_000 + 20_500);
  assert.equal(kernel.ends, 3);
  kernel.refuses = "nothing";
  await clock.advance(10_000);
  assert.equal(kernel.flows.length, 1);
});

test("a member that comes back in time keeps its connections", async () => {
  const { kernel, clock, table } = makeStage();
  await fill(table, MEMBERS);
  await fill(table, MEMBERS.slice(1));
  await clock.advance(20_000);
  await fill(table, MEMBERS);
  await clock.advance(600_000);
  assert.deepEqual([kernel.ends, kernel.flows.length], [0, 2]);
});
