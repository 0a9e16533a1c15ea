// The folder of manifests that vanishes: unmounted, removed, empty at the controller's start. None
// of that is a wish, so nothing is removed, and it is said what is the matter until it is well
// again.

import assert from "node:assert/strict";

import { monotonicMs, type Probe, startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { MANIFESTS, type Served, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const NAMES = ["a", "b", "c"] as const;

story("the folder is unmounted and comes back: nothing happens", {}, async (stage) => {
  const { before, probe } = await serveThree(stage);
  await using client = probe;
  const unmountedMs = monotonicMs();
  // What an unmounted folder shows: an empty one.
  await stage.control.output("mount", ["-t", "tmpfs", "tmpfs", MANIFESTS]);
  await findingIs(stage, "SourceEmptied", true);
  await sameAs(stage, before);
  await stage.control.output("umount", [MANIFESTS]);
  await findingIs(stage, "SourceEmptied", false);
  await sameAs(stage, before);
  const moved = stage.recorder.history().filter(({ atMs }) => atMs > unmountedMs);
  assert.deepEqual(moved, [], "no address came or went on any host");
  noneFailed(await client.stop());

  // It is followed again: one that is deleted now was seen to be deleted.
  await stage.remove("b.yaml");
  await stage.until("b is gone", ({ claims }) => (claims.length === 2 ? true : undefined));
});

story("a file is renamed, and two become one: nothing happens", {}, async (stage) => {
  const { before, probe } = await serveThree(stage);
  await using client = probe;
  await stage.control.output("mv", [`${MANIFESTS}/a.yaml`, `${MANIFESTS}/renamed.yaml`]);
  const both = [...service({ name: "b" }), ...service({ name: "c" })];
  await stage.write("both.yaml", both);
  await stage.remove("b.yaml");
  await stage.remove("c.yaml");
  await stage.until("the new files are read", ({ claims }) => {
    const origins = claims.map(({ origin }) => origin).toSorted();
    return origins.join(" ") === "both.yaml both.yaml renamed.yaml" ? true : undefined;
  });
  await sameAs(stage, before);
  noneFailed(await client.stop());
});

story("the folder is removed and made again: nothing happens", {}, async (stage) => {
  const { before, probe } = await serveThree(stage);
  await using client = probe;
  await stage.control.output("mv", [MANIFESTS, `${MANIFESTS}-away`]);
  await findingIs(stage, "SourceUnreadable", true);
  await sameAs(stage, before);
  await stage.control.output("mv", [`${MANIFESTS}-away`, MANIFESTS]);
  await findingIs(stage, "SourceUnreadable", false);
  await sameAs(stage, before);
  noneFailed(await client.stop());
});

story("the controller starts while the folder is empty: leases are kept", {}, async (stage) => {
  const { before, probe } = await serveThree(stage);
  await using client = probe;
  await stage.controller.kill();
  await stage.control.output("mount", ["-t", "tmpfs", "tmpfs", MANIFESTS]);
  await stage.controller.start();
  await stage.until("the agents are back", ({ agents }) =>
    agents.length === 3 && agents.every(({ state }) => state === "connected") ? true : undefined,
  );
  await stage.inSync();
  for (const { address, holder } of before.values()) {
    assert.deepEqual(stage.recorder.holders(address), [holder]);
  }
  await stage.control.output("umount", [MANIFESTS]);
  await stage.until("the Services are back", ({ claims }) =>
    claims.length === NAMES.length ? true : undefined,
  );
  await sameAs(stage, before);
  noneFailed(await client.stop());
});

async function serveThree(
  stage: Stage,
): Promise<{ readonly before: ReadonlyMap<string, Served>; readonly probe: Probe }> {
  for (const name of NAMES) await stage.write(`${name}.yaml`, service({ name }));
  const before = new Map<string, Served>();
  for (const name of NAMES) before.set(name, await stage.served(`default/${name}`));
  const { address } = before.get("a") ?? { address: "" };
  const probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);
  return { before, probe };
}

async function sameAs(stage: Stage, before: ReadonlyMap<string, Served>): Promise<void> {
  for (const [name, served] of before) {
    assert.deepEqual(await stage.served(`default/${name}`), served, name);
  }
}

async function findingIs(stage: Stage, reason: string, isThere: boolean): Promise<void> {
  await stage.until(`${reason} is ${isThere ? "" : "not "}said`, ({ findings }) =>
    findings.some(({ remark }) => remark?.reason === reason) === isThere ? true : undefined,
  );
}
