// A holder that runs out of something: room on its file systems, descriptors of the agent, time to
// run. What is served goes on, it is said what is missing, and it recovers by itself.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { pidOf, RUN_DIR } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { remarkedOf } from "./stage/remarked.ts";
import { claimOf, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Descriptors of an agent that can open nothing more. */
const FILES_MAX = 10;
/** Of a master of nginx that serves, and cannot even read its file again. */
const MASTER_FILES_MAX = 3;

story("a holder is out of room, of descriptors, of time: it serves on", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  const host = stage.lab.host(holder);
  await using probe = await startProbe(stage.client, { address, port: 80, everyMs: 20 });
  await probe.waitForAnswer(5_000);

  for (const [name, folder] of [
    ["one", STATE_DIR],
    ["two", RUN_DIR],
  ] as const) {
    await fill(host, folder);
    await stage.write(`${name}.yaml`, service({ name }));
    await remarkedOf(stage, { agent: holder, reason: "DiskUnwritable" });
    await free(host, folder);
    await stage.served(`default/${name}`);
  }
  // Who listens to a lane is told of no address that comes into it, and is never behind by one.
  await stage.backed();

  const pid = Number(await host.output("cut", ["-d", " ", "-f", "1", `${RUN_DIR}/agent.pid`]));
  await limitFiles(host, pid, `${FILES_MAX}:`);
  // It cannot even look at its host; its stream is open and needs no descriptor to say so.
  const detail = /^cannot look at its host.*EMFILE/;
  await remarkedOf(stage, { agent: holder, reason: "DataPlaneDown", detail });
  await stage.write("three.yaml", service({ name: "three" }));
  await stage.until("the holder is behind", ({ agents }) =>
    agents.find(({ name }) => name === holder)?.sync === "behind" ? true : undefined,
  );
  await limitFiles(host, pid, "4096:");
  await stage.served("default/three");

  await stage.agent(holder).freeze();
  await stage.write("four.yaml", service({ name: "four" }));
  await stage.until("it is planned without the frozen one", (list) =>
    claimOf(list, "default/four")?.addresses.length === 1 ? true : undefined,
  );
  stage.agent(holder).resume();
  await stage.served("default/four");

  assert.deepEqual(stage.recorder.holders(address), [holder], "nothing of it moves a lane");
  const seen = await probe.stop();
  noneFailed(seen);
});

story("nginx's master has no descriptor left: what is new waits, and comes", {}, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  const master = pidOf(host, "nginx/nginx.pid");
  await using probe = await startProbe(stage.client, { address, port: 80, everyMs: 20 });
  await probe.waitForAnswer(5_000);

  await limitFiles(host, master, `${MASTER_FILES_MAX}:`);
  await stage.write("two.yaml", service({ name: "two", ports: [{ port: 81, targetPort: 8080 }] }));
  const detail = /listener.*81.*Too many open files/;
  await remarkedOf(stage, { agent: holder, reason: "DataPlaneDown", detail });
  await limitFiles(host, master, "4096:");
  await stage.until("it has what is new, and nothing is wrong any more", ({ agents }) => {
    const agent = agents.find(({ name }) => name === holder);
    return agent?.sync === "in-sync" && agent.remarks.length === 0 ? true : undefined;
  });
  await stage.served("default/two");
  assert.equal(pidOf(host, "nginx/nginx.pid"), master);
  assert.deepEqual(stage.recorder.holders(address), [holder], "nothing of it moves a lane");
  noneFailed(await probe.stop());
});

/** Of what the process opens from now on; what is open stays. */
async function limitFiles(host: Host, pid: number, files: string): Promise<void> {
  await host.output("prlimit", ["--pid", String(pid), `--nofile=${files}`]);
}

/** Makes the folder's files lie on a file system of their own that has no room left. */
async function fill(host: Host, folder: string): Promise<void> {
  // The run directory is full of sockets and pipes that are open: it cannot be moved, only bounded.
  const used = "$(df -k --output=used /run | tail -1)";
  const moved = [
    `cp -a ${folder} /run/kept`,
    `mount -t tmpfs -o size=256k tmpfs ${folder}`,
    `cp -a /run/kept/. ${folder}`,
  ];
  const bound =
    folder === STATE_DIR ? moved.join(" && ") : `mount -o remount,size=$((${used} + 64))k /run`;
  const rest = folder === STATE_DIR ? folder : "/run";
  await host.output("sh", ["-c", `${bound}; cat /dev/zero >${rest}/rest 2>/dev/null; true`]);
}

async function free(host: Host, folder: string): Promise<void> {
  const rest = folder === STATE_DIR ? folder : "/run";
  await host.output("rm", [`${rest}/rest`]);
  if (folder !== STATE_DIR) await host.output("mount", ["-o", "remount,size=50%", "/run"]);
}
