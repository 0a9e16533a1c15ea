// Some of very many that a daemon refuses: whoever is innocent is applied in the end, without
// another plan, and who is to blame is named with words of its own. On a fake host and the fake
// clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Remark, Resource } from "@fairlead/model";
import {
  acceptedPlan,
  type FakeAgent,
  type FakeHost,
  fakeWorld,
  laneOf,
  listenerOf,
  NEW_LANE,
  propertyRuns,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
  WEB_MEMBERS,
} from "@fairlead/testkit";

import { RETRY_MS } from "./converge-times.ts";
import { TRIES_MAX } from "./halve.ts";

const VIP = "192.0.2.100";

/** Ports 1000 and up. */
function listeners(count: number): readonly Resource[] {
  const ports = Array.from({ length: count }, (_, at) => 1000 + at);
  const all = ports.flatMap((port) => listenerOf(`${VIP}:${port}/tcp`, WEB_MEMBERS));
  return [NEW_LANE, vipOf(VIP, NEW_LANE), ...all];
}

function wordsFor(port: number): Remark {
  return { reason: "ConfigRejected", detail: `nginx: port ${port} is bad` };
}

/** As nginx does it, words for the first one that is bad; the check knows those of `byCheck`. */
function refusing(host: FakeHost, byCheck: readonly number[], byReload: readonly number[]) {
  const firstBad = (text: string, ports: readonly number[]): Remark | undefined => {
    const bad = ports.find((port) => text.includes(`listen ${VIP}:${port};`));
    return bad === undefined ? undefined : wordsFor(bad);
  };
  const nginx: FakeHost["nginx"] = {
    ...host.nginx,
    check: async (text) => {
      const remark = firstBad(text, byCheck);
      return remark && { kind: "refused", remark };
    },
    apply: async (text, generation, news) => {
      const remark = firstBad(text, [...byCheck, ...byReload]);
      if (remark !== undefined) return { kind: "refused", remark };
      return await host.nginx.apply(text, generation, news);
    },
  };
  return nginx;
}

async function agentWith(byCheck: readonly number[], byReload: readonly number[] = []) {
  const stage = fakeWorld();
  const { host, loop } = await startFakeAgent(stage, "a");
  await loop[Symbol.asyncDispose]();
  const agent = await restartFakeAgent(stage.clock, host, refusing(host, byCheck, byReload));
  return { agent, clock: stage.clock };
}

function servedPorts({ host }: FakeAgent): readonly number[] {
  return host.lines().flatMap((line) => {
    const port = /^listen 192\.0\.2\.100:(\d+)$/.exec(line)?.[1];
    return port === undefined ? [] : Number(port);
  });
}

/** What is said of each listener that is left out: `1100 ConfigRejected nginx: ...`. */
function problems(agent: FakeAgent): readonly string[] {
  return [...agent.last().resources.values()].flatMap(({ name, problem }) =>
    problem === undefined ? [] : `${name.split("/").at(-1)} ${problem.reason} ${problem.detail}`,
  );
}

function ownWords(ports: readonly number[]): readonly string[] {
  return ports.map((port) => `${port} ConfigRejected ${wordsFor(port).detail}`);
}

/** Lets the agent go on by itself, for so many times that it tries again. */
async function goOn({ clock }: { clock: { advance(ms: number): Promise<void> } }, passes: number) {
  for (let pass = 0; pass < passes; pass += 1) await clock.advance(RETRY_MS + 100);
}

const byNumber = (one: number, other: number): number => one - other;

for (const [bad, passesMax] of [
  [[1100, 1900], 1],
  [[1003, 1100, 1101, 1288, 1402, 1499, 1500, 1733, 1900, 1999], 4],
] as const) {
  test(`of a thousand listeners ${bad.length} are bad: all others serve, a reload a pass`, async () => {
    const { agent, clock } = await agentWith(bad);
    const before = agent.loop.view();
    agent.loop.accept(acceptedPlan("a", listeners(1000)));
    await clock.advance(100);
    const told = new Set(problems(agent));
    for (const words of ownWords(bad)) told.delete(words);
    for (const words of told) assert.match(words, /^\d+ WaitingForAgent .*tried again shortly$/);

    let served = servedPorts(agent).length;
    for (let pass = 1; pass < passesMax; pass += 1) {
      await clock.advance(RETRY_MS + 100);
      assert.ok(servedPorts(agent).length >= served, "what serves only grows");
      served = servedPorts(agent).length;
    }
    assert.equal(served, 1000 - bad.length);
    assert.deepEqual(problems(agent).toSorted(), ownWords(bad));
    const { passes, reloads } = agent.loop.view();
    assert.ok(reloads - before.reloads <= passes - before.passes, `${reloads} in ${passes} passes`);
    await goOn({ clock }, 10);
    assert.equal(agent.loop.view().passes, passes, "and there it ends");
  });
}

test("an upgraded agent that meets many bad listeners takes none of those off that serve", async () => {
  const bad = [1003, 1100, 1101, 1288, 1402, 1499, 1500, 1733, 1900, 1999];
  const { agent, clock } = await agentWith(bad);
  agent.loop.accept(acceptedPlan("a", listeners(1000)));
  await goOn({ clock }, 5);
  const before = servedPorts(agent);
  assert.equal(before.length, 1000 - bad.length);
  await agent.loop[Symbol.asyncDispose]();

  const nginx = refusing(agent.host, bad, []);
  let isOfBefore = true;
  const upgraded = await restartFakeAgent(clock, agent.host, {
    ...nginx,
    // Its own files are other ones, so it knows this generation by its places alone.
    generation: async (ago) => (isOfBefore ? "0".repeat(16) : await nginx.generation(ago)),
    apply: async (...file) => {
      const outcome = await nginx.apply(...file);
      if (outcome.kind === "applied") isOfBefore = false;
      return outcome;
    },
  });
  await clock.advance(100);
  assert.equal(isOfBefore, false, "it has handed a file over");
  assert.deepEqual(servedPorts(upgraded), before);
  await goOn({ clock }, 5);
  assert.deepEqual(problems(upgraded).toSorted(), ownWords(bad));
});

test("whichever listeners are refused, by the check or by the reload, all others serve", async () => {
  const count = 40;
  const ports = Array.from({ length: count }, (_, at) => 1000 + at);
  await fc.assert(
    fc.asyncProperty(fc.subarray(ports), fc.subarray(ports), async (byCheck, others) => {
      const byReload = others.filter((port) => !byCheck.includes(port));
      const bad = [...byCheck, ...byReload].toSorted(byNumber);
      const { agent, clock } = await agentWith(byCheck, byReload);
      const before = agent.loop.view();
      agent.loop.accept(acceptedPlan("a", listeners(count)));
      await clock.advance(100);
      await goOn({ clock }, bad.length);
      const good = ports.filter((port) => !bad.includes(port));
      assert.deepEqual(servedPorts(agent).toSorted(byNumber), good);
      assert.deepEqual(problems(agent).toSorted(), ownWords(bad));
      const { passes, reloads } = agent.loop.view();
      const perPass = byReload.length === 0 ? 1 : TRIES_MAX + 4;
      assert.ok(reloads - before.reloads <= perPass * (passes - before.passes), `${reloads}`);
      await agent.loop[Symbol.asyncDispose]();
    }),
    propertyRuns(40),
  );
});

/** Lanes of ids 1 and up, and a VIP in the last one. */
function lanesOf(count: number): readonly Resource[] {
  const lanes = Array.from({ length: count }, (_, at) =>
    laneOf({ routerId: at + 1, order: ["a=192.0.2.11", "b=192.0.2.12"] }),
  );
  return [...lanes, ...lanes.slice(-1).map((lane) => vipOf(VIP, lane))];
}

function laneWords(id: number): string {
  return `keepalived: (Line 7) ${id} is bad`;
}

async function agentRefusingLanes(bad: ReadonlySet<number>) {
  const stage = fakeWorld();
  const { host, loop } = await startFakeAgent(stage, "a");
  await loop[Symbol.asyncDispose]();
  const apply: FakeHost["keepalived"]["apply"] = async (text, ...more) => {
    const ids = Array.from(text.matchAll(/virtual_router_id (\d+)/g), (match) => Number(match[1]));
    const first = ids.find((id) => bad.has(id));
    if (first === undefined) return await host.keepalived.apply(text, ...more);
    const remark = { reason: "ConfigRejected", detail: laneWords(first) } as const;
    return { kind: "refused", remark };
  };
  const keepalived = { ...host.keepalived, apply };
  const agent = await restartFakeAgent(stage.clock, { ...host, keepalived });
  return { agent, host, clock: stage.clock };
}

function laneProblems(agent: FakeAgent): ReadonlyMap<number, string> {
  return new Map(
    [...agent.last().resources.values()].flatMap(({ name, problem }) =>
      problem === undefined ? [] : [[Number(name.split("#")[1]), problem.detail] as const],
    ),
  );
}

test("lanes behind more bad ones than a pass finds are held all the same", async () => {
  const bad = new Set([1, 2, 3, 5, 8, 13, 21, 34, 55, 89]);
  const { agent, host, clock } = await agentRefusingLanes(bad);
  agent.loop.accept(acceptedPlan("a", lanesOf(100)));
  await clock.advance(100);
  const [words, others] = [laneProblems(agent), new Set<string>()];
  for (const [id, detail] of words) if (detail !== laneWords(id)) others.add(detail);
  assert.equal(others.size, 1, [...others].join("\n"));
  await goOn({ clock }, 10);
  assert.deepEqual(
    laneProblems(agent),
    new Map([...bad].map((id) => [id, laneWords(id)])),
    "each has its own words",
  );
  assert.equal(agent.loop.view().applied.lanes.size, 90);
  assert.ok(host.lines().includes(`address ${VIP}`), "the last lane's VIP is here");
});

test("of more bad lanes than a pass tries, the one that has become good is held", async () => {
  const bad = new Set(Array.from({ length: 60 }, (_, at) => at + 1));
  const { agent, clock } = await agentRefusingLanes(bad);
  agent.loop.accept(acceptedPlan("a", lanesOf(60)));
  await clock.advance(100);
  await goOn({ clock }, 30);
  assert.equal(laneProblems(agent).size, 60);
  bad.delete(1);
  await goOn({ clock }, 12);
  assert.deepEqual(
    [...agent.loop.view().applied.lanes.keys()],
    ["lane/192.0.2.0/24#1"],
    "it is tried in its turn",
  );
});

test("whichever lanes are refused, all others are held", async () => {
  const count = 30;
  const ids = Array.from({ length: count }, (_, at) => at + 1);
  await fc.assert(
    fc.asyncProperty(fc.subarray(ids), async (bad) => {
      const { agent, clock } = await agentRefusingLanes(new Set(bad));
      agent.loop.accept(acceptedPlan("a", lanesOf(count)));
      await clock.advance(100);
      await goOn({ clock }, bad.length);
      assert.equal(agent.loop.view().applied.lanes.size, count - bad.length);
      assert.deepEqual(
        new Map([...laneProblems(agent)].toSorted(([one], [other]) => one - other)),
        new Map(bad.map((id) => [id, laneWords(id)])),
      );
      await agent.loop[Symbol.asyncDispose]();
    }),
    propertyRuns(20),
  );
});
