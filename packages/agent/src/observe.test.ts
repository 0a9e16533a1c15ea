// One look at a host whose nginx keeps it waiting: what changes meanwhile is seen. On a fake host
// from testkit.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeHost, fakeWorld } from "@fairlead/testkit";

import { NOTHING_APPLIED } from "./applied.ts";
import { observeAmid } from "./observe.ts";

const VIP = "192.0.2.100";

test("what left the host while nginx was asked in vain is not seen on it", async () => {
  const host = createFakeHost({ name: "a", prefix: "192.0.2.11/24", ...fakeWorld() });
  host.addForeign(VIP);
  const generation = async (): Promise<undefined> => {
    // Its lane leaves, as a client gets no answer either.
    await Promise.resolve();
    host.takeAway(VIP);
    return undefined;
  };
  const nginx = { ...host.nginx, generation };
  const parts = { ...host, guard: host.guard.port, nginx };
  const doing = { phase: 0, applied: NOTHING_APPLIED };
  const { kernel } = await observeAmid(parts, () => doing);
  assert.deepEqual(
    kernel.addresses.map(({ address }) => address),
    ["192.0.2.11"],
  );
});
