// A holder whose file systems take nothing any more: they are read-only, and then their device
// gives errors. What is served goes on, over a start of the agent too; it is said which file it is
// about, and it recovers by itself.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { remarkedOf } from "./stage/remarked.ts";
import { STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const RUN_DIR = "/run/fairlead";
/** A file that gives EIO to whoever reads or writes at its beginning: nothing is mapped there. */
const BAD_SECTOR = "/proc/self/mem";

story(
  "a holder's file systems are read-only, then give errors: it serves on, and recovers",
  { balancers: 2 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const { address, holder } = await stage.served("default/web");
    const host = stage.lab.host(holder);
    await using probe = await startProbe(stage.client, { address, port: 80, everyMs: 20 });
    await probe.waitForAnswer(5_000);

    for (const [name, folder] of [
      ["one", STATE_DIR],
      ["two", RUN_DIR],
    ] as const) {
      await host.output("mount", ["--bind", folder, folder]);
      await host.output("mount", ["-o", "remount,ro,bind", folder]);
      await stage.write(`${name}.yaml`, service({ name }));
      await remarkedOf(stage, {
        agent: holder,
        reason: "DiskUnwritable",
        detail: /read-only file system|the file system is read-only/,
      });
      await host.output("umount", ["-l", folder]);
      await stage.served(`default/${name}`);
    }

    const candidate = `${RUN_DIR}/nginx/candidate.conf`;
    await host.output("ln", ["-s", BAD_SECTOR, candidate]);
    await stage.write("three.yaml", service({ name: "three" }));
    await remarkedOf(stage, {
      agent: holder,
      reason: "DiskUnwritable",
      detail: /nginx\.conf: .*EIO/,
    });
    await host.output("rm", [candidate]);
    await stage.served("default/three");

    // Neither its last plan nor its ledger can be read: what its daemons have is not given up.
    await stage.agent(holder).kill();
    const files = ["plan.json", "ledger"].map((name) => `${STATE_DIR}/${name}`);
    for (const file of files) await spoil(host, file);
    await stage.agent(holder).start();
    await remarkedOf(stage, {
      agent: holder,
      reason: "DiskUnwritable",
      detail: /\/(?:plan\.json|ledger)\b/,
    });
    await host.output("rm", files);
    await stage.served("default/web");
    await stage.until("nothing is wrong any more", ({ agents }) =>
      agents.every(({ remarks }) => remarks.length === 0) ? true : undefined,
    );

    assert.deepEqual(stage.recorder.holders(address), [holder], "nothing of it moves a lane");
    const seen = await probe.stop();
    noneFailed(seen);
  },
);

async function spoil(host: Host, file: string): Promise<void> {
  await host.output("rm", [file]);
  await host.output("ln", ["-s", BAD_SECTOR, file]);
}
