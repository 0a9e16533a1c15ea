// A listener that nginx refused, afterwards: it costs the changes of others nothing, and is served
// as soon as it can be. On a fake host and the fake clock.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Resource } from "@fairlead/model";
import {
  acceptedPlan,
  type FakeHost,
  fakeWorld,
  listenerOf,
  restartFakeAgent,
  startFakeAgent,
  webService,
} from "@fairlead/testkit";

import { RETRY_MS } from "./converge-times.ts";
import { REFUSED_MS } from "./refused-listeners.ts";

const BAD = "192.0.2.100:81";
const MEMBERS = ["192.0.2.21:8080"];
const [BAD_LISTENER, BAD_MEMBERS] = listenerOf(`${BAD}/tcp`, MEMBERS);

/** A plan with the bad one and these beside it. */
function planWith(
  ports: readonly number[],
  bad: readonly Resource[] = [BAD_LISTENER, BAD_MEMBERS],
) {
  const others = ports.flatMap((port) => listenerOf(`192.0.2.100:${port}/tcp`, MEMBERS));
  return acceptedPlan("a", [...webService(), ...bad, ...others]);
}

/** An agent whose nginx has refused one listener. */
async function agentAfterRefusal() {
  const stage = fakeWorld();
  const { host, loop } = await startFakeAgent(stage, "a");
  await loop[Symbol.asyncDispose]();
  const nginx = { isBad: (text: string): boolean => text.includes(`listen ${BAD};`), refusals: 0 };
  const remark = { reason: "ConfigRejected", detail: "nginx: it is bad" } as const;
  const refuses = (text: string) => {
    if (!nginx.isBad(text)) return undefined;
    nginx.refusals += 1;
    return { kind: "refused", remark } as const;
  };
  const port: FakeHost["nginx"] = {
    ...host.nginx,
    check: async (text) => refuses(text),
    apply: async (text, ...more) => refuses(text) ?? (await host.nginx.apply(text, ...more)),
  };
  const agent = await restartFakeAgent(stage.clock, host, port);
  agent.loop.accept(planWith([]));
  await stage.clock.advance(2000);
  const isServed = (): boolean => agent.host.lines().includes(`listen ${BAD}`);
  const words = () => agent.last().resources.get(BAD_LISTENER.name)?.problem?.detail;
  assert.deepEqual([isServed(), words()], [false, "nginx: it is bad"]);
  return { agent, host, nginx, isServed, words, clock: stage.clock };
}

test("what nginx refused costs the changes of others no check, and is still named", async () => {
  const { agent, nginx, words, clock } = await agentAfterRefusal();
  const [refusals, { reloads }] = [nginx.refusals, agent.loop.view()];
  for (const port of [90, 91, 92, 93, 94]) {
    agent.loop.accept(planWith([port]));
    await clock.advance(2000);
    assert.ok(agent.host.lines().includes(`listen 192.0.2.100:${port}`));
    assert.equal(words(), "nginx: it is bad");
  }
  assert.equal(nginx.refusals, refusals);
  assert.equal(agent.loop.view().reloads, reloads + 5);
});

test("a refused listener is offered at once when its content changes", async () => {
  const { agent, nginx, isServed, words, clock } = await agentAfterRefusal();
  nginx.isBad = () => false;
  agent.loop.accept(planWith([90]));
  await clock.advance(2000);
  assert.equal(isServed(), false, "as it was it waits");
  const better = { ...BAD_LISTENER, connectionsMax: 100 };
  agent.loop.accept(planWith([90], [better, BAD_MEMBERS]));
  await clock.advance(2000);
  assert.deepEqual([isServed(), words()], [true, undefined]);
});

test("a refused listener is tried again after minutes, and costs one check while it is bad", async () => {
  const { agent, nginx, isServed, words, clock } = await agentAfterRefusal();
  const { refusals } = nginx;
  await clock.advance(2 * (REFUSED_MS + 2 * RETRY_MS));
  assert.equal(nginx.refusals, refusals + 2);
  assert.equal(words(), "nginx: it is bad");
  nginx.isBad = () => false;
  await clock.advance(REFUSED_MS + 2 * RETRY_MS);
  assert.deepEqual([isServed(), words()], [true, undefined]);
  assert.deepEqual(agent.last().remarks, []);
});

test("an nginx that is started anew may be another one: what was refused is tried again", async () => {
  const { agent, host, nginx, isServed, clock } = await agentAfterRefusal();
  nginx.isBad = () => false;
  host.killNginx();
  await clock.advance(2 * RETRY_MS);
  assert.equal(isServed(), true);
  assert.ok(agent.host.lines().includes("listen 192.0.2.100:80"));
});

test("what is served and refused in its new content serves on as it was, beside the changes", async () => {
  const { agent, nginx, clock } = await agentAfterRefusal();
  nginx.isBad = (text) => text.includes("limit_conn");
  const [listener, members] = listenerOf("192.0.2.100:90/tcp", MEMBERS);
  const line = "listen 192.0.2.100:90";
  agent.loop.accept(planWith([90, 91]));
  await clock.advance(2000);
  const worse = [{ ...listener, connectionsMax: 100 }, members];
  agent.loop.accept(planWith([91], worse));
  await clock.advance(2000);
  const { refusals } = nginx;
  agent.loop.accept(planWith([92], worse));
  await clock.advance(2000);
  const words = agent.last().resources.get(listener.name)?.problem?.detail;
  assert.deepEqual([words, nginx.refusals], ["nginx: it is bad", refusals]);
  assert.ok(agent.host.lines().includes(line));
  assert.ok(agent.host.lines().includes("listen 192.0.2.100:92"));
});

test("an nginx that refuses whatever it is given blames no listener, and serves once it is whole", async () => {
  const stage = fakeWorld();
  const { host, loop } = await startFakeAgent(stage, "a");
  await loop[Symbol.asyncDispose]();
  const words = 'nginx: unknown directive "stream"';
  let [isWhole, asked] = [false, 0];
  const refuses = () => {
    asked += 1;
    const remark = { reason: "ConfigRejected", detail: words } as const;
    return isWhole ? undefined : ({ kind: "refused", remark } as const);
  };
  const agent = await restartFakeAgent(stage.clock, host, {
    ...host.nginx,
    check: async () => refuses(),
    apply: async (text, ...more) => refuses() ?? (await host.nginx.apply(text, ...more)),
  });
  const ports = Array.from({ length: 50 }, (_, at) => 8000 + at);
  agent.loop.accept(planWith(ports));
  await stage.clock.advance(100);
  const said = [...agent.last().resources.values()].flatMap(({ problem }) => problem?.detail ?? []);
  assert.deepEqual(
    said,
    Array.from({ length: 52 }, () => words),
  );
  asked = 0;
  await stage.clock.advance(12 * RETRY_MS);
  assert.ok(asked <= 40, `${asked} times in a minute`);
  isWhole = true;
  await stage.clock.advance(RETRY_MS + 100);
  const listening = agent.host.lines().filter((line) => line.startsWith("listen "));
  assert.equal(listening.length, 52);
});
