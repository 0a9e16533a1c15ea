// The status of pools in a cluster in memory, on a fake clock: what is written, how often, and what
// becomes of writes that fail.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { type Finding, type LeasedAddress, parseAddress, present } from "@fairlead/model";
import { createFakeClock } from "@fairlead/runtime";

import { conditionLine, MemoryPools } from "../../kube/memory-pools.ts";
import type { Publication } from "../../ports.ts";
import { followPools, type PoolKind } from "../../sources/kube/pool-kind.ts";
import { createPoolPublisher } from "./pool-publisher.ts";
import type { PublishTrouble } from "./publish-trouble.ts";

const SPEC = { addresses: ["192.0.2.100-192.0.2.109"] };

/** A cluster with a source of pools and their publisher. */
class Stage {
  readonly clock = createFakeClock();
  readonly cluster = new MemoryPools();
  readonly troubles: PublishTrouble[] = [];
  readonly results: string[] = [];
  readonly source: PoolKind = followPools(
    {
      client: this.cluster,
      clock: this.clock,
      random: () => 0.5,
      source: "kubernetes",
      onFact: () => undefined,
      onNews: () => undefined,
    },
    "cluster lab",
  );
  readonly publisher = createPoolPublisher({
    client: this.cluster,
    clock: this.clock,
    random: () => 0.5,
    pools: this.source.records,
    onTrouble: (trouble) => void this.troubles.push(trouble),
    onWrite: (kind, result) => void this.results.push(`${kind} ${result}`),
  });
  #held = 0;
  #findings: readonly Finding[] = [];

  async start(): Promise<this> {
    this.source.start();
    await this.pass(10);
    return this;
  }

  /** The loop says that so many addresses of `lan` are held. */
  say(held: number, findings: readonly Finding[] = []): void {
    this.#held = held;
    this.#findings = findings;
    void this.publisher.publish(this.#publication());
  }

  async pass(ms: number): Promise<void> {
    for (let rest = ms; rest > 0; rest -= 100) {
      await this.clock.advance(Math.min(100, rest));
      for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    }
  }

  writes(name = "lan"): number {
    return this.cluster.asked.filter((words) => words === `PATCH ${name}`).length;
  }

  /** What is told of writes that fail, when it began and when it ended. */
  told(): readonly string[] {
    return this.troubles.map((trouble) =>
      trouble.kind === "finding"
        ? `+ ${trouble.finding.name}: ${trouble.finding.detail}`
        : `- ${trouble.name}`,
    );
  }

  used(): unknown {
    const usage = this.cluster.status("lan")["usage"] as
      | { readonly ipv4?: { readonly used: string } }
      | undefined;
    return usage?.ipv4?.used;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher[Symbol.asyncDispose]();
    await this.source.end();
  }

  #publication(): Publication {
    const leases = Array.from({ length: this.#held }, (_, i) => lease(`192.0.2.${100 + i}`));
    return {
      claims: new Map(),
      verdicts: new Map(),
      agents: new Map(),
      leases: new Map(leases.map((one) => [one.address, one])),
      intents: [],
      findings: this.#findings,
    };
  }
}

function lease(text: string): LeasedAddress {
  const address = present(parseAddress(text), text);
  const base = { address, pool: "lan", owners: [], lastClaim: "service/default/web", sentTo: [] };
  return {
    ...base,
    placement: { kind: "unplaced" },
    state: { kind: "held" },
    published: true,
    sinceMs: 0,
  } as unknown as LeasedAddress;
}

const outside: Finding = {
  subject: "pool",
  name: "lan",
  reason: "HeldOutside",
  detail: "192.0.2.99 is held outside of what it gives, and kept",
};

test("usage and conditions are written, and nothing when nothing changed", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(3);
  await stage.pass(1000);
  const status = stage.cluster.status("lan");
  assert.deepEqual(status["usage"], {
    ipv4: { size: "10", held: 3, draining: 0, quarantined: 0, used: "3/10" },
  });
  assert.equal(status["observedGeneration"], 1);
  assert.equal(conditionLine(status, "Ready"), "True InUse The pool gives addresses.");
  assert.equal(conditionLine(status, "Available"), "True HasRoom Addresses are free.");
  assert.match(conditionLine(status, "HeldInside"), /^True Fits /);
  for (let n = 0; n < 50; n += 1) {
    stage.say(3);
    await stage.pass(1000);
  }
  assert.equal(stage.writes(), 1);
  assert.deepEqual(stage.results, ["pool written"]);
});

test("a thousand publications in twenty seconds cost a few writes, and the last one is told", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", { addresses: ["192.0.0.0/16"] });
  for (let n = 1; n <= 100; n += 1) {
    for (let m = 0; m < 10; m += 1) stage.say(n);
    await stage.pass(200);
  }
  await stage.pass(6000);
  assert.equal(stage.used(), "100/65536");
  assert.ok(stage.writes() <= 6, `${stage.writes()} writes`);
});

test("a full pool, one that is not used and what is held outside are told", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(10, [outside]);
  await stage.pass(1000);
  let status = stage.cluster.status("lan");
  assert.equal(conditionLine(status, "Available"), "False PoolExhausted All 10 of ipv4 are given.");
  const { detail } = outside;
  assert.equal(conditionLine(status, "HeldInside"), `False HeldOutside ${detail}.`);
  assert.match(conditionLine(status, "Ready"), /^True /);
  const why = "it overlaps with wan";
  const overlap: Finding = { ...outside, reason: "PoolOverlap", detail: why };
  stage.say(10, [overlap]);
  await stage.pass(6000);
  status = stage.cluster.status("lan");
  assert.equal(conditionLine(status, "Ready"), "False PoolOverlap it overlaps with wan.");
  assert.match(conditionLine(status, "Available"), /^False NotReady /);
});

test("a pool that cannot be read says why in its status", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", { addresses: ["192.0.2.9-192.0.2.1"] });
  stage.say(0);
  await stage.pass(1000);
  const status = stage.cluster.status("lan");
  assert.match(conditionLine(status, "Ready"), /^False BadPoolRange .*above the last\.$/);
  assert.equal(status["usage"], undefined);
});

test("what somebody writes over it is put right, and times of what stays are kept", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(1);
  await stage.pass(1000);
  const before = stage.cluster.status("lan");
  await stage.pass(60_000);
  stage.cluster.put("lan", SPEC, { labels: { a: "b" } });
  await stage.pass(10_000);
  const after = stage.cluster.status("lan");
  assert.equal(after["observedGeneration"], 2);
  const times = (status: typeof before): unknown =>
    (status["conditions"] as readonly { readonly lastTransitionTime: string }[]).map(
      ({ lastTransitionTime }) => lastTransitionTime,
    );
  assert.deepEqual(times(after), times(before));
});

const FORBIDDEN = {
  code: "FORBIDDEN",
  message:
    'addresspools.fairlead.io "lan" is forbidden: User "fairlead" cannot patch resource ' +
    '"addresspools/status" in API group "fairlead.io" at the cluster scope',
} as const;

test("a missing right is said once, tried now and then, and over when it is given", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  await stage.pass(100);
  stage.cluster.failure = FORBIDDEN;
  stage.say(1);
  await stage.pass(60_000);
  assert.equal(stage.troubles.length, 1);
  const [trouble] = stage.troubles;
  assert.ok(trouble?.kind === "finding");
  assert.equal(trouble.finding.name, "kubernetes patch addresspools.fairlead.io/status");
  assert.match(
    trouble.finding.detail,
    /--verb=patch --resource=addresspools\.fairlead\.io\/status/,
  );
  assert.ok(stage.writes() <= 12, `${stage.writes()} tries`);
  stage.cluster.failure = undefined;
  await stage.pass(40_000);
  assert.equal(stage.used(), "1/10");
  assert.equal(stage.troubles.at(-1)?.kind, "finding-cleared");
});

test("a role that names its pools holds none of them back for another one", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("aaa", { addresses: ["198.51.100.0/28"] });
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("aaa", FORBIDDEN);
  for (const held of [3, 4]) {
    stage.say(held);
    await stage.pass(60_000);
    assert.equal(stage.used(), `${held}/10`);
  }
});

const REFUSALS = [
  ["SERVER", "failed calling webhook: no endpoints", 7],
  ["FORBIDDEN", "admission webhook denied the request: aaa is frozen", 7],
  ["INVALID", "status.usage: Invalid value", 1],
  ["TIMEOUT", "no answer within 30 s", 0],
] as const;

for (const [code, message, triesMin] of REFUSALS) {
  test(`a pool whose status is never taken (${code}) kept all after it without theirs`, async () => {
    await using stage = await new Stage().start();
    stage.cluster.put("aaa", { addresses: ["198.51.100.0/28"] });
    stage.cluster.put("lan", SPEC);
    stage.cluster.failures.set("aaa", { code, message });
    stage.say(3);
    await stage.pass(120_000);
    assert.equal(stage.used(), "3/10");
    stage.say(4);
    await stage.pass(60_000);
    assert.equal(stage.used(), "4/10");
    const tries = stage.writes("aaa");
    assert.ok(tries >= triesMin && tries <= 40, `${tries} tries`);
    const isTold = code !== "TIMEOUT";
    assert.deepEqual(stage.told(), isTold ? [`+ kubernetes pool writes: ${message}`] : []);
    // The webhook is put right, or the rule is taken back.
    stage.cluster.failures.clear();
    await stage.pass(310_000);
    assert.match(conditionLine(stage.cluster.status("aaa"), "Ready"), /^True /);
    assert.deepEqual(stage.told().slice(1), isTold ? ["- kubernetes pool writes"] : []);
  });
}

test("a pool that was refused is offered at once when somebody changes it", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("lan", { code: "INVALID", message: "too old" });
  stage.say(3);
  await stage.pass(10_000);
  assert.equal(stage.writes(), 1);
  stage.cluster.failures.clear();
  stage.cluster.put("lan", SPEC, { labels: { a: "b" } });
  await stage.pass(10_000);
  assert.equal(stage.used(), "3/10");
});

test("a refused pool is no trouble of who leads no more, or once it is deleted", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.failures.set("lan", { code: "INVALID", message: "no" });
  stage.say(3);
  await stage.pass(1000);
  assert.deepEqual(stage.told(), ["+ kubernetes pool writes: no"]);
  stage.publisher.pause?.();
  assert.deepEqual(stage.told().slice(1), ["- kubernetes pool writes"]);
  stage.say(3);
  await stage.pass(10_000);
  assert.deepEqual(stage.told().slice(2), ["+ kubernetes pool writes: no"]);
  stage.cluster.remove("lan");
  await stage.pass(10_000);
  assert.deepEqual(stage.told().slice(3), ["- kubernetes pool writes"]);
});

test("a pool that goes before its turn is not written", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(1);
  stage.cluster.remove("lan");
  await stage.pass(10_000);
  assert.equal(stage.writes(), 0);
});

test("once another controller speaks nothing is written before the next publication", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.say(3);
  stage.publisher.pause?.();
  await stage.pass(60_000);
  assert.equal(stage.writes(), 0);
  stage.say(4);
  await stage.pass(1000);
  assert.equal(stage.used(), "4/10");
});

test("whoever leads no more misses no right, and says so again when it leads again", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  await stage.pass(100);
  stage.cluster.failure = FORBIDDEN;
  stage.say(1);
  await stage.pass(1000);
  stage.publisher.pause?.();
  await stage.pass(60_000);
  assert.deepEqual(kinds(stage), ["finding", "finding-cleared"]);
  stage.say(1);
  await stage.pass(60_000);
  assert.deepEqual(kinds(stage), ["finding", "finding-cleared", "finding"]);
});

test("a write that is forbidden after the lead was lost is not told", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  const { promise, resolve } = Promise.withResolvers<void>();
  stage.cluster.answer = promise;
  stage.say(1);
  await stage.pass(1000);
  assert.equal(stage.writes(), 1);
  stage.publisher.pause?.();
  stage.cluster.failure = FORBIDDEN;
  resolve();
  await stage.pass(1000);
  assert.deepEqual(stage.results, ["pool forbidden"]);
  assert.deepEqual(kinds(stage), []);
});

test("a server that does not answer holds nobody up who stops", async () => {
  await using stage = await new Stage().start();
  stage.cluster.put("lan", SPEC);
  stage.cluster.answer = Promise.withResolvers<void>().promise;
  stage.say(1);
  await stage.pass(1000);
  assert.equal(stage.writes(), 1);
  await stage.publisher[Symbol.asyncDispose]();
  assert.deepEqual(stage.results, []);
});

function kinds({ troubles }: Stage): readonly string[] {
  return troubles.map(({ kind }) => kind);
}
