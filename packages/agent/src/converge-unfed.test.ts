// Members that the kernel's table does not take, on fake hosts: each claim that waits for it says
// so with the words of the refusal, all others are served as they were, and all comes by itself
// when what kept it is gone.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  parseClaimId,
  present,
  type Resource,
  type ResourceReport,
  type Step,
} from "@fairlead/model";
import {
  acceptedPlan,
  createFakeMemberTable,
  type FakeAgent,
  fakeWorld,
  laneOf,
  listenerOf,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import { RETRY_MS } from "./converge-times.ts";
import { createMemberFeed } from "./member-feed.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11"] });
const VIP = "192.0.2.100";
const MEMBERS = ["192.0.2.21:8080"];
const OTHERS = ["192.0.2.22:8080"];
const WORDS = "members.fill fails now";

function serviceOf(name: string, port: number, members: readonly string[]): readonly Resource[] {
  const claim = present(parseClaimId(`service/default/${name}`), "a claim");
  return listenerOf(`${VIP}:${port}/tcp`, members, { claim });
}

function plan(services: Readonly<Record<string, readonly string[]>>): readonly Resource[] {
  const listeners = Object.entries(services).flatMap(([name, members], at) =>
    serviceOf(name, 80 + at, members),
  );
  return [LANE, vipOf(VIP, LANE), ...listeners];
}

/** What is reported of the listener on a port and of its members. */
function said(
  agent: FakeAgent,
  port: number,
): Readonly<Partial<Record<"listener" | "members", Step>>> & Pick<ResourceReport, "problem"> {
  const [listener, members] = listenerOf(`${VIP}:${port}/tcp`, []);
  const { resources } = agent.last();
  const [one, set] = [listener, members].map(({ name }) => resources.get(name));
  assert.ok(one !== undefined && set !== undefined);
  const { step, problem } = set;
  return { listener: one.step, members: step, ...(problem === undefined ? {} : { problem }) };
}

const SERVED = { listener: "serving", members: "serving" };

async function agentThatFails(): Promise<{
  readonly agent: FakeAgent;
  readonly stage: ReturnType<typeof fakeWorld>;
  readonly fail: (isFailing: boolean) => void;
}> {
  const stage = fakeWorld();
  let isBroken = false;
  const failing = (call: string): boolean => isBroken && call === "members.fill";
  const agent = await startFakeAgent(stage, "a", { failing });
  return { agent, stage, fail: (isFailing) => void (isBroken = isFailing) };
}

test("a claim whose members are refused says so, and those of others are served", async () => {
  const { agent, stage, fail } = await agentThatFails();
  agent.loop.accept(acceptedPlan("a", plan({ web: MEMBERS, shop: MEMBERS })));
  await stage.clock.advance(2000);
  fail(true);
  const wanted = acceptedPlan("a", plan({ web: MEMBERS, shop: OTHERS }));
  agent.loop.accept(wanted);
  await stage.clock.advance(2000);
  const name = listenerOf(`${VIP}:81/tcp`, [])[1].name;
  const revision = present(wanted.revisions.get(name), "a revision");
  const problem = { reason: "DataPlaneDown", detail: WORDS, revision };
  // It is served with the members that it had.
  assert.deepEqual(said(agent, 81), { ...SERVED, problem });
  assert.deepEqual(agent.host.memberTable.membersOf(`${VIP}:81`), MEMBERS);
  assert.deepEqual(said(agent, 80), SERVED);
  const detail = `${WORDS}; members wait for it of default/shop`;
  assert.deepEqual(agent.last().remarks, [{ reason: "DataPlaneDown", detail }]);

  fail(false);
  await stage.clock.advance(RETRY_MS);
  assert.deepEqual(agent.host.memberTable.membersOf(`${VIP}:81`), OTHERS);
  assert.deepEqual(said(agent, 81), SERVED);
  assert.deepEqual(agent.last().remarks, []);
});

test("a new Service whose members are refused is not proved to be served", async () => {
  const { agent, stage, fail } = await agentThatFails();
  agent.loop.accept(acceptedPlan("a", plan({ web: MEMBERS })));
  await stage.clock.advance(2000);
  fail(true);
  agent.loop.accept(acceptedPlan("a", plan({ web: MEMBERS, shop: MEMBERS })));
  await stage.clock.advance(2000);
  assert.equal(said(agent, 81).listener, "applied");
  assert.deepEqual(said(agent, 80), SERVED);
  fail(false);
  await stage.clock.advance(RETRY_MS);
  assert.deepEqual(said(agent, 81), SERVED);
});

test("a table that is gone and cannot be had again serves nobody, and each claim says why", async () => {
  const { agent, stage, fail } = await agentThatFails();
  agent.loop.accept(acceptedPlan("a", plan({ web: MEMBERS, shop: MEMBERS })));
  await stage.clock.advance(2000);
  fail(true);
  agent.host.memberTable.flush();
  await stage.clock.advance(1000);
  for (const port of [80, 81]) {
    const { listener, members, problem } = said(agent, port);
    assert.deepEqual([listener, members], ["applied", "received"]);
    assert.equal(problem?.detail, WORDS);
  }
  fail(false);
  await stage.clock.advance(RETRY_MS);
  for (const port of [80, 81]) assert.deepEqual(said(agent, port), SERVED);
  assert.deepEqual(agent.last().remarks, []);
});

test("a refusal is logged once, with the first few that wait, and once that it has passed", async () => {
  let isBroken = true;
  const { table } = createFakeMemberTable((call) => {
    if (isBroken && call === "members.fill") throw new Error("nft: no");
  });
  const logged: string[] = [];
  const log = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    void logged.push("detail" in fields ? `${message}: ${String(fields["detail"])}` : message);
  const feed = createMemberFeed(table, { info: log, warn: log });
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const wanted = acceptedPlan("a", plan(Object.fromEntries(names.map((one) => [one, MEMBERS]))));
  for (const _ of [1, 2, 3]) await feed.feed(wanted, new Map());
  const few = names.slice(0, 5).map((name) => `default/${name}`);
  const first = `trouble on this host: nft: no; members wait for it of ${few.join(", ")} and 2 more`;
  assert.deepEqual(logged, [first]);
  isBroken = false;
  for (const _ of [1, 2]) await feed.feed(wanted, new Map());
  assert.deepEqual(logged, [first, "that trouble has passed"]);
  assert.equal(feed.waiting.size, 0);
});
