// Two controllers over a real etcd of three members, with allocations going on through whatever
// happens to it: its leader dies, its majority goes and comes, its history is compacted, a member
// freezes, and the controller that leads is killed, once and again and again. What is held is
// counted in etcd itself, by its own gateway: no claim has two addresses, none is moved, and none
// is held for nobody.

import assert from "node:assert/strict";
import { test } from "node:test";

import { monotonicMs } from "@fairlead/lab";

import {
  BASE,
  heldBy,
  leadingOf,
  leasesOf,
  makeEtcdStage,
  until,
} from "./stage/etcd-controllers.ts";
import type { StoredLease } from "./stage/held-rows.ts";
import { killAgainAndAgain } from "./stage/killed-controllers.ts";
import { createSeeded } from "./stage/seeded.ts";
import type { SpokenProgram } from "./stage/spoken-program.ts";
import { toldBy } from "./stage/told-words.ts";

const chance = createSeeded();
const AT_ONCE = 20;

/** How often the controllers said that etcd is not there for them. */
function troubles(controllers: readonly SpokenProgram[]): number {
  const words = controllers.map((one) => one.words()).join("");
  return (
    words.match(/the store cannot be written|no longer leads|not known who leads/gu)?.length ?? 0
  );
}

test("allocations go on through all that happens to an etcd of three members", async (context) => {
  await using stage = await makeEtcdStage();
  const { etcd } = stage;
  const startedMs = monotonicMs();
  const tell = (what: string): void => {
    context.diagnostic(`${what} after ${Math.round(monotonicMs() - startedMs)} ms`);
  };
  const first = stage.start("first");
  await first.until(/controller of epoch 1 serves/);
  const second = stage.start("second");
  await second.until(/stands by; \S+ leads/);
  stage.addMany(AT_ONCE);
  await stage.settled();
  tell("the first addresses were held");

  const leader = await etcd.leader();
  stage.addMany(AT_ONCE);
  await leader.kill();
  stage.addMany(AT_ONCE);
  await stage.settled();
  await leader.start();
  // The last write of a leader that was just then lost may have been all: one more needs a leader.
  stage.addMany(1);
  await stage.settled();
  tell("those of a dead leader were held");

  const [one, other] = etcd.members;
  const before = troubles([first, second]);
  await Promise.all([one?.kill(), other?.kill()]);
  const early = stage.addMany(AT_ONCE);
  await until(
    () => Promise.resolve(troubles([first, second]) > before ? true : undefined),
    () => `${first.words()}\n${second.words()}`,
  );
  const told = new Set([first, second].flatMap(toldBy).map(({ name }) => name));
  assert.deepEqual(
    early.filter((name) => told.has(name)),
    [],
    "nobody was told of one",
  );
  await Promise.all([one?.start(), other?.start()]);
  await stage.settled();
  tell("those of a lost majority were held");

  await etcd.compact();
  for (const name of early.slice(0, AT_ONCE / 2)) stage.remove(name);
  await etcd.put(
    `${BASE}/vips/by-hand`,
    JSON.stringify({ port: 80, members: ["10.0.0.1:80"], address: "192.0.3.200" }),
  );
  const byHand = await heldBy(etcd, (held) => held.get("virtualip/default/by-hand") !== undefined);
  assert.equal(byHand.get("virtualip/default/by-hand"), "192.0.3.200");
  await etcd.remove(`${BASE}/vips/by-hand`);
  await stage.settled();
  tell("a VIP by hand came and went");

  const slow = await etcd.leader();
  await slow.freeze();
  stage.addMany(AT_ONCE);
  const beside = etcd.members.find((member) => member !== slow);
  const count = 5 * AT_ONCE + 1 - AT_ONCE / 2;
  await heldBy(etcd, (held) => held.size === count, beside);
  slow.resume();
  await stage.settled();
  tell("those beside a frozen member were held");

  const leading = await leadingOf(etcd, [first, second]);
  stage.addMany(AT_ONCE);
  leading.kill("SIGKILL");
  await leading.exit;
  stage.addMany(AT_ONCE);
  await stage.settled();
  tell("those of a killed controller were held");
});

test(`a controller that is killed again and again over etcd keeps what it told, and leaks none (FAIRLEAD_SEED=${chance.seed})`, async () => {
  await using stage = await makeEtcdStage();
  const rows = (): Promise<readonly StoredLease[]> => leasesOf(stage.etcd);
  const mark = async (): Promise<string> => JSON.stringify(await rows());
  await killAgainAndAgain({ ...stage, agent: "192.0.0.5/22", rows, mark }, chance);
});
