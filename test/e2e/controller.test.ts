// The controller that dies: at any moment while Services change, and for good while hosts die. What
// is served goes on being served, and no lease is lost or given out twice.

import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";

import { startProbe } from "@fairlead/lab";

import { HTTP, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { createSeeded } from "./stage/seeded.ts";
import { claimOf, program, type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { visit } from "./stage/visitor.ts";

const chance = createSeeded();
const KILLS = 6;
const NAMES = ["a", "b", "c", "d", "e", "f"] as const;
const TAKEOVER_MS_MAX = 5_000;
/** As heard by the successor; the controller was away for longer, and the machine may be busy. */
const GAP_MS_MAX = 2_000;
const TOLD_MS_MAX = 15_000;

story(
  `the controller is killed at random while Services change (FAIRLEAD_SEED=${chance.seed})`,
  {},
  async (stage) => {
    await stage.write("stays.yaml", service({ name: "stays" }));
    const stays = await stage.served("default/stays");
    const durationMs = 110_000;
    const toStays = { address: stays.address, port: 80, durationMs };
    await using probe = await startProbe(stage.client, toStays);
    await probe.waitForAnswer(5_000);
    const wanted = new Map<string, number>();

    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let change = 0; change <= chance.below(4); change += 1) {
        const name = chance.pick(NAMES);
        if (chance.below(3) === 0) {
          wanted.delete(name);
          await stage.remove(`${name}.yaml`);
        } else {
          const port = 8000 + chance.below(1000);
          wanted.set(name, port);
          await stage.write(`${name}.yaml`, service({ name, ports: [{ ...HTTP, port }] }));
        }
      }
      // Not a wait for something: the moment of the kill is what is random here.
      await wait(chance.below(400));
      await stage.controller.kill();
      await stage.controller.start();
    }

    await stage.until("all that is wanted is served, and nothing else", (list) => {
      const names = list.claims.map(({ name }) => name).toSorted();
      const isDone = list.claims.every(({ state }) => state === "ready");
      const isWanted = names.join() === [...wanted.keys(), "stays"].toSorted().join();
      // Who has not come back yet serves what it was told last, and that counts as ready.
      const areBack = list.agents.filter(({ state }) => state === "connected").length === 3;
      return isDone && isWanted && areBack ? true : undefined;
    });
    await stage.inSync();
    // Deleted while nobody looked is only absent: it counts as gone when a second whole list says
    // so 30 s later, and not before.
    const list = await stage.until(
      "no address is held for nobody",
      (now) => {
        const held = now.addresses.filter(({ state }) => state !== "quarantined");
        return held.length === wanted.size + 1 ? now : undefined;
      },
      60_000,
    );
    await stage.inSync();
    const targets = [...wanted].map(([name, port]) => {
      const address = claimOf(list, `default/${name}`)?.addresses[0]?.address ?? "nothing";
      return `${address}:${port}`;
    });
    const addresses = list.claims.flatMap((claim) => claim.addresses.map((at) => at.address));
    assert.equal(new Set(addresses).size, wanted.size + 1, addresses.join(" "));
    const seen = await visit(stage.client, targets);
    assert.deepEqual(
      targets.filter((target) => !/^member\d 8080 /.test(seen[target] ?? "")),
      [],
      "these do not answer",
    );
    assert.deepEqual(await stage.served("default/stays"), stays, "it keeps address and holder");
    const probed = await probe.stop();
    noneFailed(probed);
  },
);

story("without any controller a host dies, and an agent starts again", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);
  await stage.controller.kill();

  stage.agent(holder).abandon();
  await stage.lab.host(holder).crash();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);

  // The agent of the new holder starts again and finds no controller: its last good plan holds.
  const host = stage.lab.host(next);
  await stage.agent(next).kill();
  await stage.agent(next).start();
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  assert.deepEqual(stage.recorder.holders(address), [next]);

  // The dead host boots, still without a controller: it serves its last good plan too.
  await stage.lab.host(holder).boot();
  await stage.agent(holder).start();
  await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX);
  await host.cutLink();
  await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, next);
  await probe.waitForAnswer(TAKEOVER_MS_MAX);
  await host.healLink();

  // The controller is back: what it says is what is.
  await stage.controller.start();
  const after = await stage.served("default/web", 30_000);
  assert.equal(after.address, address);
});

story("a host dies without any controller: who comes back says what moved", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  await stage.controller.kill();
  stage.agent(holder).abandon();
  await stage.lab.host(holder).crash();
  const next = await stage.recorder.waitForHolder(address, TAKEOVER_MS_MAX, holder);

  await stage.controller.start();
  const line = new RegExp(`moved address=${address} from=${holder} to=${next} .*gap="(\\d+) ms"`);
  const [, gap] = await stage.controller.waitForLine(line, TOLD_MS_MAX);
  assert.ok(Number(gap) > 0 && Number(gap) < GAP_MS_MAX, `gap ${gap} ms`);
  const why = `${holder} is out of reach; ${holder} had it before this controller led`;
  assert.deepEqual(await movedOf(stage, address), [
    `from ${holder} to ${next}, unplanned, gap ${gap} ms: ${why}`,
  ]);

  // Nothing moved since: the next life has nothing to tell.
  await stage.controller.kill();
  await stage.controller.start();
  assert.equal((await stage.served("default/web")).holder, next);
  assert.deepEqual(await movedOf(stage, address), []);
});

/** Moves of the address as explain tells them, the latest first. */
async function movedOf(stage: Stage, address: string): Promise<readonly string[]> {
  const { steps } = await stage.asker.explain(address);
  return steps.filter(({ title }) => title === "Moved").map(({ detail }) => detail);
}

story("a second controller on the same store is refused", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const web = await stage.served("default/web");
  const second = await stage.control.exec(program("fairlead-controller"), [
    "--insecure",
    "--source=/run/host/manifests",
    `--state-dir=${STATE_DIR}`,
    "--listen-agents=127.0.0.1:17702",
    "--listen-admin=127.0.0.1:17705",
    "--listen-metrics=127.0.0.1:17704",
    "--listen-rest=127.0.0.1:17701",
  ]);
  assert.equal(second.code, 1, second.stderr);
  assert.match(`${second.stdout}${second.stderr}`, /another controller|in use|locked/i);
  assert.deepEqual(await stage.served("default/web"), web);
});
