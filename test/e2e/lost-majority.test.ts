// An etcd that has lost two of its three members, under a controller with hosts: a Service that is
// made meanwhile gets no address anywhere, in no list, no status, no log and on no host, until the
// majority is back, and what was held before is answered all along.

import assert from "node:assert/strict";

import { monotonicMs, startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf, MANIFESTS, type Stage } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** A lead lasts for 10 s of its 15 without a renewal; before that a write has failed. */
const LOST_MS_MAX = 40_000;
/** Until members have elected their leader, and the controller leads again. */
const BACK_MS_MAX = 60_000;
const ANSWER_MS_MAX = 5_000;

story(
  "while the majority of etcd is lost nobody is told an address, and what was held is answered",
  { hasEtcd: true },
  async (stage) => {
    await stage.write("web.yaml", service({ name: "web" }));
    const web = await stage.served("default/web");
    await stage.backed();
    await using probe = await startProbe(stage.client, { address: web.address, port: 80 });
    await probe.waitForAnswer(ANSWER_MS_MAX);

    const [one, other] = stage.etcd().members;
    await Promise.all([one?.kill(), other?.kill()]);
    await stage.write("new.yaml", service({ name: "new" }));
    await judgeWhileLost(stage, web.address);

    const backMs = monotonicMs();
    await Promise.all([one?.start(), other?.start()]);
    const { address } = await stage.served("default/new", BACK_MS_MAX);
    const early = stage.recorder
      .history()
      .filter((event) => event.address === address && event.atMs < backMs);
    assert.deepEqual(early, [], "no host had it before");
    assert.deepEqual(await stage.served("default/web"), web, "what was held stayed where it was");
    noneFailed(await probe.stop());
  },
);

/** Looks until the controller has seen the Service, failed to write, and lost its lead. */
async function judgeWhileLost(stage: Stage, held: string): Promise<void> {
  let isSeen = false;
  await stage.until(
    "the controller has seen the new Service and leads no more",
    (list) => {
      const claim = claimOf(list, "default/new");
      assert.deepEqual(claim?.addresses ?? [], [], "the list has no address of it");
      isSeen ||= claim?.main?.reason === "StoreUnavailable";
      assert.deepEqual(othersOnHosts(stage, held), [], "no host has another address");
      assertUntold(stage.controller.lines());
      return isSeen && list.controller?.standsBy === true ? true : undefined;
    },
    LOST_MS_MAX,
  );
  const file = `${MANIFESTS}/.status/default.new.yaml`;
  const status = await stage.control.readFile(file).catch(() => "");
  assert.doesNotMatch(status, /(?:ip|address): /, "its status has no address");
  assert.equal(stage.recorder.holders(held).length, 1, "what was held is held");
}

/** Addresses of the pool on hosts, but that one. */
function othersOnHosts(stage: Stage, held: string): readonly string[] {
  const all = stage.balancers.flatMap(({ name }) => stage.recorder.heldBy(name));
  return all.filter((address) => /^10\.77\.0\.1\d\d$/u.test(address) && address !== held);
}

function assertUntold(lines: readonly string[]): void {
  const told = lines.filter((line) => line.includes("=default/new addresses="));
  assert.deepEqual(told, [], "no log has its address");
}
