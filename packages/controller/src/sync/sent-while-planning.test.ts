// The loop, the streams and an agent that is played by hand, on real gRPC and the fake clock: what
// reaches the agent while a plan is made, and what becomes of addresses that the plan gives up.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Claim, type Resource, type ResourceName, present, vipName } from "@fairlead/model";
import { type FakeClock, createFakeClock, createLogger } from "@fairlead/runtime";
import {
  createMemoryMedium,
  createMemoryStore,
  makeAgent,
  makeClaim,
  makePool,
  makeReport,
} from "@fairlead/testkit";
import {
  createRevisions,
  encodeReport,
  type OutgoingUpdate,
  serverCredentials,
  serverOptions,
} from "@fairlead/wire";
import { Server } from "@grpc/grpc-js";

import { type Cycle, createCycle } from "../cycle.ts";
import { createSoleElection } from "../election/sole-election.ts";
import type { Fact } from "../facts.ts";
import type { Source, Store } from "../ports.ts";
import { HandPlayedAgent } from "./hand-played-agent.ts";
import { createSyncServer, type SyncServer } from "./sync-server.ts";

const POOL = makePool("lan", "192.0.2.100-192.0.2.120");
const [WEB, API, SHOP] = [makeClaim("web"), makeClaim("api"), makeClaim("shop")];
const AGENT = makeAgent("lb-1", { prefixes: ["192.0.2.11/24"] });
/** Longer than any first plan waits. */
const FIRST_MS = 2100;
/** Longer than facts are gathered for. */
const ROUND_MS = 60;

/** A source that has listed; a stage says itself what it sees. */
const FOLDER: Source = {
  name: "folder",
  start: (emit) => {
    const pools = new Set([POOL.name]);
    emit([
      { kind: "pool-seen", source: "folder", pool: POOL },
      { kind: "source-listed", source: "folder", atMs: 0, claims: new Set(), pools },
    ]);
    return Promise.resolve();
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** A controller with one agent; disposing ends both. */
class Stage implements AsyncDisposable {
  readonly #clock: FakeClock = createFakeClock();
  readonly #medium = createMemoryMedium();
  readonly #revisions = createRevisions();
  readonly #sync: SyncServer;
  readonly #cycle: Cycle;
  readonly #server = new Server(serverOptions());
  #agent: HandPlayedAgent | undefined;
  /** What the agent has. */
  readonly #has = new Map<ResourceName, Resource>();
  readonly #facts: Fact[] = [];
  #wake: () => void = () => {};
  updates = 0;
  #taken = 0;
  #reports = 0;
  /** A commit that has begun ends when this has. */
  #written = Promise.resolve();
  #onWriting: () => void = () => {};

  constructor() {
    const log = createLogger({ level: "silent", format: "json" });
    this.#sync = createSyncServer({
      clock: this.#clock,
      log,
      revisions: this.#revisions,
      version: "0.1.0",
      emit: (facts) => this.say(...facts),
      metrics: {
        streamsOpen: () => {},
        sent: () => {},
        received: () => {},
        updateSent: () => void (this.updates += 1),
        updateRefused: () => {},
      },
    });
    this.#sync.register(this.#server);
    this.#cycle = createCycle({
      clock: this.#clock,
      log,
      settings: { advertIntervalMs: 100, reservedRouterIds: [], staleAfterMs: 60_000 },
      election: createSoleElection("test"),
      store: this.#store(),
      sources: [FOLDER],
      delivery: this.#sync,
      publishers: [],
      revisionOf: this.#revisions.revisionOf,
      onFenced: () => assert.fail("nobody else leads"),
      onFailed: (error) => assert.fail(error),
    });
  }

  #store(): Store {
    const memory = createMemoryStore({ medium: this.#medium });
    return {
      ...memory,
      commit: async (...args) => {
        this.#onWriting();
        await this.#written;
        return await memory.commit(...args);
      },
    };
  }

  /** An agent that has all of its plan, with one claim. */
  async start(): Promise<this> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.bindAsync("127.0.0.1:0", serverCredentials({ kind: "insecure" }), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    await this.#cycle.start();
    this.say(seen(WEB));
    this.#agent = new HandPlayedAgent(`127.0.0.1:${await promise}`);
    this.#agent.say({ kind: "hello", hello: AGENT.hello, reportDigest: undefined });
    await this.#until("agent-hello");
    await this.#clock.advance(FIRST_MS);
    await this.settle();
    return this;
  }

  say(...facts: readonly Fact[]): void {
    this.#facts.push(...facts);
    this.#cycle.emit(facts);
    this.#wake();
  }

  /** Says it, and lets the plan come out that follows from it. */
  async plan(...facts: readonly Fact[]): Promise<void> {
    this.say(...facts);
    await this.#clock.advance(ROUND_MS);
    await this.#cycle.settled();
  }

  /** Says it, and resolves once the plan that follows from it is being written. */
  async beginPlan(...facts: readonly Fact[]): Promise<{ end(): Promise<void> }> {
    const writing = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    this.#onWriting = writing.resolve;
    this.#written = written.promise;
    this.say(...facts);
    await this.#clock.advance(ROUND_MS);
    await writing.promise;
    return {
      end: async () => {
        written.resolve();
        await this.#clock.advance(ROUND_MS);
        await this.#cycle.settled();
      },
    };
  }

  async next(): Promise<OutgoingUpdate> {
    this.#taken += 1;
    return (await present(this.#agent, "it has come").next("update")).update;
  }

  ack({ nonce, upserts, tombstones }: OutgoingUpdate): void {
    for (const name of tombstones) this.#has.delete(name);
    for (const { resource } of upserts) this.#has.set(resource.name, resource);
    this.#agent?.say({ kind: "ack", ack: { nonce, step: "received", nacks: [] } });
  }

  /** The agent says what it has, and the plan that follows from that comes out. */
  async report(): Promise<void> {
    const { revisionOf, planRevisionOf } = this.#revisions;
    const plan = { agent: AGENT.name, resources: this.#has, retained: [] };
    const entries = Array.from(this.#has.values(), (one) => [one.name, revisionOf(one)] as const);
    const report = {
      ...makeReport(plan, () => true, revisionOf),
      planRevision: planRevisionOf(entries),
      links: AGENT.hello.links,
    };
    this.#agent?.say({ kind: "report", report: encodeReport(report) });
    this.#reports += 1;
    await this.#until("agent-report", this.#reports);
    await this.#clock.advance(ROUND_MS);
    await this.#cycle.settled();
  }

  /** The agent takes and reports all that it is sent. */
  async settle(): Promise<void> {
    while (this.updates > this.#taken) {
      this.ack(await this.next());
      await this.report();
    }
  }

  /** `held by lb-1`, as it is stored. */
  leaseOf({ id }: Claim): string {
    const row = [...this.#medium.leases.values()].find(({ lastClaim }) => lastClaim === id);
    return `${row?.state.kind}, sent to ${row?.sentTo.join(" ") || "nobody"}`;
  }

  /** The name of the claim's VIP. */
  vipOf({ id }: Claim): ResourceName {
    const row = [...this.#medium.leases.values()].find(({ lastClaim }) => lastClaim === id);
    return vipName(present(row, "it has an address").address);
  }

  async #until(kind: Fact["kind"], count = 1): Promise<void> {
    while (this.#facts.filter((fact) => fact.kind === kind).length < count) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent?.close();
    await this.#cycle[Symbol.asyncDispose]();
    await this.#sync[Symbol.asyncDispose]();
    this.#server.forceShutdown();
  }
}

function seen(claim: Claim): Fact {
  return { kind: "claim-seen", source: "folder", claim };
}

function gone({ id, uid }: Claim): Fact {
  return { kind: "claim-gone", source: "folder", id, uid, how: "seen-deleted" };
}

test("an address that an agent gets while its end is planned does not rest before it is gone", async () => {
  await using stage = await new Stage().start();
  await stage.plan(seen(API));
  const first = await stage.next();
  await stage.plan(seen(SHOP));
  const vip = stage.vipOf(SHOP);
  assert.equal(stage.leaseOf(SHOP), "held, sent to lb-1");
  const planning = await stage.beginPlan(gone(SHOP));
  stage.ack(first);
  const second = await stage.next();
  assert.ok(second.upserts.some(({ resource }) => resource.name === vip));
  await planning.end();
  assert.equal(stage.leaseOf(SHOP), "draining, sent to lb-1");

  // By what the agent does alone it goes on.
  stage.ack(second);
  const third = await stage.next();
  assert.ok(third.tombstones.includes(vip));
  stage.ack(third);
  await stage.report();
  await stage.settle();
  assert.equal(stage.leaseOf(SHOP), "quarantined, sent to nobody");
});

test("an address that waited behind an update and was never sent rests with the next report", async () => {
  await using stage = await new Stage().start();
  await stage.plan(seen(API));
  const first = await stage.next();
  await stage.plan(seen(SHOP));
  await stage.plan(gone(SHOP));
  assert.equal(stage.leaseOf(SHOP), "draining, sent to lb-1");
  stage.ack(first);
  await stage.report();
  await stage.settle();
  assert.equal(stage.leaseOf(SHOP), "quarantined, sent to nobody");
});
