// The loop while it stands by, when it comes to lead, and when its lead ends: two loops over one
// store in memory, with an election that is played by hand, on the fake clock.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { type AgentReport, type Claim, type NodePlan, assert as assertThat } from "@fairlead/model";
import { EdgeError, type FakeClock, createFakeClock, createLogger } from "@fairlead/runtime";
import {
  type MemoryMedium,
  createMemoryMedium,
  createMemoryStore,
  makeAgent,
  makeClaim,
  makePool,
  makeReport,
  makeRevisionOf,
} from "@fairlead/testkit";

import { type Cycle, createCycle } from "./cycle.ts";
import type { Fact } from "./facts.ts";
import type {
  Election,
  ElectionEvents,
  ElectionView,
  PlanDelivery,
  Publication,
  Store,
} from "./ports.ts";

const POOL = makePool("lan", "192.0.2.100-192.0.2.120", { quarantineMs: 60_000 });
const WEB = makeClaim("web");
const revisionOf = makeRevisionOf();
/** Longer than any first plan waits. */
const ROUND_MS = 2100;
/** After this long an election shows that another one leads. */
const NOTICES_MS = 3000;

type Delivered = Parameters<PlanDelivery["deliver"]>[0];

/** One controller with all that it said. */
interface Peer extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly cycle: Cycle;
  readonly delivered: Delivered[];
  readonly published: Publication[];
  /** What it told the streams and the publisher about the lead, and that before all else. */
  readonly told: string[];
  readonly toldAtStart: readonly string[];
  readonly failed: Error[];
  /** Its log. */
  readonly lines: string[];
  readonly commits: () => number;
  say(...facts: readonly Fact[]): void;
  lead(): Promise<void>;
  lose(): Promise<void>;
  /** What it sees of the lead from now on. */
  see(view: Omit<ElectionView, "leads">): void;
  /** Its time is over, and nobody has told it. */
  expire(): void;
}

interface PeerOptions {
  readonly medium: MemoryMedium;
  readonly claims?: readonly Claim[];
  /** Comes before the store is opened. */
  readonly opening?: () => void | Promise<void>;
  /** A commit has its answer when this has ended. */
  readonly answering?: () => Promise<void>;
}

async function makePeer({
  medium,
  claims = [WEB],
  opening = () => undefined,
  answering = () => Promise.resolve(),
}: PeerOptions): Promise<Peer> {
  const clock = createFakeClock();
  const delivered: Delivered[] = [];
  const published: Publication[] = [];
  const told: string[] = [];
  const failed: Error[] = [];
  const lines: string[] = [];
  let commits = 0;
  const memory = createMemoryStore({ medium });
  const store: Store = {
    ...memory,
    open: async () => {
      await opening();
      return await memory.open();
    },
    commit: async (...args) => {
      commits += 1;
      await answering();
      return await memory.commit(...args);
    },
  };
  const election = handPlayed();
  let emit: (facts: readonly Fact[]) => void = () => undefined;
  const cycle = createCycle({
    clock,
    log: createLogger({
      level: "info",
      format: "json",
      destination: { write: (line: string): unknown => lines.push(line) },
    }),
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: election.port,
    store,
    sources: [
      {
        name: "folder",
        start: (given) => {
          emit = given;
          const shown = claims.map((claim): Fact => seen(claim));
          emit([{ kind: "pool-seen", source: "folder", pool: POOL }, ...shown, listed(claims)]);
          return Promise.resolve();
        },
        [Symbol.asyncDispose]: () => Promise.resolve(),
      },
    ],
    delivery: {
      deliver: (wanted) => void delivered.push(wanted),
      setLead: (whose) => void told.push(`the lead is ${whose}`),
    },
    publishers: [
      {
        name: "recorder",
        publish: async (publication) => {
          await Promise.resolve();
          published.push(publication);
        },
        pause: () => void told.push("publisher pauses"),
      },
    ],
    revisionOf,
    onFenced: (epoch) => void failed.push(new Error(`fenced by ${epoch}`)),
    onFailed: (error) => void failed.push(error),
  });
  await cycle.start();
  const toldAtStart = told.splice(0);
  const settle = async (): Promise<void> => clock.advance(0);
  return {
    clock,
    cycle,
    delivered,
    published,
    told,
    toldAtStart,
    failed,
    lines,
    commits: () => commits,
    say: (...facts) => emit(facts),
    lead: async () => {
      election.lead();
      await settle();
    },
    lose: async () => {
      election.expire();
      election.lose();
      await settle();
    },
    see: (view) => election.see(view),
    expire: () => election.expire(),
    [Symbol.asyncDispose]: () => cycle[Symbol.asyncDispose](),
  };
}

interface HandPlayed {
  readonly port: Election;
  lead(): void;
  see(view: Omit<ElectionView, "leads">): void;
  expire(): void;
  lose(): void;
}

function handPlayed(): HandPlayed {
  let leads = false;
  let seenOf: Omit<ElectionView, "leads"> = { holder: "another" };
  let events: ElectionEvents | undefined;
  return {
    port: {
      identity: "me",
      noticesMs: NOTICES_MS,
      start: (given) => {
        events = given;
        return Promise.resolve();
      },
      view: () => (leads ? { leads, holder: "me" } : { leads, ...seenOf }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    lead: () => {
      leads = true;
      events?.onLead();
    },
    see: (view) => {
      seenOf = view;
      events?.onChange();
    },
    expire: () => {
      leads = false;
    },
    lose: () => events?.onLost(),
  };
}

suite("a controller that stands by", () => {
  test("knows what is asked for, and says and writes nothing", async () => {
    await using peer = await makePeer({ medium: createMemoryMedium() });
    await peer.clock.advance(10_000);
    assert.deepEqual([peer.delivered, peer.published, peer.commits()], [[], [], 0]);
    const { state, notReady, epoch, lead } = peer.cycle.view();
    assert.equal(state.claims.size, 1);
    assert.equal(notReady, undefined);
    assert.equal(epoch, 0);
    assert.deepEqual(lead, { leads: false, holder: "another" });
    assert.deepEqual([peer.toldAtStart, peer.told], [["publisher pauses"], []]);
  });

  test("says whose the lead is, and that it is nobody's only where it sees that", async () => {
    await using peer = await makePeer({ medium: createMemoryMedium() });
    peer.see({});
    peer.see({ trouble: "the server is away" });
    peer.see({});
    await peer.lead();
    peer.see({ holder: "me" });
    await peer.lose();
    assert.deepEqual(peer.told, [
      "the lead is nobodys",
      "the lead is anothers",
      "the lead is nobodys",
      "the lead is ours",
      "publisher pauses",
      "the lead is anothers",
    ]);
  });

  test("plans when it comes to lead, and stops when its lead ends", async () => {
    const medium = createMemoryMedium();
    await using peer = await makePeer({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.delivered.length, 1);
    assert.equal(peer.published.length, 1);
    await peer.lose();
    assert.deepEqual(peer.told, ["the lead is ours", "publisher pauses", "the lead is anothers"]);
    peer.say(seen(makeClaim("late")));
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.delivered.length, peer.published.length, peer.commits()], [1, 1, 1]);
    assert.equal(peer.cycle.view().plan, undefined);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.cycle.view().epoch, 2);
    assert.equal(peer.delivered.at(-1)?.leases.size, 2);
  });

  test("says nothing of claims when it loses the lead: they are asked for as before", async () => {
    await using peer = await makePeer({ medium: createMemoryMedium() });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    const ofClaims = (): readonly string[] =>
      peer.lines.filter((line) => line.includes('"claim":"default/web"'));
    assert.equal(ofClaims().length, 1);
    await peer.lose();
    await peer.clock.advance(ROUND_MS);
    assert.equal(ofClaims().length, 1);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(ofClaims().length, 2, "a leader says anew what it found");
  });

  test("whose time is over writes, delivers and publishes nothing, told or not", async () => {
    const medium = createMemoryMedium();
    await using peer = await makePeer({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    peer.expire();
    peer.say(seen(makeClaim("late")));
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.delivered.length, peer.published.length, peer.commits()], [1, 1, 1]);
    assert.equal(medium.leases.size, 1);
  });

  test("is not ended by a write of its lost lead that meets the next one", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const answering = (): Promise<void> => answered;
    await using peer = await makePeer({ medium: createMemoryMedium(), answering });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual([peer.commits(), peer.delivered.length], [1, 0], "the write is under way");
    await peer.lose();
    await peer.lead();
    answer();
    await peer.clock.advance(ROUND_MS);
    assert.deepEqual(peer.failed, []);
    assert.equal(peer.cycle.view().epoch, 2);
    assert.equal(peer.delivered.length, 1, "it leads on");
  });

  test("stands by when another one took its store before its election noticed", async () => {
    const medium = createMemoryMedium();
    await using peer = await makePeer({ medium });
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    await createMemoryStore({ medium }).open();
    peer.say(seen(makeClaim("late")));
    await peer.clock.advance(NOTICES_MS - 1);
    assert.equal(peer.cycle.view().notReady, "another controller took over");
    assert.deepEqual([peer.delivered.length, peer.published.length], [1, 1], "it says no more");
    await peer.lose();
    await peer.clock.advance(NOTICES_MS);
    assert.deepEqual(peer.failed, []);
    await peer.lead();
    await peer.clock.advance(ROUND_MS);
    assert.equal(peer.cycle.view().epoch, 3);
    assert.equal(peer.delivered.at(-1)?.leases.size, 2);
  });

  test("tries a store again that cannot be opened just now, and fails by one that never can", async () => {
    const troubles = [
      new EdgeError({ code: "UNREACHABLE", message: "away", retryable: true }),
      undefined,
      new EdgeError({ code: "CORRUPT", message: "damaged", retryable: false }),
    ];
    const opening = (): void => {
      const trouble = troubles.shift();
      if (trouble !== undefined) throw trouble;
    };
    await using peer = await makePeer({ medium: createMemoryMedium(), opening });
    await peer.lead();
    assert.equal(peer.cycle.view().notReady, "the store is not open");
    await peer.clock.advance(1000 + ROUND_MS);
    assert.equal(peer.delivered.length, 1);
    await peer.lose();
    await peer.lead();
    assert.deepEqual(
      peer.failed.map(({ message }) => message),
      ["damaged"],
    );
  });
});

suite("a successor", () => {
  test("takes agents before its store is open, and plans once it is", async () => {
    const medium = createMemoryMedium();
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    const opening = (): Promise<void> => opened;
    await using before = await makePeer({ medium });
    await using next = await makePeer({ medium, opening });
    await before.lead();
    await serve(before);
    const last = before.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    await before.lose();
    await next.lead();
    assert.deepEqual(next.told, ["the lead is ours"]);
    next.say(HELLO);
    next.say(reportOf(last));
    await next.clock.advance(60);
    assert.deepEqual([next.delivered.length, next.published.length], [0, 0], "nothing is read");
    const begunMs = next.clock.nowMs();
    open();
    await next.clock.advance(60);
    assert.ok(next.clock.nowMs() - begunMs < 100);
    assert.deepEqual(next.delivered[0]?.plans, last.plans);
    assert.equal(next.commits(), 0);
  });

  test("that loses before its store is open forgets the agents that came", async () => {
    const opening = (): Promise<void> => new Promise(() => undefined);
    await using peer = await makePeer({ medium: createMemoryMedium(), opening });
    await peer.lead();
    peer.say(HELLO);
    assert.equal(peer.cycle.view().state.agents.size, 1);
    await peer.lose();
    assert.equal(peer.cycle.view().state.agents.size, 0);
    assert.deepEqual(peer.told, ["the lead is ours", "publisher pauses", "the lead is anothers"]);
  });

  test("waits for the report of an agent that is here, and not as long for one that is not", async () => {
    const medium = createMemoryMedium();
    await using before = await makePeer({ medium });
    await before.lead();
    await serve(before);
    await before.lose();
    await using absent = await makePeer({ medium });
    await absent.lead();
    await absent.clock.advance(2100);
    assert.equal(absent.delivered.length, 1);
    await absent.lose();
    await using silent = await makePeer({ medium });
    await silent.lead();
    silent.say(HELLO);
    await silent.clock.advance(4900);
    assert.equal(silent.delivered.length, 0, "its report is on its way");
    await silent.clock.advance(200);
    assert.equal(silent.delivered.length, 1);
  });

  test("says and writes the same where nothing changed, as soon as the agents have spoken", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [await makePeer({ medium }), await makePeer({ medium })];
    await before.lead();
    await serve(before);
    const last = before.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    await before.lose();
    await next.lead();
    const begunMs = next.clock.nowMs();
    next.say(HELLO);
    await next.clock.advance(50);
    assert.equal(next.delivered.length, 0, "the agent has not said what it has");
    next.say(reportOf(last));
    await next.clock.advance(100);
    assert.ok(next.clock.nowMs() - begunMs < 200);
    const [first] = next.delivered;
    assert.deepEqual(first?.plans, last.plans);
    assert.equal(first?.epoch, 2);
    assert.equal(next.commits(), 0);
    assert.deepEqual(next.published[0]?.verdicts, before.published.at(-1)?.verdicts);
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });

  test("releases at once what it saw end while it stood by", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [await makePeer({ medium }), await makePeer({ medium })];
    await before.lead();
    await before.clock.advance(ROUND_MS);
    await before.lose();
    const { id, uid } = WEB;
    next.say({ kind: "claim-gone", source: "folder", id, uid, how: "seen-deleted" });
    await next.lead();
    await next.clock.advance(ROUND_MS);
    assert.deepEqual(
      [...medium.leases.values()].map(({ owners, state }) => [owners.length, state.kind]),
      [[0, "quarantined"]],
    );
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });

  test("keeps for a while what it never saw: its view of the cluster may be late", async () => {
    const medium = createMemoryMedium();
    const [before, next] = [await makePeer({ medium }), await makePeer({ medium, claims: [] })];
    await before.lead();
    await before.clock.advance(ROUND_MS);
    await before.lose();
    await next.lead();
    await next.clock.advance(ROUND_MS);
    const owners = (): number => [...medium.leases.values()].flatMap((row) => row.owners).length;
    assert.equal(owners(), 1);
    next.say(listed([]));
    await next.clock.advance(31_000);
    assert.equal(owners(), 1, "one list alone decides nothing");
    next.say(listed([]));
    await next.clock.advance(100);
    assert.equal(owners(), 0);
    await before[Symbol.asyncDispose]();
    await next[Symbol.asyncDispose]();
  });
});

const AGENT = makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] });
const HELLO: Fact = { kind: "agent-hello", atMs: 0, hello: AGENT.hello };

/** An agent comes and serves all that it is told. */
async function serve(peer: Peer): Promise<void> {
  peer.say(HELLO);
  await peer.clock.advance(ROUND_MS);
  for (let round = 0; round < 3; round += 1) {
    const last = peer.delivered.at(-1);
    assertThat(last !== undefined, "it delivered");
    peer.say(reportOf(last));
    await peer.clock.advance(1000);
  }
}

function reportOf({ plans }: Delivered): Fact {
  const plan = [...plans.values()].find((one: NodePlan) => one.agent === AGENT.name);
  assertThat(plan !== undefined, "the agent has a plan");
  const proved = makeReport(plan, () => true, revisionOf);
  const report: AgentReport = { ...proved, links: AGENT.hello.links };
  return { kind: "agent-report", atMs: 0, report };
}

function seen(claim: Claim): Fact {
  return { kind: "claim-seen", source: "folder", claim };
}

function listed(claims: readonly Claim[]): Fact {
  const ids = new Set(claims.map(({ id }) => id));
  return {
    kind: "source-listed",
    source: "folder",
    atMs: 0,
    claims: ids,
    pools: new Set([POOL.name]),
  };
}
