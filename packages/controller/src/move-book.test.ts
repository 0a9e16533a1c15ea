// The book of moves: from whom to whom, why, with which gap, and whether somebody asked for it; and
// what a scrape says of the gaps.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentView, type Intent, type Plan, present, type World } from "@fairlead/model";
import { createPlanMemory, plan } from "@fairlead/planner";
import {
  address,
  agentName,
  makeAgents,
  makeClaim,
  makeCycleView,
  makePool,
  makeRevisionOf,
  makeWithdrawn,
  makeWorld,
  nextWorld,
  proveAll,
  withHearing,
} from "@fairlead/testkit";

import { createControllerMetrics } from "./metrics.ts";
import { type MoveBook, type MoveRecord, NO_MOVES, trackMoves } from "./move-book.ts";

const revisionOf = makeRevisionOf();
const VIP = address("192.0.2.100");

/** One address, its loop as far as the book is concerned. */
class Loop {
  world: World;
  last: Plan | undefined;
  book: MoveBook = NO_MOVES;
  /** What was accounted for, turn by turn. */
  readonly told: (readonly MoveRecord[])[] = [];
  readonly #memory = createPlanMemory();

  constructor() {
    const pools = [makePool("lan", "192.0.2.100")];
    this.world = makeWorld({ claims: [makeClaim("web")], pools, agents: makeAgents(3) });
    this.turn();
    this.turn(proveAll(this.world, this.planned()));
  }

  planned(): Plan {
    assert.ok(this.last !== undefined);
    return this.last;
  }

  /** Plans with these agents and intents, and notes what moved. */
  turn(agents?: readonly AgentView[], intents?: readonly Intent[]): void {
    if (this.last !== undefined) {
      this.world = nextWorld(this.world, this.last, {
        nowMs: this.world.nowMs + 1000,
        ...(agents === undefined ? {} : { agents }),
        ...(intents === undefined ? {} : { intents }),
      });
    }
    const { world } = this;
    const now = plan(world, { revisionOf, memory: this.#memory });
    this.book = trackMoves(this.book, { before: this.last, now, world });
    this.told.push(this.book.latest);
    this.last = now;
  }

  /** All agents but the dead ones do what the plan says; who lost it says so at this time. */
  answer(dead: readonly string[] = [], lostMs?: number): void {
    const before = this.world.agents;
    const { nowMs: atMs } = this.world;
    const proved = proveAll(this.world, this.planned(), { dead, atMs });
    this.turn(
      proved.map((agent): AgentView => {
        const had = before.get(agent.name)?.heldSinceMs.has(VIP) === true;
        const isLost = had && agent.connected && !agent.heldSinceMs.has(VIP);
        if (!isLost || lostMs === undefined) return agent;
        return { ...agent, lostAtMs: new Map([[VIP, lostMs]]) };
      }),
    );
  }

  order(): readonly AgentView["name"][] {
    const [lane] = this.planned().lanes.values();
    return lane?.order ?? [];
  }
}

test("a failover is no plan of ours, and its gap is at most what passed since the last word", () => {
  const loop = new Loop();
  const [first = "", second] = loop.order();
  assert.deepEqual(loop.book.moves.size, 0);
  loop.answer([first]);
  const [record] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual(loop.book.latest, [record]);
  assert.deepEqual(
    [record?.from, record?.to, record?.isPlanned, record?.why],
    [first, second, false, `${first} is out of reach`],
  );
  assert.deepEqual([record?.gapMs, record?.isGapAtMost], [1000, true]);
});

test("of a dead holder its successor tells the gap: it was said to be as long as the last word is ago", () => {
  const loop = new Loop();
  const { first } = takeOver(loop);
  const [move] = loop.book.moves.get(VIP) ?? [];
  assert.ok(move !== undefined);
  const { report } = loop.world.agents.get(move.to) ?? {};
  assert.ok(report !== undefined);
  const lanes = report.lanes.map((one) => ({ ...one, silenceMs: 342 }));
  loop.turn(knownAs(loop, move.to, { report: { ...report, lanes } }));
  assert.equal(loop.book.moves.get(VIP)?.[0]?.isOpen, true, "it may have it yet");
  loop.turn(knownAs(loop, first, { connected: false, disconnectedAtMs: loop.world.nowMs }));
  const [record] = loop.book.latest;
  assert.deepEqual(
    [record?.gapMs, record?.isGapAtMost, record?.why],
    [342, undefined, `${first} is out of reach`],
  );
});

test("of a host that broke its stream as it died the gap was told before its successor could tell", () => {
  const loop = new Loop();
  const [first = ""] = loop.order();
  loop.turn(whoHear(loop));
  loop.answer([first]);
  const [open] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual([open?.gapMs, open?.isOpen], [undefined, true]);
  assert.ok(open !== undefined);
  const { report, heardAtMs } = loop.world.agents.get(open.to) ?? {};
  assert.ok(report !== undefined && heardAtMs !== undefined);
  const lanes = report.lanes.map((one) => ({ ...one, silenceMs: 342 }));
  loop.turn(knownAs(loop, open.to, { report: { ...report, lanes } }));
  assert.deepEqual(
    [loop.book.latest[0]?.gapMs, loop.book.latest[0]?.isGapAtMost],
    [342, undefined],
  );
});

test("a host that cannot tell what it heard leaves the gap as a bound", () => {
  const loop = new Loop();
  const [first = ""] = loop.order();
  loop.turn(whoHear(loop));
  loop.answer([first]);
  const [open] = loop.book.moves.get(VIP) ?? [];
  assert.ok(open?.isOpen);
  const heardAtMs = (loop.world.agents.get(open.to)?.heardAtMs ?? 0) + 3000;
  loop.turn(knownAs(loop, open.to, { heardAtMs }));
  assert.deepEqual([loop.book.latest[0]?.gapMs, loop.book.latest[0]?.isGapAtMost], [2000, true]);
});

test("a drain is named as what moved an address, with the time between two words", () => {
  const loop = new Loop();
  const [first = "", second] = loop.order();
  const { nowMs: sinceMs } = loop.world;
  const agent = agentName(first);
  loop.turn(undefined, [{ id: "drain", sinceMs, kind: "drain", agent }]);
  const { nowMs } = loop.world;
  loop.answer([], nowMs - 12);
  const [record] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual(
    [record?.to, record?.isPlanned, record?.why, record?.gapMs, record?.isGapAtMost],
    [second, true, `${first} is drained`, 12, undefined],
  );
});

/**
 * The first host is drained; of the second one it is heard at first what `heard` makes of it, and
 * then that it has the address. The move is told then, and as the drain's.
 */
function drained(heard: (proved: AgentView, loop: Loop) => AgentView): {
  readonly loop: Loop;
  readonly second: string;
} {
  const loop = new Loop();
  const [first = "", second = ""] = loop.order();
  const { nowMs: sinceMs } = loop.world;
  loop.turn(undefined, [{ id: "drain", sinceMs, kind: "drain", agent: agentName(first) }]);
  const proved = proveAll(loop.world, loop.planned());
  loop.turn(proved.map((agent) => (agent.name === second ? heard(agent, loop) : agent)));
  assert.deepEqual(loop.book.moves.size, 0);
  loop.turn(proved);
  const [record] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual(
    [record?.to, record?.isPlanned, record?.why],
    [second, true, `${first} is drained`],
  );
  return { loop, second };
}

test("a move was told as unplanned where the lane was heard to be there before its addresses", () => {
  const { loop, second } = drained((agent) => withoutVips(agent));
  loop.turn(undefined, []);
  loop.answer([second]);
  assert.equal(loop.book.latest[0]?.isPlanned, false, "a failover after it is none of ours");
});

test("a drain was told as unplanned where its host was heard to give up before the next had it", () => {
  drained(({ name }, { world }) => present(world.agents.get(name), `${name} is known`));
});

/** As keepalived has it for a moment: the lane's anchor is there, and its addresses follow. */
function withoutVips(agent: AgentView): AgentView {
  const { report } = agent;
  if (report === undefined) return agent;
  const others = [...report.resources].filter(([name]) => !name.startsWith("vip/"));
  return { ...agent, heldSinceMs: new Map(), report: { ...report, resources: new Map(others) } };
}

/** The next in order has the address, and the first has not spoken since. */
function takeOver(loop: Loop): { readonly first: AgentView["name"]; readonly heldMs: number } {
  const [first = agentName("lb-1")] = loop.order();
  const silent = loop.world.agents.get(first);
  assert.ok(silent !== undefined);
  const { nowMs: heldMs } = loop.world;
  const agents = proveAll(loop.world, loop.planned(), { dead: [first], atMs: heldMs });
  loop.turn(agents.map((agent) => (agent.name === first ? silent : agent)));
  return { first, heldMs };
}

/** All agents, as such that can tell what they hear. */
function whoHear(loop: Loop): AgentView[] {
  return Array.from(loop.world.agents.values(), withHearing);
}

/** The agent as it is known after some word, or none. */
function knownAs(loop: Loop, name: AgentView["name"], now: Partial<AgentView>): AgentView[] {
  return Array.from(loop.world.agents.values(), (agent) =>
    agent.name === name ? { ...agent, ...now } : agent,
  );
}

test("the gap of a silent death was said to be measured, 0 ms: the winner spoke first", () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  const [open] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual(
    [open?.from, open?.gapMs, open?.isOpen, open?.why],
    [first, undefined, true, `${first} did not speak of it yet`],
  );
  assert.deepEqual(loop.book.latest, [], "no gap is counted before it is known");
  loop.turn();
  assert.equal(loop.book.moves.get(VIP)?.[0]?.isOpen, true);

  const lastMs = loop.world.agents.get(first)?.heardAtMs ?? 0;
  assert.ok(lastMs < heldMs);
  loop.turn(knownAs(loop, first, { connected: false, disconnectedAtMs: heldMs + 2000 }));
  const [record, ...others] = loop.book.moves.get(VIP) ?? [];
  assert.deepEqual(loop.book.latest, [record]);
  assert.deepEqual(
    [record?.gapMs, record?.isGapAtMost, record?.isOpen, record?.why, others],
    [heldMs - lastMs, true, undefined, `${first} is out of reach`, []],
  );
  loop.turn();
  assert.deepEqual(loop.book.latest, [], "and it is counted once");
});

test("a winner that spoke first has a gap of 0 as soon as the loser says that it gave it up", () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  const lostAtMs = new Map([[VIP, heldMs + 20]]);
  loop.turn(knownAs(loop, first, { heardAtMs: heldMs + 20, heldSinceMs: new Map(), lostAtMs }));
  const [record] = loop.book.latest;
  assert.deepEqual(
    [record?.gapMs, record?.isGapAtMost, record?.why],
    [0, undefined, `${first} gave it up`],
  );
});

test("a move away from a withdrawn agent has a gap of its word, and says who wanted it", () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  const lostMs = heldMs - 80;
  const left = makeWithdrawn(present(loop.world.agents.get(first), "it is known"), lostMs);
  loop.turn(knownAs(loop, first, left));
  const [record] = loop.book.latest;
  assert.deepEqual(
    [record?.gapMs, record?.isGapAtMost, record?.why],
    [80, undefined, `${first} was withdrawn by its operator`],
  );
});

test("of one whose cable was back before its stream broke the gap is a bound too", () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  const lastMs = loop.world.agents.get(first)?.heardAtMs ?? 0;
  const backMs = heldMs + 1500;
  const lostAtMs = new Map([[VIP, backMs]]);
  loop.turn(knownAs(loop, first, { heardAtMs: backMs, heldSinceMs: new Map(), lostAtMs }));
  const [record] = loop.book.latest;
  assert.deepEqual([record?.gapMs, record?.isGapAtMost], [heldMs - lastMs, true]);
});

test("of one whose cable was back its successor tells the gap: it was said to be as long as its silence", () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  const [open] = loop.book.moves.get(VIP) ?? [];
  assert.ok(open !== undefined);
  const { report } = loop.world.agents.get(open.to) ?? {};
  assert.ok(report !== undefined);
  const lanes = report.lanes.map((one) => ({ ...one, silenceMs: 342 }));
  loop.turn(knownAs(loop, open.to, { report: { ...report, lanes } }));
  const backMs = heldMs + 1500;
  const lostAtMs = new Map([[VIP, backMs]]);
  loop.turn(knownAs(loop, first, { heardAtMs: backMs, heldSinceMs: new Map(), lostAtMs }));
  const [record] = loop.book.latest;
  assert.deepEqual(
    [record?.gapMs, record?.isGapAtMost, record?.why],
    [342, undefined, `${first} gave it up`],
  );
});

test("who had an address by the store was kept for the whole lead, though its holder is seen", () => {
  const loop = new Loop();
  loop.turn();
  const { agents } = loop.world;
  const successor = new Loop();
  successor.world = { ...loop.world, agents: new Map() };
  successor.last = undefined;
  successor.book = NO_MOVES;
  successor.turn();
  assert.deepEqual(Array.from(successor.book.stored.keys()), [VIP]);
  successor.turn(Array.from(agents.values()));
  assert.deepEqual(successor.book.stored, new Map());
  assert.deepEqual(successor.book.holders, loop.book.holders);
});

test("five moves of an address are kept, and none of one that is free", () => {
  const loop = new Loop();
  for (let count = 0; count < 7; count += 1) {
    const [lane] = loop.last?.lanes.values() ?? [];
    const to = loop.order()[1];
    assert.ok(lane !== undefined && to !== undefined);
    const { nowMs: sinceMs } = loop.world;
    loop.turn(undefined, [{ id: `m${count}`, sinceMs, kind: "move", lane: lane.id, to }]);
    loop.answer();
  }
  const kept = loop.book.moves.get(VIP) ?? [];
  assert.equal(kept.length, 5);
  assert.ok(kept.every(({ isPlanned, why }) => isPlanned && why === "moved by an operator"));
  loop.world = { ...loop.world, claims: new Map() };
  loop.turn();
  loop.answer();
  loop.world = { ...loop.world, nowMs: loop.world.nowMs + 120_000 };
  loop.turn();
  loop.turn();
  assert.equal(loop.last?.leases.size, 0);
  assert.equal(loop.book.moves.size, 0);
  assert.equal(loop.book.holders.size, 0);
});

/** What a scrape says of gaps after all these turns, without buckets that have none. */
async function scrapedGaps(loop: Loop): Promise<readonly string[]> {
  return (await scraped(loop, "fairlead_vip_move_gap_seconds_")).filter(
    (line) => !line.endsWith(" 0"),
  );
}

/** And of moves, by cause. */
async function scrapedMoves(loop: Loop): Promise<readonly string[]> {
  const lines = await scraped(loop, "fairlead_vip_moves_total");
  return lines.map((line) => line.replace(/^\{cause="(\w+)"\}/u, "$1"));
}

async function scraped({ told, world, last }: Loop, prefix: string): Promise<readonly string[]> {
  const measured = createControllerMetrics({
    version: "0",
    view: () => makeCycleView(world, last),
    syncState: () => "in-sync",
  });
  using metrics = measured.metrics;
  for (const moves of told) measured.moved(moves);
  const page = await metrics.registry.metrics();
  return page
    .split("\n")
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length));
}

test("a failover's gap is counted as unplanned, by the bound that is known of it", async () => {
  const loop = new Loop();
  assert.deepEqual(await scrapedGaps(loop), [], "who is the first to have it has moved nothing");
  loop.answer(loop.order().slice(0, 1));
  loop.turn();
  const labels = 'cause="unplanned",gap="at-most"';
  assert.deepEqual(await scrapedGaps(loop), [
    ...["1", "3", "10", "30", "+Inf"].map((le) => `bucket{le="${le}",${labels}} 1`),
    `sum{${labels}} 1`,
    `count{${labels}} 1`,
  ]);
});

test("a drain's gap is counted as planned and measured, and a failover beside it", async () => {
  const loop = new Loop();
  const [first = "", second = ""] = loop.order();
  const { nowMs: sinceMs } = loop.world;
  const drain: Intent = { id: "drain", sinceMs, kind: "drain", agent: agentName(first) };
  loop.turn(undefined, [drain]);
  loop.answer([], loop.world.nowMs - 12);
  loop.turn(undefined, []);
  loop.answer([second]);
  const gaps = await scrapedGaps(loop);
  assert.equal(gaps[0], 'bucket{le="0.03",cause="planned",gap="measured"} 1');
  assert.deepEqual(
    gaps.filter((line) => !line.startsWith("bucket")),
    [
      'sum{cause="planned",gap="measured"} 0.012',
      'count{cause="planned",gap="measured"} 1',
      // Two turns since its last word, of a second each.
      'sum{cause="unplanned",gap="at-most"} 2',
      'count{cause="unplanned",gap="at-most"} 1',
    ],
  );
});

test("the gap of a silent death is counted once, and not before it is known", async () => {
  const loop = new Loop();
  const { first, heldMs } = takeOver(loop);
  loop.turn();
  assert.deepEqual(await scrapedGaps(loop), []);
  const lastMs = loop.world.agents.get(first)?.heardAtMs ?? 0;
  loop.turn(knownAs(loop, first, { connected: false, disconnectedAtMs: heldMs + 2000 }));
  loop.turn();
  const labels = 'cause="unplanned",gap="at-most"';
  assert.deepEqual((await scrapedGaps(loop)).slice(-2), [
    `sum{${labels}} ${(heldMs - lastMs) / 1000}`,
    `count{${labels}} 1`,
  ]);
});

test("a move of which no gap is known is not counted as one without a gap", async () => {
  const loop = new Loop();
  const { first } = takeOver(loop);
  const others = [...loop.world.agents.values()].filter(({ name }) => name !== first);
  loop.turn(others);
  assert.deepEqual([loop.book.latest.length, loop.book.latest[0]?.gapMs], [1, undefined]);
  assert.deepEqual(await scrapedGaps(loop), []);
});

test("a move that was overtaken before its gap was known was never counted", async () => {
  const loop = new Loop();
  const { first } = takeOver(loop);
  const second = loop.book.moves.get(VIP)?.[0]?.to;
  assert.ok(second !== undefined);
  loop.answer([first, second]);
  const [last, overtaken] = loop.book.latest.toReversed();
  assert.deepEqual(
    [overtaken?.from, overtaken?.to, overtaken?.gapMs, overtaken?.isOpen],
    [first, second, undefined, undefined],
  );
  assert.equal(last?.from, second);
  loop.turn();
  assert.deepEqual(loop.book.latest, [], "each is told once");
  assert.deepEqual(await scrapedMoves(loop), ["planned 0", "unplanned 2"]);
  const counts = (await scrapedGaps(loop)).filter((line) => line.startsWith("count"));
  assert.deepEqual(counts, ['count{cause="unplanned",gap="at-most"} 1']);
});

test("a move whose address was freed before its gap was known was never counted", () => {
  const loop = new Loop();
  const { first } = takeOver(loop);
  assert.deepEqual(loop.book.latest, []);
  const { world, last } = loop;
  assert.ok(last !== undefined);
  const now = { ...last, verdicts: new Map(), leases: new Map() };
  const book = trackMoves(loop.book, { before: last, now, world });
  assert.deepEqual(
    book.latest.map(({ from, gapMs, isOpen }) => [from, gapMs, isOpen]),
    [[first, undefined, undefined]],
  );
});
