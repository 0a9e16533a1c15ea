// A whole cluster that is followed while its API server shows nothing, answers late or is away for
// half an hour: what the controller knew by it stays in force and the operator is told, and the
// server is asked seldom. The stub on a fake clock, and the controller's own fold of the facts.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { makeStubStage, type StubStage } from "@fairlead/testkit";

import { type ClusterState, createClusterState, foldFacts } from "../../cluster-state.ts";
import { createKubeClient } from "../../kube/kube-client.ts";
import { type Fields, SAMPLE_SETTINGS, sampleService, sampleSlice } from "../sample-objects.ts";
import { createKubeSource } from "./kube-source.ts";

const S = 1000;
const MINUTE = 60 * S;
const ALWAYS = Number.POSITIVE_INFINITY;
const KINDS = ["services", "endpointslices"] as const;
const LATE_MS = 10 * S;
/** More requests than any story makes while answers are late. */
const REQUESTS_MAX = 60;

/** The cluster as the controller knows it. */
interface Cluster extends AsyncDisposable {
  readonly stage: StubStage;
  readonly source: ReturnType<typeof createKubeSource>;
  /** `web 10.0.0.1:8080`, and `web? 10.0.0.1:8080` while it is in doubt, by name. */
  inForce(): readonly string[];
  /** `REASON NAME: DETAIL`, by name. */
  findings(): readonly string[];
  isListed(): boolean;
  /** When each request set out, whether it came through or not, monotonic ms. */
  readonly askedMs: number[];
  untilInForce(...claims: readonly string[]): Promise<void>;
}

/** Starts to follow a cluster with the Services web and mail. */
async function follow(prepare: (stage: StubStage) => void = () => undefined): Promise<Cluster> {
  const stage = await makeStubStage();
  putService(stage, "mail", "10.0.0.2");
  putService(stage, "web", "10.0.0.1");
  prepare(stage);
  const { access, clock } = stage;
  const askedMs: number[] = [];
  const counted = {
    ...access,
    requestOptions: () => {
      askedMs.push(clock.nowMs());
      return access.requestOptions();
    },
  };
  const source = createKubeSource({
    client: createKubeClient({ access: counted, clock, userAgent: "story" }),
    clock,
    random: () => 0.5,
    settings: SAMPLE_SETTINGS,
    lookUp: () => Promise.resolve([]),
    cluster: "lab",
  });
  let state: ClusterState = createClusterState([]);
  let isListed = false;
  const started = source.start((facts) => {
    const at = { nowMs: clock.wallMs(), steadyMs: clock.nowMs() };
    ({ state } = foldFacts(state, facts, { ...at, sources: ["kubernetes"] }));
  });
  void started.then(
    () => (isListed = true),
    () => undefined,
  );
  const inForce = (): readonly string[] =>
    Array.from(state.claims.values(), ({ value, absent }) => {
      const members = value.listeners.flatMap((listener) => listener.members);
      const texts = members.map(({ address, port }) => `${address}:${port}`);
      return [`${value.name}${absent === undefined ? "" : "?"}`, ...texts].join(" ");
    }).toSorted();
  // The stub has no AddressPools, which is said all along.
  const findings = (): readonly string[] =>
    [...state.findings.values()]
      .filter(({ reason }) => reason !== "KindUnknown")
      .map(({ reason, name, detail }) => `${reason} ${name}: ${detail}`)
      .toSorted();
  return {
    stage,
    source,
    inForce,
    findings,
    isListed: () => isListed,
    askedMs,
    untilInForce: (...claims) =>
      stage.until(
        () => inForce().join() === claims.join(),
        () => `${claims.join()}; in force: ${inForce().join()}; ${findings().join("; ")}`,
      ),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await stage[Symbol.asyncDispose]();
    },
  };
}

/** Follows, until both Services are in force and watched. */
async function followed(): Promise<Cluster> {
  const cluster = await follow();
  const { stage } = cluster;
  await cluster.untilInForce(...BOTH);
  await stage.until(
    () => areWatched(stage),
    () => "both kinds are watched",
  );
  return cluster;
}

function areWatched({ stub }: StubStage): boolean {
  return KINDS.every((kind) => stub.watches(kind) === 1);
}

const BOTH = ["mail 10.0.0.2:8080", "web 10.0.0.1:8080"];

function putService({ stub }: StubStage, name: string, member: string): void {
  stub.put(sampleService({}, { name }));
  stub.put(slice(name, member));
}

function slice(name: string, member: string): Fields {
  const labels = { "kubernetes.io/service-name": name };
  return sampleSlice({
    metadata: { name: `${name}-1`, labels },
    endpoints: [{ addresses: [member] }],
  });
}

suite("a cluster whose lists are empty at once", () => {
  /** As when a right is taken from a server's cache, or another cluster answers under the name. */
  function empty({ stub }: StubStage, times: number): Disposable {
    const faults = KINDS.map((resource) => {
      const when = { resource, verb: "list", page: "first" } as const;
      stub.fault({ when: { resource, verb: "watch" }, do: { kind: "answer", status: 410 } });
      return stub.fault({ when, do: { kind: "empty-list" }, times });
    });
    stub.endWatches();
    return { [Symbol.dispose]: () => faults.forEach((fault) => fault[Symbol.dispose]()) };
  }
  const DOUBT = BOTH.map((claim) => claim.replace(" ", "? "));

  test("keeps every Service and member, and says so until a list has them again", async () => {
    await using cluster = await followed();
    empty(cluster.stage, 1);
    await cluster.untilInForce(...DOUBT);
    assert.deepEqual(cluster.findings(), [
      "SourceEmptied kubernetes: a whole list has none of the 2 Services that were there; " +
        "they stay in force until a second list agrees",
    ]);
    await cluster.untilInForce(...BOTH);
    assert.deepEqual(cluster.findings(), []);
  });

  test("lost them when a second list half a minute later agrees, and the finding ends", async () => {
    await using cluster = await followed();
    const { stage } = cluster;
    using _ = empty(stage, ALWAYS);
    await cluster.untilInForce(...DOUBT);
    const sinceMs = stage.clock.nowMs();
    await stage.until(
      () => cluster.inForce().join() !== DOUBT.join(),
      () => "something is let go",
    );
    assert.ok(stage.clock.nowMs() - sinceMs >= 29 * S, "nothing is let go before");
    await cluster.untilInForce();
    assert.deepEqual(cluster.findings(), []);
  });
});

suite("a cluster whose API server answers ten seconds late", () => {
  /** Every answer from now on. To be called as time passes. */
  function makeLate({ stub, clock }: StubStage): () => void {
    const waiting = Array.from({ length: REQUESTS_MAX }, () =>
      stub.fault({ when: {}, do: { kind: "delay" } }),
    );
    return () => {
      while (waiting[0]?.hits() === 1) {
        const late = waiting.shift();
        clock.setTimer(LATE_MS, () => late?.release());
      }
    };
  }

  test("is waited for: one question at a time, no trouble, and nothing planned before", async () => {
    let look = (): void => undefined;
    await using cluster = await follow((stage) => {
      look = makeLate(stage);
    });
    const { stage } = cluster;
    const { stub, clock } = stage;
    const passUntil = (isSo: () => boolean, what: string): Promise<void> =>
      stage.until(
        () => {
          look();
          assert.deepEqual(cluster.findings(), []);
          return isSo();
        },
        () => what,
      );
    await passUntil(() => clock.nowMs() >= LATE_MS - S, "ten seconds are over soon");
    assert.deepEqual([cluster.isListed(), cluster.inForce()], [false, []]);
    for (const resource of KINDS) assert.equal(stub.requests({ resource }).length, 1);
    await passUntil(() => cluster.isListed(), "it was listed");
    assert.deepEqual(cluster.inForce(), BOTH);

    await passUntil(() => areWatched(stage), "all is watched");
    stub.put(slice("web", "10.0.0.9"));
    const [mail] = BOTH;
    const isMoved = (): boolean => cluster.inForce().join() === [mail, "web 10.0.0.9:8080"].join();
    await passUntil(isMoved, "the other member is shown by the watch");
    await passUntil(() => clock.nowMs() >= MINUTE, "the second look is over");
    for (const [kind, { differences, failures }] of cluster.source.counts()) {
      assert.deepEqual({ kind, differences, failures }, { kind, differences: 0, failures: 0 });
    }
    for (const resource of KINDS) {
      const { list, watch } = stub.counts({ resource });
      assert.deepEqual({ resource, list, watch }, { resource, list: 2, watch: 1 });
    }
  });
});

suite("a cluster whose API server is away for half an hour", () => {
  test("stays in force and is asked seldom, and is caught up with when it is back", async () => {
    await using cluster = await followed();
    const { stage, askedMs } = cluster;
    const { stub, gate, clock } = stage;
    await gate.close();
    stub.put(slice("web", "10.0.0.9"));
    stub.remove("Service", "default", "mail");
    stub.remove("EndpointSlice", "default", "mail-1");
    putService(stage, "new", "10.0.0.3");
    askedMs.length = 0;
    const sinceMs = clock.nowMs();
    // No faster: the shortest wait between two tries is half a second.
    while (clock.nowMs() < sinceMs + 30 * MINUTE) await clock.advance(S / 2);
    assert.deepEqual(cluster.inForce(), BOTH);
    for (const kind of KINDS) {
      const said = cluster.findings().find((text) => text.includes(` kubernetes ${kind}: `));
      assert.match(said ?? "", /^SourceUnreadable .* cannot be reached: .* stays in force$/u);
    }

    const kinds = cluster.source.counts().size;
    const perMinute = Map.groupBy(askedMs, (ms) => Math.floor((ms - sinceMs) / MINUTE));
    const counts = Array.from({ length: 30 }, (_, minute) => perMinute.get(minute)?.length ?? 0);
    // The first tries come soon after each other; from then on two in half a minute.
    assert.ok(Math.max(...counts) <= 12 * kinds, `tries in each minute: ${counts.join()}`);
    assert.ok(Math.max(...counts.slice(2)) <= 6 * kinds, `tries in each minute: ${counts.join()}`);
    assert.ok(Math.min(...counts) >= kinds, `tries in each minute: ${counts.join()}`);

    stub.forgetRequests();
    await gate.open();
    const backMs = clock.nowMs();
    await cluster.untilInForce("mail? 10.0.0.2:8080", "new 10.0.0.3:8080", "web 10.0.0.9:8080");
    assert.ok(clock.nowMs() - backMs <= 31 * S, "it is found to be back within half a minute");
    await cluster.untilInForce("new 10.0.0.3:8080", "web 10.0.0.9:8080");
    assert.deepEqual(cluster.findings(), []);
    for (const resource of KINDS) {
      const { list, watch } = stub.counts({ resource });
      assert.deepEqual({ resource, list, watch }, { resource, list: 2, watch: 1 });
    }
  });
});

suite("nodes that somebody asks for while the cluster is followed", () => {
  test("hold nothing back where they may not be listed, and are known once they may", async () => {
    await using cluster = await followed();
    const { stage, source } = cluster;
    const { stub } = stage;
    assert.equal(stub.requests({ resource: "nodes" }).length, 0, "nobody has asked for them");
    const when = { resource: "nodes" } as const;
    const forbidden = stub.fault({ when, do: { kind: "answer", status: 403 }, times: ALWAYS });
    source.book.followNodes?.();
    await stage.until(
      () => cluster.findings().length > 0,
      () => "the right is named",
    );
    assert.match(
      cluster.findings().join(),
      /^SourceUnreadable kubernetes nodes: .* the rest goes on without it$/,
    );
    putService(stage, "new", "10.0.0.3");
    const [mail = "", web = ""] = BOTH;
    await cluster.untilInForce(mail, "new 10.0.0.3:8080", web);
    assert.equal(source.book.nodeAddresses?.(), undefined);

    let isTold = false;
    source.book.subscribeNodes?.(() => (isTold = source.book.nodeAddresses?.()?.size === 0));
    forbidden[Symbol.dispose]();
    await stage.until(
      () => isTold && cluster.findings().length === 0,
      () => "it is told that there are none, and the finding ends",
    );
  });
});
