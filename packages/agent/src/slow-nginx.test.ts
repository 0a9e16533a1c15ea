// A host that has no time for its nginx: a new file is not in force when its time is over, and no
// listener of it is to blame. On a fake host and the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { AgentReport, Remark, Resource } from "@fairlead/model";
import {
  type FakeHost,
  acceptedPlan,
  deviceVipOf,
  fakeWorld,
  laneOf,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  vipOf,
} from "@fairlead/testkit";

import { RETRY_MS, RETRY_MS_MAX } from "./converge-times.ts";

const LANE = laneOf({ routerId: 51, order: ["a=192.0.2.11", "b=192.0.2.12"] });
const PORTS = [8080, 8081, 8082, 8083, 8084, 8085, 8086, 8087];
const DETAIL = "nginx: its new file did not serve within 4000 ms";
const ANSWER_MS = 4000;

/** The first so many listeners of an address. */
function web(count: number): readonly Resource[] {
  const listeners = PORTS.slice(0, count).map((port) =>
    listenerOf(`192.0.2.100:${port}/tcp`, ["192.0.2.21:8080"]),
  );
  return [LANE, vipOf("192.0.2.100", LANE), ...listeners.flat()];
}

/** Ports that nginx listens on, and that the host lets clients in to. */
function served(host: FakeHost): number {
  const listening = host.lines().filter((line) => line.startsWith("listen "));
  const open = host.guard.letsIn().map((place) => `listen ${place.replace("/tcp", "")}`);
  return listening.filter((line) => open.includes(line)).length;
}

function problemOf({ resources }: AgentReport): Remark | undefined {
  return [...resources.values()].flatMap((entry) => entry.problem ?? [])[0];
}

interface Slow {
  readonly nginx: FakeHost["nginx"];
  /** Monotonic ms of each try. */
  readonly triesMs: readonly number[];
  /** While it is busy, a file with more listeners than this takes too long. */
  fastCount: number;
}

function slowNginx({ nginx }: FakeHost, clock: ReturnType<typeof fakeWorld>["clock"]): Slow {
  const triesMs: number[] = [];
  const slow: Slow = {
    triesMs,
    fastCount: 0,
    nginx: {
      ...nginx,
      apply: async (text, generation, news) => {
        triesMs.push(clock.nowMs());
        const count = text.match(/listen 192/g)?.length ?? 0;
        if (count <= slow.fastCount) return await nginx.apply(text, generation, news);
        await clock.sleep(ANSWER_MS);
        return { kind: "undecided", remark: { reason: "DataPlaneDown", detail: DETAIL } };
      },
    },
  };
  return slow;
}

/** A host whose agent was stopped when it served these, and whose nginx will be slow. */
async function slowHost(resources?: readonly Resource[]) {
  const stage = fakeWorld();
  const { clock } = stage;
  const { host, loop } = await startFakeAgent(stage, "a");
  if (resources !== undefined) loop.accept(acceptedPlan("a", resources));
  await clock.advance(50);
  await loop[Symbol.asyncDispose]();
  return { clock, host, slow: slowNginx(host, clock) };
}

/** Between the end of a try that took too long and the next one, in ms. */
function restsMs({ triesMs }: Slow): readonly number[] {
  return triesMs.slice(1).map((atMs, at) => atMs - (triesMs[at] ?? 0) - ANSWER_MS);
}

test("a listener that met a busy host is served when the host is idle again", async () => {
  const { clock, host, slow } = await slowHost();
  const a = await restartFakeAgent(clock, host, slow.nginx);
  a.loop.accept(acceptedPlan("a", web(1)));
  await clock.advance(ANSWER_MS + 100);
  const problem = problemOf(a.last());
  assert.deepEqual([problem?.reason, problem?.detail], ["DataPlaneDown", DETAIL]);
  assert.equal(served(host), 0);
  slow.fastCount = PORTS.length;
  await clock.advance(RETRY_MS + 100);
  assert.equal(served(host), 1);
  assert.equal(problemOf(a.last()), undefined);
});

test("a host that is too slow for its nginx is tried less and less often, whole", async () => {
  const { clock, host, slow } = await slowHost();
  const a = await restartFakeAgent(clock, host, slow.nginx);
  a.loop.accept(acceptedPlan("a", web(8)));
  await clock.advance(3_600_000);
  assert.deepEqual(restsMs(slow).slice(0, 3), [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]);
  assert.equal(Math.max(...restsMs(slow)), RETRY_MS_MAX);
});

test("what is served stays, and changes come, while a new listener meets a busy host", async () => {
  const { clock, host, slow } = await slowHost(web(7));
  slow.fastCount = 7;
  const a = await restartFakeAgent(clock, host, slow.nginx);
  a.loop.accept(acceptedPlan("a", web(8)));
  await clock.advance(60_000);
  assert.equal(served(host), 7);
  a.loop.accept(acceptedPlan("a", web(6)));
  await clock.advance(3000);
  assert.equal(served(host), 6);
});

test("an upgraded agent on a busy host leaves out nothing that nginx serves", async () => {
  const { clock, host, slow } = await slowHost(web(7));
  slow.fastCount = 4;
  // What the release before served has an id that this one does not make.
  const isOld = (): boolean => slow.fastCount === 4;
  const generation: FakeHost["nginx"]["generation"] = async (agoMsMax) => {
    const id = await host.nginx.generation(agoMsMax);
    return isOld() && id !== undefined ? "0123456789abcdef" : id;
  };
  const a = await restartFakeAgent(clock, host, { ...slow.nginx, generation });
  a.loop.accept(acceptedPlan("a", web(8)));
  for (let second = 0; second < 60; second += 1) {
    await clock.advance(1000);
    assert.equal(served(host), 7, `${second} s after the start`);
  }
  slow.fastCount = PORTS.length;
  await clock.advance(RETRY_MS_MAX);
  assert.equal(served(host), 8);
});

test("an nginx that has no time to answer is not taken for a stranger on its ports", async () => {
  const stage = fakeWorld();
  let isBusy = false;
  const taken = { reason: "PortTaken", detail: "nginx has it" } as const;
  const { host, loop } = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: () => (isBusy ? taken : undefined),
  });
  loop.accept(acceptedPlan("a", web(7)));
  await stage.clock.advance(50);
  const generation: FakeHost["nginx"]["generation"] = async (agoMsMax) =>
    isBusy ? undefined : await host.nginx.generation(agoMsMax);
  await loop[Symbol.asyncDispose]();
  isBusy = true;
  const a = await restartFakeAgent(stage.clock, host, { ...host.nginx, generation });
  await stage.clock.advance(1000);
  assert.equal(served(host), 7, "after a restart of the agent");
  a.loop.accept(acceptedPlan("a", web(6)));
  await stage.clock.advance(10_000);
  assert.equal(served(host), 6, "after a change");
});

test("plans that come every second are no reason to try again what nginx had no time for", async () => {
  const { clock, host, slow } = await slowHost();
  const a = await restartFakeAgent(clock, host, slow.nginx);
  for (let second = 0; second < 120; second += 1) {
    const pods = listenerOf("192.0.2.100:8080/tcp", [`192.0.2.${21 + (second % 2)}:8080`]);
    a.loop.accept(acceptedPlan("a", [LANE, vipOf("192.0.2.100", LANE), ...pods]));
    await clock.advance(1000);
    const { reason } = problemOf(a.last()) ?? {};
    if (second > 5) assert.equal(reason, "DataPlaneDown", `after ${second} s`);
  }
  // At once, and after 5, 10, 20 and 40 s of rest.
  assert.equal(slow.triesMs.length, 5);
  slow.fastCount = PORTS.length;
  await clock.advance(16 * RETRY_MS);
  assert.equal(served(host), 1);
  assert.equal(problemOf(a.last()), undefined);
});

test("what nginx had no time for is no reason to wait with another file", async () => {
  const { clock, host, slow } = await slowHost(web(2));
  slow.fastCount = 3;
  const a = await restartFakeAgent(clock, host, slow.nginx);
  a.loop.accept(acceptedPlan("a", web(8)));
  await clock.advance(60_000);
  assert.equal(served(host), 2);
  a.loop.accept(acceptedPlan("a", web(3)));
  await clock.advance(1000);
  assert.equal(served(host), 3);
});

test("a removed port stays shut, and is named, while nginx has no time to let go of it", async () => {
  const { clock, host, slow } = await slowHost(web(2));
  slow.fastCount = 2;
  const a = await restartFakeAgent(clock, host, slow.nginx);
  await clock.advance(1000);
  assert.equal(served(host), 2);
  slow.fastCount = 0;
  a.loop.accept(acceptedPlan("a", web(1)));
  for (let second = 1; second < 60; second += 1) {
    await clock.advance(1000);
    // It may take the file yet, and then the host's own service would answer.
    assert.deepEqual(host.guard.letsIn(), ["192.0.2.100:8080/tcp"], `after ${second} s`);
    if (second <= ANSWER_MS / 1000) continue;
    const said = a.last().remarks.map(({ detail }) => detail);
    assert.deepEqual(said, [DETAIL], `after ${second} s`);
    const [serve] = a.loop.view().pass?.steps.filter(({ kind }) => kind === "serve") ?? [];
    assert.deepEqual([serve?.outcome, serve?.detail], ["refused", DETAIL]);
  }
  slow.fastCount = PORTS.length;
  await clock.advance(16 * RETRY_MS);
  assert.deepEqual(
    host.lines().filter((line) => line.startsWith("listen ")),
    ["listen 192.0.2.100:8080"],
  );
  assert.deepEqual(a.last().remarks, []);
});

test("an address that the kernel refused comes back while nginx has no time", async () => {
  const stage = fakeWorld();
  let isRefused = true;
  const { host, loop } = await startFakeAgent(stage, "a", {
    failing: (call) => isRefused && call === "kernel.putAddress",
  });
  await loop[Symbol.asyncDispose]();
  const a = await restartFakeAgent(stage.clock, host, slowNginx(host, stage.clock).nginx);
  a.loop.accept(
    acceptedPlan("a", [
      deviceVipOf("192.0.2.100"),
      ...listenerOf("192.0.2.100:8080/tcp", ["192.0.2.21:8080"]),
    ]),
  );
  await stage.clock.advance(120_000);
  isRefused = false;
  await stage.clock.advance(2 * RETRY_MS);
  assert.ok(host.lines().includes("address 192.0.2.100"));
});

test("an nginx that miscounts and has no time is tried less and less often too", async () => {
  const { clock, host, slow } = await slowHost(web(2));
  const generationsAlive: FakeHost["nginx"]["generationsAlive"] = async () =>
    (await host.nginx.generationsAlive()).map((one) => ({ ...one, miscounts: true }));
  await restartFakeAgent(clock, host, { ...slow.nginx, generationsAlive });
  await clock.advance(3_600_000);
  assert.equal(served(host), 2);
  assert.deepEqual(restsMs(slow).slice(0, 3), [RETRY_MS, 2 * RETRY_MS, 4 * RETRY_MS]);
});
