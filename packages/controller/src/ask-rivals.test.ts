// Who is asked, and when, where two agents say that they hold a lane.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentName, laneName } from "@fairlead/model";
import { plan, RIVAL_MS } from "@fairlead/planner";
import {
  agentName,
  makeAgents,
  makeClaim,
  makeReport,
  makeRevisionOf,
  makeWorld,
} from "@fairlead/testkit";

import { createAskRivals } from "./ask-rivals.ts";

const NOW_MS = 1_000_000;
const [FIRST, SECOND] = [agentName("lb-1"), agentName("lb-2")];

/** A lane that these hold since then, with the time of each one's last word. */
interface Holding {
  readonly agent: AgentName;
  readonly sinceMs: number;
  readonly heardAtMs: number;
}

/** One lane of one VIP, and whom the controller asks. */
function createStage(): {
  readonly asked: string[];
  /** Who is told to give the lane up by the plans from here on. */
  told: readonly AgentName[];
  /** Who came anew and has not reported since. */
  away: readonly AgentName[];
  asks(nowMs: number, ...holdings: readonly Holding[]): number | undefined;
} {
  const revisionOf = makeRevisionOf();
  const made = plan(makeWorld({ agents: makeAgents(2), claims: [makeClaim("web")] }), {
    revisionOf,
  });
  const [lane] = made.lanes.values();
  const [address] = made.leases.keys();
  const [nodePlan] = made.nodePlans.values();
  assert.ok(lane !== undefined && address !== undefined && nodePlan !== undefined);
  const asked: string[] = [];
  const stage = { asked, told: [] as readonly AgentName[], away: [] as readonly AgentName[] };
  const askRivals = createAskRivals((agent, wish) => {
    if (stage.away.includes(agent)) return false;
    asked.push(`${agent} ${wish}`);
    return true;
  });
  const placed = () => {
    const yielding = stage.told.map((agent) => ({ agent, sinceMs: NOW_MS }));
    const told = yielding.length === 0 ? lane : { ...lane, yielding };
    return { ...made, lanes: new Map([[lane.id, told]]) };
  };
  return Object.assign(stage, {
    asks: (nowMs: number, ...holdings: readonly Holding[]) => {
      const agents = makeAgents(2).map((view) => {
        const holding = holdings.find(({ agent }) => agent === view.name);
        if (holding === undefined) return view;
        const lanes = [{ name: laneName(lane.id), state: "holder" as const }];
        const report = {
          ...makeReport(nodePlan, () => false, revisionOf),
          agent: view.name,
          lanes,
        };
        const { sinceMs, heardAtMs } = holding;
        return { ...view, report, heardAtMs, heldSinceMs: new Map([[address, sinceMs]]) };
      });
      return askRivals(makeWorld({ nowMs, agents }), placed());
    },
  });
}

/** Held for long, and heard of a moment before another one came. */
const before: Holding = { agent: FIRST, sinceMs: 0, heardAtMs: NOW_MS - 10 };
const rival: Holding = { agent: SECOND, sinceMs: NOW_MS, heardAtMs: NOW_MS };

test("who took a lane over is no rival while the other one may still say that it lost it", () => {
  const stage = createStage();
  assert.equal(stage.asks(NOW_MS, before, rival), RIVAL_MS);
  assert.equal(stage.asks(NOW_MS + 300, before, rival), RIVAL_MS - 300);
  assert.equal(stage.asks(NOW_MS + 310, rival), undefined);
  assert.equal(stage.asks(NOW_MS + RIVAL_MS, rival), undefined);
  assert.deepEqual(stage.asked, []);
});

test("two hold a lane: the one whose word is older is asked, once", () => {
  const stage = createStage();
  stage.asks(NOW_MS, before, rival);
  assert.equal(stage.asks(NOW_MS + RIVAL_MS, before, rival), undefined);
  stage.asks(NOW_MS + RIVAL_MS + 10, before, rival);
  assert.deepEqual(stage.asked, ["lb-1 answer"]);
});

test("the holder spoke a moment after the rival came: it may not have known, and is asked", () => {
  const stage = createStage();
  const heard = { ...before, heardAtMs: NOW_MS + RIVAL_MS - 1 };
  assert.equal(stage.asks(NOW_MS + RIVAL_MS - 1, heard, rival), 1);
  stage.asks(NOW_MS + RIVAL_MS, heard, rival);
  assert.deepEqual(stage.asked.splice(0), ["lb-1 answer"]);
  const answered = { ...before, heardAtMs: NOW_MS + RIVAL_MS };
  stage.asks(NOW_MS + 2 * RIVAL_MS, answered, rival);
  assert.deepEqual(stage.asked, []);
});

test("one of two gave the lane up: the other one tells its segment", () => {
  const stage = createStage();
  stage.asks(NOW_MS + RIVAL_MS, before, rival);
  const heard = { ...before, heardAtMs: NOW_MS + RIVAL_MS + 20 };
  stage.asks(NOW_MS + RIVAL_MS + 20, heard, rival);
  assert.deepEqual(stage.asked.splice(0), ["lb-1 answer"]);
  stage.asks(NOW_MS + RIVAL_MS + 50, heard);
  assert.deepEqual(stage.asked.splice(0), ["lb-1 announcement"]);
  stage.asks(NOW_MS + RIVAL_MS + 90, heard);
  assert.deepEqual(stage.asked, []);
});

test("who has the lane in the end came anew just then: it was never asked to tell its segment", () => {
  const stage = createStage();
  stage.asks(NOW_MS + RIVAL_MS, before, rival);
  const heard = { ...before, heardAtMs: NOW_MS + RIVAL_MS + 20 };
  stage.asked.length = 0;
  stage.away = [FIRST];
  stage.asks(NOW_MS + RIVAL_MS + 50, heard);
  stage.away = [];
  stage.asks(NOW_MS + RIVAL_MS + 90, heard);
  stage.asks(NOW_MS + RIVAL_MS + 120, heard);
  assert.deepEqual(stage.asked, ["lb-1 announcement"]);
});

test("the rival comes a second time: the holder is asked again", () => {
  const stage = createStage();
  stage.asks(NOW_MS + RIVAL_MS, before, rival);
  const later = { ...rival, sinceMs: NOW_MS + 60_000, heardAtMs: NOW_MS + 60_000 };
  const still = { ...before, heardAtMs: NOW_MS + 59_000 };
  stage.asks(NOW_MS + 1000, still);
  stage.asked.length = 0;
  stage.asks(NOW_MS + 60_000 + RIVAL_MS, still, later);
  assert.deepEqual(stage.asked, ["lb-1 answer"]);
});

test("both spoke at once, and one was told to give up: the other one's segment never heard of it", () => {
  const stage = createStage();
  const heard = { ...before, heardAtMs: NOW_MS + 100 };
  stage.asks(NOW_MS, before, rival);
  stage.told = [SECOND];
  assert.equal(stage.asks(NOW_MS + 100, heard, rival), RIVAL_MS - 100);
  assert.deepEqual(stage.asked, [], "it has just said what it has");
  stage.asks(NOW_MS + 200, heard);
  assert.deepEqual(stage.asked, ["lb-1 announcement"]);
});

test("an address came to the lane meanwhile: who has it in the end was not asked", () => {
  const stage = createStage();
  stage.asks(NOW_MS + RIVAL_MS, before, rival);
  const later = { ...rival, sinceMs: NOW_MS + 600, heardAtMs: NOW_MS + 600 };
  stage.asks(NOW_MS + 600, before, later);
  stage.asked.length = 0;
  stage.asks(NOW_MS + 700, before);
  assert.deepEqual(stage.asked, ["lb-1 announcement"]);
});

test("a slow store let the rival come anew unseen: the holder was not asked for that", () => {
  const stage = createStage();
  stage.asks(NOW_MS + RIVAL_MS, before, rival);
  const later = { ...rival, sinceMs: NOW_MS + 600, heardAtMs: NOW_MS + 600 };
  stage.asked.length = 0;
  stage.asks(NOW_MS + 600 + RIVAL_MS, before, later);
  assert.deepEqual(stage.asked, ["lb-1 answer"]);
});

test("the leader changed after one was told to give up: the next one asks who has it, once", () => {
  const stage = createStage();
  stage.told = [SECOND];
  stage.asks(NOW_MS);
  assert.deepEqual(stage.asked, [], "nobody has reported to it yet");
  stage.asks(NOW_MS + 50, before);
  stage.asks(NOW_MS + 90, before);
  assert.deepEqual(stage.asked, ["lb-1 announcement"]);
});
