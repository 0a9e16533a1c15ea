// The chief stories once more in a lab that a normal user made, who is root of nothing outside: a
// Service is created, its holder fails, it is deleted, and twenty are served.

import assert from "node:assert/strict";

import { asNormalUser, startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { TOP } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

const user = asNormalUser(TOP);
const MANY = 20;

story("as a normal user: created, failed over and deleted", { user }, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const byMember = await answers(stage.client, { address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);

  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);
  await stage.lab.host(holder).cutLink();
  const next = await stage.recorder.waitForHolder(address, 5_000, holder);
  await probe.waitForAnswer(5_000);
  await probe.stop();
  await stage.lab.host(holder).healLink();
  await stage.until("all agents are connected", ({ agents }) =>
    agents.every(({ state }) => state === "connected") ? true : undefined,
  );
  assert.equal((await stage.served("default/web")).holder, next);

  await stage.remove("web.yaml");
  await stage.until("its address is given up", ({ addresses }) =>
    addresses.every(({ state }) => state === "quarantined") ? true : undefined,
  );
  assert.deepEqual(await stage.recorder.heldNow(address), []);
});

story("as a normal user: twenty VIPs", { user }, async (stage) => {
  const names = Array.from({ length: MANY }, (_, index) => `s${index}`);
  await stage.write(
    "many.yaml",
    names.flatMap((name) => service({ name })),
  );
  const targets: string[] = [];
  for (const name of names) targets.push(`${(await stage.served(`default/${name}`)).address}:80`);
  assert.equal(new Set(targets).size, MANY);
  const seen = await visit(stage.client, targets);
  assert.deepEqual(
    targets.filter((target) => !/^member\d /.test(seen[target] ?? "")),
    [],
  );
});
