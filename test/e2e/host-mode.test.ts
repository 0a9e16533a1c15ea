// Pools whose addresses are each host's own: a Service has one of every host, all of them answer,
// and a host that dies takes its own along and brings it back.

import assert from "node:assert/strict";

import { pool, service } from "./stage/manifests.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { visit } from "./stage/visitor.ts";

const ADDRESSES = ["10.77.0.120", "10.77.0.121", "10.77.0.122"];

story(
  "each host has an address of its own, and one that dies takes and brings back its own alone",
  { pools: [] },
  async (stage) => {
    const lan = pool("lan", ["10.77.0.120-10.77.0.129"]);
    const spec = { ...(lan["spec"] as object), mode: "host" };
    await stage.write("pool.yaml", [{ ...lan, spec }]);
    await stage.write("web.yaml", service({ name: "web" }));
    await published(stage, ADDRESSES);
    for (const [index, host] of stage.balancers.entries()) {
      assert.deepEqual(stage.recorder.holders(ADDRESSES[index] ?? ""), [host.name]);
    }
    assert.deepEqual(await silent(stage), []);

    const lost = stage.lab.host("lb2");
    stage.agent("lb2").abandon();
    await lost.crash();
    await stage.until(
      "the dead host is known",
      (list) =>
        list.agents.some(({ name, state }) => name === "lb2" && state === "disconnected") ||
        undefined,
    );
    assert.deepEqual(await silent(stage), ["10.77.0.121:80"]);
    await published(stage, ADDRESSES);

    await lost.boot();
    await stage.agent("lb2").start();
    await stage.recorder.waitForHolder("10.77.0.121", 15_000);
    assert.deepEqual(stage.recorder.holders("10.77.0.121"), ["lb2"]);
    await stage.inSync();
    assert.deepEqual(await silent(stage), []);
  },
);

async function published(stage: Stage, wanted: readonly string[]): Promise<void> {
  await stage.until(`${wanted.join(" and ")} are published`, (list) => {
    const found = list.claims.flatMap(({ addresses }) => addresses.filter((one) => one.published));
    return found.map(({ address }) => address).join() === wanted.join() || undefined;
  });
}

/** Which of the addresses answer nobody. */
async function silent(stage: Stage): Promise<readonly string[]> {
  const said = await visit(
    stage.client,
    ADDRESSES.map((address) => `${address}:80`),
  );
  return Object.keys(said).filter((target) => said[target] === null);
}
