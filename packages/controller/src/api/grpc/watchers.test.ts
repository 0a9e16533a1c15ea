// What those who watch are told, over real gRPC, of a state that a test changes by hand. Time is
// the fake clock's: nothing is told twice within the pace.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { status } from "@grpc/grpc-js";
import type { Claim, Finding } from "@fairlead/model";
import { plan } from "@fairlead/planner";
import { createFakeClock, createLogger, type FakeClock, type HostPort } from "@fairlead/runtime";
import {
  makeClaim,
  makeCycleView,
  makePool,
  makeRevisionOf,
  makeWorld,
  nextWorld,
} from "@fairlead/testkit";
import { ListKind, type WatchResponse } from "@fairlead/wire";

import type { AdminContext } from "./admin-context.ts";
import { createAdminServer } from "./admin-server.ts";
import { watchAt, watchIdly } from "./watch-test-clients.ts";

const revisionOf = makeRevisionOf();
const GAP_MS = 100;

/** What the controller knows; each question is asked a second later than the one before. */
interface Known {
  claims: readonly Claim[];
  findings: readonly Finding[];
  disconnected: readonly string[];
  notReady: string | undefined;
  asked: number;
}

interface Stage extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly at: HostPort;
  readonly known: Known;
  /** Changes what is known and says so, as a cycle does. */
  change(changes: Partial<Known>): void;
  /** Lets time pass in small steps, real sockets working in between, until `isDone`. */
  until(isDone: () => boolean): Promise<void>;
}

async function makeStage(claims: readonly Claim[] = [makeClaim("web")]): Promise<Stage> {
  const clock = createFakeClock();
  const known: Known = { claims, findings: [], disconnected: [], notReady: undefined, asked: 0 };
  let world = makeWorld({ claims, pools: [makePool("lan", "192.0.2.100-192.0.2.199")] });
  const context = (): AdminContext => {
    known.asked += 1;
    world = nextWorld(world, plan(world, { revisionOf }), { claims: known.claims });
    const agents = new Map(
      Array.from(world.agents, ([name, agent]) => [
        name,
        known.disconnected.includes(name) ? { ...agent, connected: false } : agent,
      ]),
    );
    const view = makeCycleView({ ...world, agents }, plan(world, { revisionOf }), {
      cycles: known.asked,
      findings: known.findings,
      ...(known.notReady === undefined ? {} : { notReady: known.notReady }),
    });
    return {
      nowMs: world.nowMs + known.asked * 1000,
      uptimeMs: known.asked * 1000,
      version: "0.1.0",
      view,
      syncState: () => ({ state: "in-sync", detail: "" }),
    };
  };
  const server = await createAdminServer({
    listen: { host: "127.0.0.1", port: 0 },
    credentials: { kind: "insecure" },
    act: () => Promise.reject(new Error("nobody acts here")),
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    context,
  });
  return {
    clock,
    known,
    at: server.address,
    change: (changes) => {
      Object.assign(known, changes);
      server.changed();
    },
    until: async (isDone) => {
      for (let round = 0; round < 10_000 && !isDone(); round += 1) await clock.advance(1);
      assert.ok(isDone(), "it comes true");
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      assert.equal(clock.pendingTimers(), 0, "no timer outlives the server");
    },
  };
}

/** The names in a message: `+` for rows, `-` for those that are no more. */
function told({ whole, rows, removed }: WatchResponse): readonly string[] {
  return [
    ...(whole ? ["whole"] : []),
    ...(rows?.claims ?? []).map(({ name }) => `+claim ${name}`),
    ...(rows?.agents ?? []).map(({ name }) => `+agent ${name}`),
    ...(rows?.pools ?? []).map(({ name }) => `+pool ${name}`),
    ...(rows?.addresses ?? []).map(({ address }) => `+address ${address}`),
    ...(rows?.findings ?? []).map(({ name, remark }) => `+finding ${name} ${remark?.reason}`),
    ...(removed?.claims ?? []).map((id) => `-claim ${id}`),
    ...(removed?.agents ?? []).map((name) => `-agent ${name}`),
    ...(removed?.pools ?? []).map((name) => `-pool ${name}`),
    ...(removed?.addresses ?? []).map((address) => `-address ${address}`),
    ...(removed?.findings ?? []).map(({ subject, name }) => `-finding ${subject} ${name}`),
  ];
}

const finding = (reason: Finding["reason"], detail = "words"): Finding => ({
  subject: "file",
  name: "a.yaml",
  reason,
  detail,
});

suite("who watches is told", () => {
  test("everything first, then only what changed", async () => {
    await using stage = await makeStage();
    using reader = watchAt(stage.at);
    const first = await reader.next();
    assert.deepEqual(told(first), [
      "whole",
      "+claim web",
      "+agent lb-1",
      "+agent lb-2",
      "+agent lb-3",
      "+pool lan",
      "+address 192.0.2.100",
    ]);
    stage.change({ claims: [makeClaim("web"), makeClaim("api")] });
    await stage.until(() => reader.waiting.length > 0);
    const second = told(await reader.next());
    assert.deepEqual(
      second.filter((line) => !line.startsWith("+agent")),
      ["+claim api", "+pool lan", "+address 192.0.2.101"],
    );
  });

  test("what is no more, by its key", async () => {
    await using stage = await makeStage([makeClaim("web"), makeClaim("api")]);
    using reader = watchAt(stage.at, [ListKind.CLAIMS]);
    await reader.next();
    stage.change({ claims: [makeClaim("api")] });
    await stage.until(() => reader.waiting.length > 0);
    assert.deepEqual(told(await reader.next()), ["-claim service/default/web"]);
  });

  test("nothing when only time and cycles pass", async () => {
    await using stage = await makeStage();
    using reader = watchAt(stage.at);
    await reader.next();
    const { asked } = stage.known;
    stage.change({});
    await stage.clock.advance(5000);
    assert.ok(stage.known.asked > asked + 3, "it was looked at again and again");
    stage.change({ findings: [finding("ManifestUnreadable")] });
    await stage.until(() => reader.waiting.length > 0);
    assert.deepEqual(told(await reader.next()), ["+finding a.yaml ManifestUnreadable"]);
  });

  test("what changed without anybody saying so, a second later", async () => {
    await using stage = await makeStage();
    using reader = watchAt(stage.at, [ListKind.AGENTS]);
    await reader.next();
    stage.known.disconnected = ["lb-2"];
    await stage.until(() => reader.waiting.length > 0);
    const { rows } = await reader.next();
    assert.deepEqual(
      rows?.agents.map(({ name, state }) => [name, state]),
      [["lb-2", "disconnected"]],
    );
  });

  test("whether the controller is ready, whatever it watches", async () => {
    await using stage = await makeStage();
    stage.known.notReady = "sources are being listed";
    using reader = watchAt(stage.at, [ListKind.POOLS]);
    assert.equal((await reader.next()).rows?.controller?.detail, "sources are being listed");
    stage.change({ notReady: undefined });
    await stage.until(() => reader.waiting.length > 0);
    const message = await reader.next();
    assert.deepEqual([message.rows?.controller?.ready, told(message)], [true, []]);
  });

  test("all findings of one name together when one of them changed", async () => {
    await using stage = await makeStage();
    const [one, other] = [finding("ManifestUnreadable", "line 1"), finding("BadName")];
    stage.known.findings = [one, other];
    using reader = watchAt(stage.at, [ListKind.FINDINGS]);
    await reader.next();
    stage.change({ findings: [one] });
    await stage.until(() => reader.waiting.length > 0);
    assert.deepEqual(told(await reader.next()), ["+finding a.yaml ManifestUnreadable"]);
    stage.change({ findings: [] });
    await stage.until(() => reader.waiting.length > 0);
    assert.deepEqual(told(await reader.next()), ["-finding file a.yaml"]);
  });

  test("ten times a second at most, of each row the newest", async () => {
    await using stage = await makeStage([]);
    using reader = watchAt(stage.at, [ListKind.CLAIMS]);
    await reader.next();
    const toldAtMs: number[] = [];
    let seen = 0;
    for (let ms = 0; ms < 1000; ms += 10) {
      stage.change({ claims: [makeClaim("web", { ports: [`tcp/${1000 + ms}`] })] });
      await stage.clock.advance(10);
      if (reader.waiting.length > seen) toldAtMs.push(ms);
      seen = reader.waiting.length;
    }
    await stage.until(() => reader.waiting.at(-1)?.rows?.claims[0]?.ports[0] === "1990/TCP");
    assert.ok(toldAtMs.length > 5, `told at ${toldAtMs.join()}`);
    assert.ok(reader.waiting.length <= 1000 / GAP_MS + 2, `${reader.waiting.length} messages`);
  });
});

suite("watching is bounded", () => {
  test("a reader that does not read gets what is newest, once", async () => {
    const many = Array.from({ length: 90 }, (_, n) => makeClaim(`s${n}`, { ports: PORTS }));
    await using stage = await makeStage(many);
    using idle = await watchIdly(stage.at);
    for (const port of [1, 2, 3, 4, 5]) {
      const web = makeClaim("web", { ports: [`tcp/${port}`] });
      stage.change({ claims: port === 3 ? [...many.slice(1), web] : [...many.slice(2), web] });
      await stage.clock.advance(2 * GAP_MS);
    }
    const reading = idle.read(2);
    let isRead = false;
    void reading.then(() => (isRead = true));
    await stage.until(() => isRead);
    const [first, second] = await reading;
    assert.ok(first !== undefined && second !== undefined);
    assert.equal(first.whole, true);
    assert.equal(first.rows?.claims.length, many.length);
    assert.deepEqual(
      second.rows?.claims.map(({ name, ports }) => [name, ports[0]]),
      [["web", "5/TCP"]],
    );
    assert.deepEqual(second.removed?.claims.toSorted(), [
      "service/default/s0",
      "service/default/s1",
    ]);
  });

  test("the 65th watcher is refused, and welcome when another went", async () => {
    await using stage = await makeStage();
    const readers = Array.from({ length: 64 }, () => watchAt(stage.at, [ListKind.POOLS]));
    for (const reader of readers) await reader.next();
    using refused = watchAt(stage.at);
    const { code, details } = await refused.ended;
    assert.deepEqual([code, details], [status.RESOURCE_EXHAUSTED, "64 others watch already"]);
    readers.pop()?.[Symbol.dispose]();
    for (;;) {
      using next = watchAt(stage.at, [ListKind.POOLS]);
      const came = await Promise.race([next.next().catch(() => undefined), next.ended]);
      if (came !== undefined && "whole" in came) break;
    }
    for (const reader of readers) reader[Symbol.dispose]();
  });

  test("nothing is asked while nobody watches", async () => {
    await using stage = await makeStage();
    stage.change({});
    await stage.clock.advance(5000);
    assert.equal(stage.known.asked, 0);
    const reader = watchAt(stage.at);
    await reader.next();
    reader[Symbol.dispose]();
    await stage.until(() => stage.clock.pendingTimers() === 0);
    const { asked } = stage.known;
    stage.change({});
    await stage.clock.advance(5000);
    assert.equal(stage.known.asked, asked);
  });

  test("a watcher is told when the controller stops", async () => {
    const stage = await makeStage();
    using reader = watchAt(stage.at);
    await reader.next();
    await stage[Symbol.asyncDispose]();
    const { code, details } = await reader.ended;
    assert.deepEqual([code, details], [status.UNAVAILABLE, "the controller is stopping"]);
  });
});

/** Enough for a row of about a kilobyte. */
const PORTS: readonly string[] = Array.from({ length: 100 }, (_, n) => `tcp/${10_000 + n}`);
