// The loop with a store in memory, sources and agents played by hand, on the fake clock.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import {
  type AddressPool,
  type AgentReport,
  type Claim,
  type NodePlan,
  type Plan,
  assert as assertThat,
} from "@fairlead/model";
import {
  EdgeError,
  type FakeClock,
  type Logger,
  createFakeClock,
  createLogger,
} from "@fairlead/runtime";
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
import { createSoleElection } from "./election/sole-election.ts";
import type { Fact } from "./facts.ts";
import type { PlanDelivery, Publication, Publisher, Source } from "./ports.ts";

const POOL: AddressPool = makePool("lan", "192.0.2.100-192.0.2.102", { quarantineMs: 60_000 });
const revisionOf = makeRevisionOf();

type Delivered = Parameters<PlanDelivery["deliver"]>[0];

interface Stage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly cycle: Cycle;
  readonly medium: MemoryMedium;
  readonly delivered: Delivered[];
  readonly published: Publication[];
  readonly fencedBy: number[];
  readonly disk: { isFull: boolean };
  /** What the source says, from `start` on. */
  say(...facts: readonly Fact[]): void;
  /** A claim's line: `pending 192.0.2.100 NoAgents`. */
  line(title: string): string | undefined;
}

interface StageOptions {
  readonly medium?: MemoryMedium;
  /** What the source shows at its start. */
  readonly claims?: readonly Claim[];
  readonly publisher?: Publisher;
  readonly log?: Logger;
}

async function makeStage(options: StageOptions = {}): Promise<Stage> {
  const { medium = createMemoryMedium(), claims = [] } = options;
  const clock = createFakeClock();
  const delivered: Delivered[] = [];
  const published: Publication[] = [];
  const fencedBy: number[] = [];
  const disk = { isFull: false };
  let emit: (facts: readonly Fact[]) => void = () => undefined;
  const source: Source = {
    name: "folder",
    start: async (given) => {
      emit = given;
      await Promise.resolve();
      emit([
        { kind: "pool-seen", source: "folder", pool: POOL },
        ...claims.map((claim): Fact => ({ kind: "claim-seen", source: "folder", claim })),
        listed(claims),
      ]);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const recorder: Publisher = {
    name: "recorder",
    publish: async (publication) => {
      await Promise.resolve();
      published.push(publication);
    },
  };
  const cycle = createCycle({
    clock,
    log: options.log ?? createLogger({ level: "silent", format: "text" }),
    settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
    election: createSoleElection("test"),
    store: createMemoryStore({ medium, failing: () => disk.isFull }),
    sources: [source],
    delivery: { deliver: (wanted) => void delivered.push(wanted) },
    publishers: options.publisher === undefined ? [recorder] : [options.publisher, recorder],
    revisionOf,
    onFenced: (epoch) => void fencedBy.push(epoch),
    onFailed: (error) => assert.fail(error),
  });
  return {
    clock,
    cycle,
    medium,
    delivered,
    published,
    fencedBy,
    disk,
    say: (...facts) => emit(facts),
    line: (title) => {
      const verdict = [...(cycle.view().plan?.verdicts.values() ?? [])].find(
        ({ claim }) => claim === `service/default/${title}`,
      );
      if (verdict === undefined) return undefined;
      const addresses = verdict.addresses.map(({ address }) => address);
      return [verdict.state, ...addresses, verdict.main?.reason ?? ""].join(" ").trim();
    },
    [Symbol.asyncDispose]: () => cycle[Symbol.asyncDispose](),
  };
}

function listed(claims: readonly Claim[]): Fact {
  return {
    kind: "source-listed",
    source: "folder",
    atMs: 0,
    claims: new Set(claims.map(({ id }) => id)),
    pools: new Set([POOL.name]),
  };
}

const shown = (claim: Claim): Fact => ({ kind: "claim-seen", source: "folder", claim });

function hello(name: string, octet: number): Fact {
  const view = makeAgent(name, { prefixes: [`192.0.2.${octet}/24`] });
  return { kind: "agent-hello", atMs: 0, hello: view.hello };
}

/** The agent proves all of its newest plan, and holds every VIP of it. */
function proves(stage: Stage, name: string): Fact {
  const wanted = stage.delivered.at(-1)?.plans;
  const plan = [...(wanted?.values() ?? [])].find((one: NodePlan) => one.agent === name);
  assertThat(plan !== undefined, "the agent has a plan");
  const report: AgentReport = { ...makeReport(plan, () => true, revisionOf), links: LINKS };
  return { kind: "agent-report", atMs: 0, report };
}

const LINKS: AgentReport["links"] = makeAgent("a", { prefixes: ["192.0.2.11/24"] }).hello.links;

/** Long enough for the first plan without agents, and for a burst to go round. */
const ROUND_MS = 2100;

suite("the start", () => {
  test("plans nothing before the store is open and every source has listed", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    assert.equal(stage.cycle.view().notReady, "the store is not open");
    await stage.cycle.start();
    assert.equal(stage.delivered.length, 0);
    assert.match(stage.cycle.view().notReady ?? "", /waiting for agents/);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.equal(stage.line("web"), "pending 192.0.2.100 NoAgents");
  });

  test("waits a moment for other agents after the first one's hello", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([hello("lb-1", 11)]);
    await stage.clock.advance(400);
    stage.cycle.emit([hello("lb-2", 12)]);
    await stage.clock.advance(400);
    assert.equal(stage.delivered.length, 0);
    await stage.clock.advance(200);
    assert.equal(stage.delivered.length, 1);
    assert.equal(stage.delivered[0]?.plans.size, 2);
  });

  test("plans at the latest two seconds later, however many agents trickle in", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    for (let second = 0; second < 7; second += 1) {
      stage.cycle.emit([hello(`lb-${second}`, 11 + second)]);
      await stage.clock.advance(300);
    }
    assert.ok(stage.delivered.length > 0);
  });

  test("fails with the store's error, and touches no source then", async () => {
    const error = new EdgeError({ code: "BUSY", message: "taken", retryable: false });
    let started = false;
    const cycle = createCycle({
      clock: createFakeClock(),
      log: createLogger({ level: "silent", format: "text" }),
      settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
      election: createSoleElection("test"),
      store: {
        ...createMemoryStore({ medium: createMemoryMedium() }),
        open: () => Promise.reject(error),
      },
      sources: [
        {
          name: "folder",
          start: () => Promise.resolve(void (started = true)),
          [Symbol.asyncDispose]: () => Promise.resolve(),
        },
      ],
      delivery: { deliver: () => undefined },
      publishers: [],
      revisionOf,
      onFailed: () => assert.fail("it fails by its start"),
      onFenced: () => undefined,
    });
    await assert.rejects(cycle.start(), error);
    assert.equal(started, false);
  });
});

suite("one turn of the ring", () => {
  test("a Service is leased, stored, sent, proved and published", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([hello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.line("web"), "pending 192.0.2.100 WaitingForAgent");
    assert.deepEqual(
      [...stage.medium.leases.values()].map(({ sentTo }) => sentTo),
      [["a"]],
    );
    stage.cycle.emit([proves(stage, "a")]);
    await stage.clock.advance(100);
    assert.equal(stage.line("web"), "ready 192.0.2.100");
    const verdicts = [...(stage.published.at(-1)?.verdicts.values() ?? [])];
    assert.equal(verdicts[0]?.addresses[0]?.published, true);
    assert.equal([...stage.medium.leases.values()][0]?.published, true);
  });

  test("a burst of changes makes one plan", async () => {
    await using stage = await makeStage();
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    const before = stage.cycle.view().cycles;
    for (let index = 0; index < 3; index += 1) {
      stage.say(shown(makeClaim(`web-${index}`)));
      await stage.clock.advance(1);
    }
    await stage.clock.advance(100);
    assert.equal(stage.cycle.view().cycles, before + 1);
  });

  test("nothing happens while nothing changes", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([hello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    // The second proof is of the plan that follows from the first: the lane is settled by then.
    for (let round = 0; round < 2; round += 1) {
      stage.cycle.emit([proves(stage, "a")]);
      await stage.clock.advance(1000);
    }
    const { cycles } = stage.cycle.view();
    const rows = structuredClone(stage.medium.leases);
    for (let round = 0; round < 60; round += 1) {
      stage.say(listed([makeClaim("web")]), shown(makeClaim("web")));
      stage.cycle.emit([proves(stage, "a")]);
      await stage.clock.advance(10_000);
    }
    assert.equal(stage.cycle.view().cycles, cycles);
    assert.deepEqual(stage.medium.leases, rows);
    assert.equal(stage.clock.pendingTimers(), 0);
  });

  test("time alone ends a quarantine", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    const { id, uid } = makeClaim("web");
    stage.say({ kind: "claim-gone", source: "folder", id, uid, how: "seen-deleted" });
    await stage.clock.advance(100);
    assert.deepEqual(
      [...stage.medium.leases.values()].map(({ state }) => state.kind),
      ["quarantined"],
    );
    await stage.clock.advance(61_000);
    assert.equal(stage.medium.leases.size, 0);
  });
});

suite("a restarted controller", () => {
  test("gives every Service the address that it had", async () => {
    const medium = createMemoryMedium();
    const [a, b] = [makeClaim("a"), makeClaim("b")];
    {
      await using first = await makeStage({ medium, claims: [b] });
      await first.cycle.start();
      await first.clock.advance(ROUND_MS);
      assert.equal(first.line("b"), "pending 192.0.2.100 NoAgents");
    }
    await using second = await makeStage({ medium, claims: [a, b] });
    await second.cycle.start();
    await second.clock.advance(ROUND_MS);
    assert.equal(second.line("b"), "pending 192.0.2.100 NoAgents");
    assert.equal(second.line("a"), "pending 192.0.2.101 NoAgents");
    assert.equal(second.cycle.view().epoch, 2);
  });

  test("with an emptied source keeps all leases until a second list agrees", async () => {
    const medium = createMemoryMedium();
    {
      await using first = await makeStage({ medium, claims: [makeClaim("web")] });
      await first.cycle.start();
      await first.clock.advance(ROUND_MS);
    }
    await using second = await makeStage({ medium, claims: [] });
    await second.cycle.start();
    await second.clock.advance(ROUND_MS);
    const kinds = (): readonly string[] => [...medium.leases.values()].map((row) => row.state.kind);
    assert.deepEqual(kinds(), ["held"]);
    await second.clock.advance(20_000);
    second.say(listed([]));
    await second.clock.advance(100);
    assert.deepEqual(kinds(), ["held"]);
    await second.clock.advance(20_000);
    second.say(listed([]));
    await second.clock.advance(100);
    assert.deepEqual(kinds(), ["quarantined"]);
  });
});

suite("a store that was lost", () => {
  const obeyed = (name: string, octet: number, epoch: number): Fact => {
    const fact = hello(name, octet);
    assertThat(fact.kind === "agent-hello", "it is a hello");
    return { ...fact, hello: { ...fact.hello, epoch } };
  };

  test("plans carry an epoch above all that agents obeyed, durably", async () => {
    await using stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([obeyed("a", 11, 41), obeyed("b", 12, 7)]);
    await stage.clock.advance(4900);
    assert.equal(stage.delivered.length, 0, "agents alone know what the store knew");
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.delivered.at(-1)?.epoch, 42);
    assert.equal(stage.medium.epoch, 42);
    assert.equal(stage.cycle.view().epoch, 42);
    stage.cycle.emit([obeyed("c", 13, 50)]);
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.delivered.at(-1)?.epoch, 51);
    assert.deepEqual(stage.fencedBy, []);
  });
});

suite("a store that cannot be written", () => {
  test("keeps what is new from being shown, and is tried again", async () => {
    await using stage = await makeStage();
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    stage.disk.isFull = true;
    stage.say(shown(makeClaim("web")));
    await stage.clock.advance(3000);
    assert.equal(stage.delivered.at(-1)?.leases.size, 0);
    assert.equal(stage.line("web"), undefined);
    assert.match(stage.cycle.view().notReady ?? "", /the disk is full/);
    const findings = stage.published.at(-1)?.findings.map(({ reason }) => reason);
    assert.deepEqual(findings, ["StoreUnavailable"]);
    stage.disk.isFull = false;
    await stage.clock.advance(1100);
    assert.equal(stage.line("web"), "pending 192.0.2.100 NoAgents");
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.deepEqual(stage.published.at(-1)?.findings, []);
  });
});

suite("while a new Service waits for a full disk", () => {
  const isWebServed = (stage: Stage): boolean => stage.line("web") === "ready 192.0.2.100";

  async function makeServed(): Promise<Stage> {
    const stage = await makeStage({ claims: [makeClaim("web")] });
    await stage.cycle.start();
    stage.cycle.emit([hello("a", 11)]);
    await stage.clock.advance(ROUND_MS);
    for (let round = 0; round < 2; round += 1) {
      stage.cycle.emit([proves(stage, "a")]);
      await stage.clock.advance(1000);
    }
    assert.ok(isWebServed(stage));
    return stage;
  }

  test("members of the others change all the same", async () => {
    await using stage = await makeServed();
    stage.disk.isFull = true;
    stage.say(shown(makeClaim("new")));
    await stage.clock.advance(500);
    stage.say(shown(makeClaim("web", { members: ["10.9.9.9:80"] })));
    await stage.clock.advance(500);
    const sent = [...(stage.delivered.at(-1)?.plans.values() ?? [])];
    const members = sent.flatMap(({ resources }) => [...resources.values()]);
    assert.ok(JSON.stringify(members).includes("10.9.9.9"));
    assert.ok(!JSON.stringify(members).includes("192.0.2.101"), "nothing of the new one is sent");
    assert.equal(stage.line("new"), undefined);
    assert.match(stage.cycle.view().notReady ?? "", /the disk is full/);
    stage.disk.isFull = false;
    await stage.clock.advance(1100);
    assert.equal(stage.line("new"), "pending 192.0.2.101 NotHeld");
  });

  test("its deletion ends the trouble", async () => {
    await using stage = await makeServed();
    stage.disk.isFull = true;
    const late = makeClaim("new");
    stage.say(shown(late));
    await stage.clock.advance(500);
    const { id, uid } = late;
    stage.say({ kind: "claim-gone", source: "folder", id, uid, how: "seen-deleted" });
    await stage.clock.advance(500);
    assert.equal(stage.cycle.view().notReady, undefined);
    assert.deepEqual(stage.published.at(-1)?.findings, []);
  });
});

test("a controller whose epoch was taken stops planning and says who took it", async () => {
  await using stage = await makeStage();
  await stage.cycle.start();
  await stage.clock.advance(ROUND_MS);
  await createMemoryStore({ medium: stage.medium }).open();
  stage.say(shown(makeClaim("web")));
  await stage.clock.advance(100);
  assert.deepEqual(stage.fencedBy, [2]);
  assert.equal(stage.line("web"), undefined);
  assert.equal(stage.cycle.view().notReady, "another controller took over");
  stage.say(shown(makeClaim("more")));
  await stage.clock.advance(5000);
  assert.equal(stage.fencedBy.length, 1);
});

test("what keeps the first plan away is in the log, once", async () => {
  const lines: string[] = [];
  const log = createLogger({
    level: "info",
    format: "text",
    destination: { write: (text) => void lines.push(text) },
  });
  await using stage = await makeStage({ log });
  const finding = {
    subject: "source",
    name: "/manifests",
    reason: "SourceUnreadable",
    detail: "it does not exist",
  } as const;
  await stage.cycle.start();
  stage.cycle.emit([{ kind: "finding", source: "folder", finding }]);
  assert.equal(lines.filter((line) => line.includes("it does not exist")).length, 1);
  await stage.clock.advance(ROUND_MS);
  assert.equal(lines.filter((line) => line.includes("it does not exist")).length, 1);
});

suite("a publisher that fails", () => {
  test("is tried again without news, and does not keep the others from publishing", async () => {
    const lines: string[] = [];
    const log = createLogger({
      level: "info",
      format: "text",
      destination: { write: (text) => void lines.push(text) },
    });
    let attempts = 0;
    const publisher: Publisher = {
      name: "failing",
      publish: async () => {
        attempts += 1;
        await Promise.resolve();
        if (attempts > 3) return;
        throw new EdgeError({ code: "NO_SPACE", message: "the disk is full", retryable: true });
      },
    };
    await using stage = await makeStage({ claims: [makeClaim("web")], publisher, log });
    await stage.cycle.start();
    await stage.clock.advance(ROUND_MS);
    assert.equal(stage.published.length, 1);
    await stage.clock.advance(60_000);
    assert.equal(attempts, 4);
    assert.equal(lines.filter((line) => line.includes("cannot publish")).length, 1);
    assert.equal(lines.filter((line) => line.includes("published again")).length, 1);
  });
});

test("what is published are the claims that were planned, with their verdicts", async () => {
  await using stage = await makeStage({ claims: [makeClaim("web")] });
  await stage.cycle.start();
  await stage.clock.advance(ROUND_MS);
  for (const { claims, verdicts } of stage.published) {
    assert.deepEqual([...claims.keys()], [...verdicts.keys()]);
  }
  const plan: Plan | undefined = stage.cycle.view().plan;
  assert.equal(stage.published.at(-1)?.verdicts, plan?.verdicts);
});
