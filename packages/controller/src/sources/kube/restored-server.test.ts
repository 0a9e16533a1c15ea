// A server whose store was put back to an older copy, and that answers before it is itself again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { createFakeClock } from "@fairlead/runtime";
import { startKubeStub } from "@fairlead/testkit";

import { createKubeClient } from "../../kube/kube-client.ts";
import { createListWatch } from "./list-watch.ts";

const SERVICE = {
  apiVersion: "v1",
  kind: "Service",
  spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
};
const WATCH = { verb: "watch", resource: "services" } as const;
/** Longer than a few waits between two tries, and long before the second look. */
const AGAIN_MS = 8_000;

test("what is made on a restored server that refuses first is seen at once", async () => {
  await using stub = await startKubeStub();
  const clock = createFakeClock();
  const client = createKubeClient({ access: stub.access, clock, userAgent: "test" });
  const seen = new Set<string>();
  const troubles: string[] = [];
  await using following = createListWatch({
    client,
    clock,
    random: () => 0.5,
    path: "/api/v1/services",
    read: () => true,
    listener: {
      onChanges: (changes) => {
        for (const { entry } of changes) seen.add(entry.key);
      },
      onListed: () => undefined,
      onTrouble: (trouble) => trouble && troubles.push(trouble.message),
    },
  });
  // What is under way over HTTP comes between two moments of the clock.
  const passUntil = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      await setImmediate();
      await clock.advance(50);
    }
  };
  following.start();
  await stub.watching("services");
  const copy = stub.snapshot();
  for (let writes = 0; writes < 10; writes += 1) stub.tick();
  stub.put({ ...SERVICE, metadata: { name: "late" } });
  await passUntil(() => seen.has("default/late"));

  // As an API server does until it has read who may do what.
  stub.forbid(WATCH);
  stub.restore(copy);
  stub.put({ ...SERVICE, metadata: { name: "fresh" } });
  await passUntil(() => /cannot watch/.test(troubles.at(-1) ?? ""));
  stub.allow(WATCH);
  const beginMs = clock.nowMs();
  await passUntil(() => seen.has("default/fresh") || clock.nowMs() - beginMs > AGAIN_MS);
  assert.ok(seen.has("default/fresh"), "what was made since is not seen");
});
