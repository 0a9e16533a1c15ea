// AddressPools of a cluster as facts: while the server does not know the kind, while it may not be
// read, and as pools come, change and go. A cluster in memory, on a fake clock.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import type { Fact } from "../../facts.ts";
import { MemoryPools } from "../../kube/memory-pools.ts";
import { followPools, type PoolKind } from "./pool-kind.ts";

class Stage {
  readonly clock = createFakeClock();
  readonly cluster = new MemoryPools();
  readonly #facts: Fact[] = [];
  readonly pools: PoolKind;

  /** By default waits are half of the longest that they may be. */
  constructor(random = 0.5) {
    this.pools = followPools(
      {
        client: this.cluster,
        clock: this.clock,
        random: () => random,
        source: "kubernetes",
        onFact: (fact) => void this.#facts.push(fact),
        onNews: () => undefined,
      },
      "cluster lab",
    );
  }

  async pass(ms: number, stepMs = 500): Promise<void> {
    for (let rest = ms; rest > 0; rest -= stepMs) {
      await this.clock.advance(Math.min(stepMs, rest));
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    }
  }

  /** What was said since the last call. */
  said(): readonly string[] {
    const facts = [...this.#facts.splice(0), ...this.pools.takeFacts()];
    return facts.flatMap((fact) => {
      if (fact.kind === "pool-seen") return [`+ ${fact.pool.name} ${fact.pool.origin}`];
      if (fact.kind === "pool-gone") return [`- ${fact.name} ${fact.how}`];
      if (fact.kind === "finding") return [`! ${fact.finding.name}: ${fact.finding.reason}`];
      // Said again and again, and news once.
      return fact.kind === "finding-cleared" && fact.subject !== "source"
        ? [`ok ${fact.name}`]
        : [];
    });
  }

  /** The details of the findings that were not asked for yet. */
  details(): readonly string[] {
    return this.#facts
      .splice(0)
      .flatMap((fact) => (fact.kind === "finding" ? [fact.finding.detail] : []));
  }

  /** When each pool was made, as the facts since the last call say it: `lan 00:00:01`. */
  ages(): readonly string[] {
    const facts = [...this.#facts.splice(0), ...this.pools.takeFacts()];
    return facts.flatMap((fact) => {
      if (fact.kind !== "pool-seen") return [];
      const { name, createdAtMs = Number.NaN } = fact.pool;
      return [`${name} ${new Date(createdAtMs).toISOString().slice(11, 19)}`];
    });
  }

  /** Requests of the hour that passes. */
  async askedInAnHour(): Promise<number> {
    const before = this.cluster.asked.length;
    await this.pass(3_600_000, 5000);
    return this.cluster.asked.length - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pools.end();
  }
}

const SPEC = { addresses: ["192.0.2.100-192.0.2.109"] };
const UNKNOWN = { code: "NOT_FOUND", message: "the server could not find it" } as const;

test("a pool is as old as the server says, also after an edit", async () => {
  await using stage = new Stage();
  stage.cluster.put("lan", SPEC);
  stage.cluster.put("dmz", { addresses: ["198.51.100.7"] });
  stage.pools.start();
  await stage.pass(1000);
  assert.deepEqual(stage.ages().toSorted(), ["dmz 00:00:02", "lan 00:00:01"]);
  stage.cluster.put("late", { addresses: ["203.0.113.9"] });
  stage.cluster.put("lan", { addresses: ["192.0.2.100-192.0.2.119"] });
  assert.deepEqual(stage.ages().toSorted(), ["lan 00:00:01", "late 00:00:03"]);
});

test("a server that does not know pools holds nobody up, is told of, and is asked again", async () => {
  await using stage = new Stage();
  stage.cluster.failure = UNKNOWN;
  assert.equal(stage.pools.isSettled(), false);
  stage.pools.start();
  await stage.pass(60_000);
  assert.equal(stage.pools.isSettled(), true);
  assert.equal(stage.pools.isSynced(), false);
  const said = new Set(stage.said());
  assert.deepEqual([...said], ["! kubernetes addresspools: KindUnknown"]);
  assert.equal(stage.pools.counts().failures, 0);
  stage.cluster.failure = undefined;
  stage.cluster.put("lan", SPEC);
  await stage.pass(61_000);
  assert.deepEqual(stage.said(), ["+ lan cluster lab"]);
  assert.deepEqual([...stage.pools.names()], ["lan"]);
});

test("how to install pools, and when they are found then, is told with what is missing", async () => {
  await using stage = new Stage();
  stage.cluster.failure = UNKNOWN;
  stage.pools.start();
  await stage.pass(1000);
  const install =
    "install it: kubectl apply -f deploy/crds/addresspools.yaml; " +
    "it is found within 5 minutes then";
  assert.equal(
    stage.details().at(-1),
    `the cluster does not know addresspools.fairlead.io; ${install}; all else is served without it`,
  );
  stage.cluster.failure = undefined;
  await stage.pass(2000);
  stage.cluster.failure = UNKNOWN;
  await stage.pass(100_000);
  const vanished = stage.details().at(-1) ?? "";
  assert.ok(vanished.includes(`${install}; what it last showed stays in force`), vanished);
});

for (const { random, most } of [
  { random: 0.5, most: 24 },
  { random: 0.999, most: 12 },
]) {
  test(`a server that does not know pools is asked ${most} times an hour at random ${random}`, async () => {
    await using stage = new Stage(random);
    stage.cluster.failure = UNKNOWN;
    stage.pools.start();
    const first = await stage.askedInAnHour();
    assert.ok(first <= most + 8, `${first} requests in the first hour`);
    const later = await stage.askedInAnHour();
    assert.ok(later <= most && later >= most - 1, `${later} requests in an hour`);
    stage.cluster.failure = undefined;
    stage.cluster.put("lan", SPEC);
    await stage.pass(300_000, 5000);
    assert.ok(stage.said().includes("+ lan cluster lab"), "within five minutes");
  });
}

test("pools that were found and vanish are asked for soon again", async () => {
  await using stage = new Stage();
  stage.cluster.failure = UNKNOWN;
  stage.pools.start();
  await stage.askedInAnHour();
  stage.cluster.failure = undefined;
  await stage.pass(300_000);
  assert.equal(stage.pools.isSynced(), true);
  stage.cluster.failure = UNKNOWN;
  const before = stage.cluster.asked.length;
  // The watch is silent for a minute and a half, and then the kind is asked for.
  await stage.pass(100_000);
  const asked = stage.cluster.asked.length - before;
  assert.ok(asked >= 4, `${asked} requests`);
});

test("a missing right is said, and holds nobody up", async () => {
  await using stage = new Stage();
  stage.cluster.failure = { code: "FORBIDDEN", message: "addresspools is forbidden" };
  stage.pools.start();
  await stage.pass(1000);
  assert.equal(stage.pools.isSettled(), true);
  assert.match(stage.details().at(-1) ?? "", /; the rest goes on without it$/u);
});

test("a server that cannot be reached is waited for", async () => {
  await using stage = new Stage();
  stage.cluster.failure = { code: "UNREACHABLE", message: "nobody answers" };
  stage.pools.start();
  await stage.pass(60_000);
  assert.equal(stage.pools.isSettled(), false);
  assert.match(stage.details().at(-1) ?? "", /; nothing is planned before it was listed$/u);
});

test("a kind that vanishes leaves its pools in force, and is missed in words", async () => {
  await using stage = new Stage();
  stage.cluster.put("lan", SPEC);
  stage.pools.start();
  await stage.pass(1000);
  assert.deepEqual(stage.said(), ["+ lan cluster lab"]);
  stage.cluster.failure = UNKNOWN;
  await stage.pass(600_000);
  const said = stage.said();
  assert.ok(said.includes("! kubernetes addresspools: SourceUnreadable"), said.join());
  assert.ok(!said.some((line) => line.startsWith("-")), said.join());
  assert.deepEqual([...stage.pools.names()], ["lan"]);
});

test("a pool comes, becomes unreadable, is mended and goes", async () => {
  await using stage = new Stage();
  stage.pools.start();
  await stage.pass(1000);
  stage.cluster.put("lan", SPEC);
  assert.deepEqual(stage.said(), ["+ lan cluster lab"]);
  stage.cluster.put("lan", { addresses: ["192.0.2.9-192.0.2.1"] });
  assert.deepEqual(stage.said(), ["! lan: BadPoolRange"]);
  stage.cluster.put("lan", { addresses: ["192.0.2.1-192.0.2.9"] });
  assert.deepEqual(stage.said(), ["ok lan", "+ lan cluster lab"]);
  stage.cluster.remove("lan");
  assert.deepEqual(stage.said(), ["- lan seen-deleted"]);
  assert.equal(stage.pools.size(), 0);
});
