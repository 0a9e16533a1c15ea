// The supervisor of the data plane that is itself killed, in part and whole, on the host that holds
// a lane: its daemons live on, or come back, and are looked after again; the address stays or goes
// to the other host, and is on both for no longer than it may.

import assert from "node:assert/strict";

import { type Host, startProbe } from "@fairlead/lab";

import { BACK_MS_MAX, daemonsOf } from "./stage/daemons.ts";
import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { signalAll } from "./stage/signal-all.ts";
import type { Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { supervisorsOf } from "./stage/supervisors.ts";

/** What is killed. How long both hosts had the address is judged where every story ends. */
const LOSSES: readonly {
  readonly what: string;
  readonly kill: (host: Host) => Promise<void>;
}[] = [
  { what: "the supervisor of keepalived is killed", kill: killKeepalivedsOwn },
  { what: "it is killed when nobody is left to start it again", kill: killScannerFirst },
  {
    what: "all of it is killed under a living keepalived",
    kill: async (host) => await signalAll(host, "KILL", supervisorsOf(host).all),
  },
];

story(
  "the supervisor is killed: nothing is orphaned, and no address is on two hosts",
  { balancers: 2 },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    for (const { what, kill } of LOSSES) {
      const { address, holder } = await stage.served("default/web");
      await stage.backed();
      const host = stage.lab.host(holder);
      const { keepalived } = daemonsOf(host);
      await kill(host);
      await untilSupervised(stage, host, what, keepalived);
      const served = await stage.served("default/web");
      await stage.backed();
      assert.deepEqual(stage.recorder.holders(address), [served.holder], what);
      await using probe = await startProbe(stage.client, { address, port: 80 });
      await probe.waitForAnswer(BACK_MS_MAX);
    }
  },
);

story("who starts the supervisors is killed: nobody notices", { balancers: 2 }, async (stage) => {
  await stage.write("web.yaml", service({ name: "web" }));
  const { address, holder } = await stage.served("default/web");
  await stage.backed();
  const host = stage.lab.host(holder);
  const before = daemonsOf(host);
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(5_000);
  await signalAll(host, "KILL", supervisorsOf(host).scanners);
  await stage.write("two.yaml", service({ name: "two" }));
  await stage.served("default/two");
  noneFailed(await probe.stop());
  assert.deepEqual(daemonsOf(host).keepalived, before.keepalived);
  assert.deepEqual(supervisorsOf(host).orphans, []);
  assert.deepEqual(stage.recorder.holders(address), [holder]);

  await signalAll(host, "KILL", before.keepalived);
  await stage.until("keepalived is back under the supervisor that it had", () => {
    const { keepalived } = daemonsOf(host);
    const isNew = !keepalived.some((pid) => before.keepalived.includes(pid));
    return isNew && keepalived.length === 2 ? true : undefined;
  });
  assert.deepEqual(supervisorsOf(host).orphans, []);
  await stage.served("default/web");
});

async function killKeepalivedsOwn(host: Host): Promise<void> {
  const pid = supervisorsOf(host).services.get("keepalived");
  await signalAll(host, "KILL", pid === undefined ? [] : [pid]);
}

async function killScannerFirst(host: Host): Promise<void> {
  await signalAll(host, "KILL", supervisorsOf(host).scanners);
  await killKeepalivedsOwn(host);
}

/** Each daemon has a supervisor and is the only one of its kind; keepalived is none of `before`. */
async function untilSupervised(
  stage: Stage,
  host: Host,
  what: string,
  before: readonly number[],
): Promise<void> {
  await stage.until(`${what}: all is supervised again`, () => {
    const { scanners, services, orphans } = supervisorsOf(host);
    const { keepalived, nginx } = daemonsOf(host);
    const isWhole = scanners.length === 1 && services.size === 3 && orphans.length === 0;
    const isNew = !keepalived.some((pid) => before.includes(pid));
    return isWhole && isNew && keepalived.length === 2 && nginx.length === 3 ? true : undefined;
  });
}
