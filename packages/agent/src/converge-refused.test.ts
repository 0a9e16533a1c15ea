// What nginx cannot serve on a fake host, a port that is taken or a listener that it refuses: it is
// left out and named, and keeps nothing else from being served.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  acceptedPlan,
  fakeWorld,
  listenerOf,
  NEW_LANE,
  startFakeAgent,
  vipOf,
  WEB_MEMBERS,
  webService,
} from "@fairlead/testkit";

test("a port that another process has is left out by name, and the others serve", async () => {
  const stage = fakeWorld();
  const taken = { reason: "PortTaken", detail: "sshd (pid 7) has it" } as const;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: (endpoint) => (endpoint.endsWith(":22/tcp") ? taken : undefined),
  });
  const ssh = listenerOf("192.0.2.100:22/tcp", WEB_MEMBERS);
  a.loop.accept(acceptedPlan("a", [...webService(), ...ssh]));
  await stage.clock.advance(50);
  assert.deepEqual(a.host.lines(), ["address 192.0.2.100", "listen 192.0.2.100:80"]);
  assert.equal(a.last().resources.get(ssh[0].name)?.problem?.detail, "sshd (pid 7) has it");
});

test("a port that is taken while nginx is down keeps the others from nothing", async () => {
  const stage = fakeWorld();
  let takenBy: string | undefined;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    portTaken: (endpoint) =>
      endpoint.endsWith(":2222/tcp") && takenBy !== undefined
        ? { reason: "PortTaken", detail: `${endpoint} is in use by ${takenBy}` }
        : undefined,
    nginxRefuses: (text) =>
      text.includes(":2222") && takenBy !== undefined
        ? { reason: "ConfigRejected", detail: "bind() failed" }
        : undefined,
  });
  const ssh = listenerOf("192.0.2.100:2222/tcp", WEB_MEMBERS);
  a.loop.accept(acceptedPlan("a", [...webService(), ...ssh]));
  await stage.clock.advance(3000);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 2);

  takenBy = "sshd";
  a.host.killNginx();
  await stage.clock.advance(12_000);
  assert.deepEqual(
    a.host.lines().filter((line) => line.startsWith("listen")),
    ["listen 192.0.2.100:80"],
  );
  const problems = [...a.last().resources.values()].flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name} ${problem.reason}`],
  );
  assert.deepEqual(problems, ["listener/192.0.2.100/tcp/2222 PortTaken"]);

  takenBy = undefined;
  await stage.clock.advance(12_000);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 2);
});

test("one listener that nginx refuses is found by halving; nine others serve", async () => {
  const stage = fakeWorld();
  const words = { reason: "ConfigRejected", detail: "nginx: host not found" } as const;
  const a = await startFakeAgent(stage, "a", {
    failing: () => false,
    nginxRefuses: (text) => (text.includes(":8007;") ? words : undefined),
  });
  const many = Array.from({ length: 10 }, (_, i) =>
    listenerOf(`192.0.2.100:${8000 + i}/tcp`, WEB_MEMBERS),
  ).flat();
  a.loop.accept(acceptedPlan("a", [NEW_LANE, vipOf("192.0.2.100", NEW_LANE), ...many]));
  await stage.clock.advance(50);
  assert.equal(a.host.lines().filter((line) => line.startsWith("listen")).length, 9);
  const refused = [...a.last().resources.values()].filter((entry) => entry.problem !== undefined);
  assert.deepEqual(
    refused.map((entry) => [entry.name, entry.problem?.detail]),
    [["listener/192.0.2.100/tcp/8007", "nginx: host not found"]],
  );
});
