// What an instance of nginx is rendered from: limits by default, and how long old generations live.

import assert from "node:assert/strict";
import { test } from "node:test";

import { acceptedPlan, listenerOf } from "@fairlead/testkit";
import type { ListenerResource } from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import { nginxParts } from "./nginx-parts.ts";

const SETTINGS = { workerProcesses: 2, workerConnections: 8192 };

function partsOf(endpoint: string, policy: Partial<ListenerResource> = {}) {
  const [listener, members] = listenerOf(endpoint, ["10.0.0.1:53"], policy);
  const { revisions } = acceptedPlan("a", [listener, members]);
  const revision = revisions.get(listener.name);
  const membersRevision = revisions.get(members.name);
  assert.ok(revision !== undefined && membersRevision !== undefined);
  const served: ServedListener = { listener, members, revision, membersRevision };
  return nginxParts([served], SETTINGS);
}

const limits = [
  { name: "a UDP listener has a quarter of the sessions", at: "192.0.2.1:53/udp", wanted: 2048 },
  { name: "what was asked for counts", at: "192.0.2.1:53/udp", asked: 5000, wanted: 5000 },
  { name: "a TCP listener has no limit by itself", at: "192.0.2.1:80/tcp", wanted: undefined },
] as const;
for (const c of limits) {
  test(`limits: ${c.name}`, () => {
    const { listeners } = partsOf(c.at, "asked" in c ? { connectionsMax: c.asked } : {});
    assert.equal(listeners[0]?.connectionsMax, c.wanted);
  });
}

const drains = [
  { name: "ten minutes at least", drainTimeoutMs: 30_000, wanted: 600_000 },
  { name: "the longest drain time", drainTimeoutMs: 3_600_000, wanted: 3_600_000 },
] as const;
for (const { name, drainTimeoutMs, wanted } of drains) {
  test(`a generation that was replaced may go on for: ${name}`, () => {
    assert.equal(partsOf("192.0.2.1:80/tcp", { drainTimeoutMs }).shutdownTimeoutMs, wanted);
  });
}
