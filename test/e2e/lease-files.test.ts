// Leases as operators look after them: one that rests is freed by hand, all of them are kept in a
// file, and that file is all there is of them when the disk of the controller is lost, with its
// store and the statuses beside its manifests. Agents serve on, and no client notices.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import type { ListJson } from "./stage/asker.ts";
import { pool, service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, MANIFESTS, program, type Stage, STATE_DIR } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

const FREED = "10.77.0.100";
const WEB = "10.77.0.101";
const OWN = ["10.77.0.120", "10.77.0.121", "10.77.0.122"];
/** Out of the way of what is lost. */
const FILE = "/run/host/leases.json";
const POOLS = "/run/host/pools";

/** Agents are waited for longer over a store that does not know what they run. */
const FIRST_PLAN_MS_MAX = 30_000;

story(
  "all leases come back from a file when the disk of the controller is lost",
  { pools: [] },
  async (stage) => {
    const hosts = pool("hosts", ["10.77.0.120-10.77.0.129"]);
    const spec = { ...(hosts["spec"] as object), mode: "host" };
    const pools = [pool("lan", ["10.77.0.100-10.77.0.109"]), { ...hosts, spec }];
    await stage.write("pools.yaml", pools);
    await serveAll(stage);
    await releaseByHand(stage);
    assert.match(await fairlead(stage, "lease", "export", FILE), /^done: 4 leases stand in /);
    const same = await fairlead(stage, "lease", "import", FILE, "--dry-run");
    assert.equal(same, "will: nothing changes; all 4 leases of the file are here already\n");

    await using web = await startProbe(stage.client, { address: WEB, port: 80 });
    await using own = await startProbe(stage.client, { address: OWN[1] ?? "", port: 80 });
    await Promise.all([web, own].map((probe) => probe.waitForAnswer(5_000)));
    await stage.controller.stop();
    await stage.control.output("rm", ["-r", STATE_DIR, `${MANIFESTS}/.status`]);
    await importApart(stage);
    await stage.controller.start();
    assert.equal((await stage.served("default/web", FIRST_PLAN_MS_MAX)).address, WEB);
    assert.deepEqual((await stage.until("own is ready", publishedOf("own"))).toSorted(), OWN);
    noneFailed(await web.stop(), "a client of web");
    noneFailed(await own.stop(), "a client of own");
  },
);

/** A Service of a lane, which has not the lowest address, and one of every host. */
async function serveAll(stage: Stage): Promise<void> {
  const lane = { "fairlead.io/address-pool": "lan" };
  await stage.write("gone.yaml", service({ name: "gone", annotations: lane }));
  assert.equal((await stage.served("default/gone")).address, FREED);
  await stage.write("web.yaml", service({ name: "web", annotations: lane }));
  assert.equal((await stage.served("default/web")).address, WEB);
  const annotations = { "fairlead.io/address-pool": "hosts" };
  await stage.write("own.yaml", service({ name: "own", annotations }));
  assert.deepEqual((await stage.until("own is ready", publishedOf("own"))).toSorted(), OWN);
}

/** The address of a Service that is gone is free as soon as an operator says so. */
async function releaseByHand(stage: Stage): Promise<void> {
  const stateOf = async (address: string): Promise<string> => {
    return await stage.until(`${address} is free or rests`, ({ addresses }) => {
      const state = addresses.find((one) => one.address === address)?.state ?? "free";
      return state === "free" || state === "quarantined" ? state : undefined;
    });
  };
  const held = await stage.fairlead("lease", "release", FREED);
  assert.match(held.stderr, /is held by default\/gone/);
  await stage.remove("gone.yaml");
  assert.equal(await stateOf(FREED), "quarantined");
  const said = await fairlead(stage, "lease", "release", FREED);
  assert.match(said, new RegExp(`^done: ${FREED} is free$`, "m"));
  assert.equal(await stateOf(FREED), "free");
}

/** A controller that no agent and no Service meets takes the file in. */
async function importApart(stage: Stage): Promise<void> {
  const { control } = stage;
  await control.output("mkdir", [POOLS]);
  await control.output("cp", [`${MANIFESTS}/pools.yaml`, POOLS]);
  const apart = await control.start(program("fairlead-controller"), [
    "--insecure",
    `--source=${POOLS}`,
    `--state-dir=${STATE_DIR}`,
    "--listen-agents=127.0.0.1:7702",
  ]);
  await apart.waitForLine(/ serves /, 20_000);
  let dry = await stage.fairlead("lease", "import", FILE, "--dry-run");
  // It waits a moment for agents before it can say anything.
  while (/can be done now/.test(dry.stderr)) {
    dry = await stage.fairlead("lease", "import", FILE, "--dry-run");
  }
  const [first, second, third] = OWN;
  const owned = [first, second, third].map((address) => `will: ${address}: default/own\n`);
  assert.equal(dry.stdout, [`will: ${WEB}: default/web\n`, ...owned].join(""), dry.stderr);
  assert.doesNotMatch(await fairlead(stage, "lease", "list"), /default/, "nothing was changed");
  const done = await fairlead(stage, "lease", "import", FILE);
  assert.match(done, /^done: 4 of 4 leases came in; the others were here already$/m);
  const { code, forced } = await apart.stop("SIGTERM", 10_000);
  assert.deepEqual({ code, forced }, { code: 0, forced: false });
}

/** Gives what `fairlead` says; it must do well. */
async function fairlead(stage: Stage, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await stage.fairlead(...args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The published addresses of a Service that is ready, once each host has one. */
function publishedOf(name: string): (list: ListJson) => readonly string[] | undefined {
  return (list) => {
    const claim = claimOf(list, `default/${name}`);
    const published = claim?.addresses.filter((one) => one.published) ?? [];
    const isAll = claim?.state === "ready" && published.length === OWN.length;
    return isAll ? published.map(({ address }) => address) : undefined;
  };
}
