// Elections over a stub of an API server, each with a clock of its own, so that one can stand still
// while the others go on, as a process does that was stopped.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createFakeClock, createSystemClock, type FakeClock } from "@fairlead/runtime";
import { type KubeStub, startKubeStub } from "@fairlead/testkit";

import { createKubeClient, type KubeClient } from "../../kube/kube-client.ts";
import type { Election } from "../../ports.ts";
import { createKubeElection } from "./kube-election.ts";

const LEASE_MS = 15_000;
const system = createSystemClock();

/** One controller, as far as the election goes. */
interface Candidate extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly election: Election;
  /** lead and lost, as it was told. */
  readonly told: readonly string[];
  /** It was stopped for so long: it is later, and nothing of it has run. */
  jump(ms: number): void;
  /** Whether it has every answer that it waits for, and what its watch has to tell. */
  isQuiet(): boolean;
}

suite("an election by a Lease", () => {
  test("is won by the first; the second stands by and says who leads", async () => {
    await using stub = await startKubeStub();
    await using a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    assert.deepEqual(a.election.view(), { leads: true, holder: "a" });
    assert.deepEqual(b.election.view(), { leads: false, holder: "a" });
    assert.deepEqual([a.told, b.told], [["lead"], []]);
    const spec = stub.get("Lease", "fairlead-system", "fairlead-controller")?.["spec"];
    assert.deepEqual(spec && { ...spec, acquireTime: "", renewTime: "" }, {
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: "",
      renewTime: "",
      leaseTransitions: 0,
    });
  });

  test("is won at once when the leader gives it up, without any time passing", async () => {
    await using stub = await startKubeStub();
    const a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    await stub.watching("leases");
    await a.election[Symbol.asyncDispose]();
    assert.equal(a.election.view().leads, false);
    await until(() => b.told.length === 1);
    assert.deepEqual(b.election.view(), { leads: true, holder: "b" });
  });

  test("is held for as long as it is renewed", async () => {
    await using stub = await startKubeStub();
    await using a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    await pass([a, b], 4 * LEASE_MS);
    assert.deepEqual([a.told, b.told], [["lead"], []]);
    assert.equal(a.election.view().leads, true);
  });

  test("goes to a standby when the leader stands still, which finds its lead over", async () => {
    await using stub = await startKubeStub();
    await using a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    await pass([a, b], 10_000);
    // The process of a is stopped: nothing of it runs, while the time of its host goes on.
    const written = stub.counts({ resource: "leases" }).write;
    await pass([b], LEASE_MS - 4000);
    assert.deepEqual(b.told, [], "the lease time is not over");
    await pass([b], 6000);
    assert.deepEqual(b.told, ["lead"]);
    assert.ok(stub.counts({ resource: "leases" }).write > written);
    // It goes on, and the first that it sees is what the time is.
    a.jump(LEASE_MS + 2000);
    assert.equal(a.election.view().leads, false, "before any timer of it has run");
    await pass([a, b], 5000);
    assert.deepEqual([a.told, b.told], [["lead", "lost"], ["lead"]]);
    assert.deepEqual(a.election.view(), { leads: false, holder: "b" });
  });

  test("is over well before the lease time where the server is away, and comes back", async () => {
    await using stub = await startKubeStub();
    await using a = await makeCandidate(stub, "a");
    await stub.stop();
    await pass([a], 9000);
    assert.equal(a.election.view().leads, true, "the others wait for longer");
    assert.match(a.election.view().trouble ?? "", /cannot be reached/);
    await pass([a], 3000);
    assert.deepEqual(a.told, ["lead", "lost"]);
    await stub.start();
    await pass([a], 4000);
    assert.deepEqual(a.told, ["lead", "lost", "lead"]);
    assert.deepEqual(a.election.view(), { leads: true, holder: "a" });
  });

  test("is not lost by an edit of the Lease, nor by its deletion", async () => {
    await using stub = await startKubeStub();
    await using a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    const lease = stub.get("Lease", "fairlead-system", "fairlead-controller");
    stub.put({ ...lease, metadata: { ...metadataOf(lease), labels: { by: "hand" } } });
    await pass([a, b], 20_000);
    assert.deepEqual([a.told, b.told], [["lead"], []]);
    stub.remove("Lease", "fairlead-system", "fairlead-controller");
    await system.sleep(50);
    assert.deepEqual(b.told, [], "the leader may not know it yet");
    await pass([a, b], 20_000);
    assert.deepEqual([a.told, b.told], [["lead", "lost", "lead"], []]);
  });

  test("goes to one alone, however many want it", async () => {
    await using stub = await startKubeStub();
    const a = await makeCandidate(stub, "a");
    await using b = await makeCandidate(stub, "b");
    await using c = await makeCandidate(stub, "c");
    await using d = await makeCandidate(stub, "d");
    const others = [b, c, d];
    await stub.watching("leases", others.length);
    await a.election[Symbol.asyncDispose]();
    await until(() => others.some(({ told }) => told.length > 0));
    await pass(others, 2 * LEASE_MS);
    assert.equal(others.filter(({ election }) => election.view().leads).length, 1);
    assert.equal(others.flatMap(({ told }) => told).length, 1);
  });

  test("says which right is missing", async () => {
    await using stub = await startKubeStub();
    stub.forbid({ verb: "get", resource: "leases" });
    await using a = await makeCandidate(stub, "a");
    assert.equal(a.election.view().leads, false);
    assert.match(a.election.view().trouble ?? "", /cannot get resource "leases"/);
  });
});

async function makeCandidate(stub: KubeStub, identity: string): Promise<Candidate> {
  const clock = createFakeClock();
  let stoppedMs = 0;
  const later = { ...clock, nowMs: () => clock.nowMs() + stoppedMs };
  const told: string[] = [];
  const { client, isQuiet } = observed(
    createKubeClient({ access: stub.access, clock, userAgent: identity }),
    () => versionOf(stub.get("Lease", "fairlead-system", "fairlead-controller")),
  );
  const election = createKubeElection({
    client,
    clock: later,
    random: () => 0.5,
    namespace: "fairlead-system",
    identity,
    leaseMs: LEASE_MS,
  });
  await election.start({
    onLead: () => void told.push("lead"),
    onLost: () => void told.push("lost"),
    onChange: () => undefined,
  });
  return {
    clock,
    election,
    told,
    jump: (ms) => {
      stoppedMs += ms;
    },
    isQuiet,
    [Symbol.asyncDispose]: async () => {
      await election[Symbol.asyncDispose]();
    },
  };
}

/** A client of which one can see whether something is on its way to it. */
function observed(
  client: KubeClient,
  newest: () => number,
): { readonly client: KubeClient; readonly isQuiet: () => boolean } {
  let unanswered = 0;
  const watched = new Set<{ version: number }>();
  const request: KubeClient["request"] = async (what, signal) => {
    unanswered += 1;
    return await client.request(what, signal).finally(() => void (unanswered -= 1));
  };
  const watch: KubeClient["watch"] = async (what, watcher) => {
    const seen = { version: Number(what.query?.["resourceVersion"]) };
    let isOpen = false;
    unanswered += 1;
    const onOpen = (): void => {
      isOpen = true;
      unanswered -= 1;
      watched.add(seen);
      watcher.onOpen();
    };
    const onLine = (line: unknown): void => {
      seen.version = versionOf((line as { readonly object: unknown }).object);
      watcher.onLine(line);
    };
    await client.watch(what, { ...watcher, onOpen, onLine }).finally(() => {
      if (!isOpen) unanswered -= 1;
      watched.delete(seen);
    });
  };
  const isSeen = (): boolean => [...watched].every(({ version }) => version >= newest());
  return { client: { ...client, request, watch }, isQuiet: () => unanswered === 0 && isSeen() };
}

/** Lets time pass for these in small steps; it stands still while something is on its way. */
async function pass(candidates: readonly Candidate[], ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    for (const { clock } of candidates) await clock.advance(500);
    await until(() => candidates.every((one) => one.isQuiet()));
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const endMs = system.nowMs() + 5000;
  while (!isSo()) {
    assert.ok(system.nowMs() < endMs, "in vain");
    await system.sleep(5);
  }
}

/** 0 for what is not there. */
function versionOf(object: unknown): number {
  return Number((object as Named | undefined)?.metadata.resourceVersion ?? 0);
}

interface Named {
  readonly metadata: { readonly resourceVersion?: string };
}

function metadataOf(object: unknown): object {
  return (object as { readonly metadata: object }).metadata;
}
