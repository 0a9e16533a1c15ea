// How every story ends: programs run that should, each published address has one holder, the
// history of holders obeys the rule, and after a withdrawal nothing of us is left on any host.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { type Host, monotonicMs } from "@fairlead/lab";
import { describeViolation, judgeHolders } from "@fairlead/testkit";

import type { ListJson } from "./asker.ts";
import { program, type Stage, STATE_DIR } from "./stage.ts";

/** Anchors of lanes, one a router id. */
const ANCHOR = /^169\.254\.255\./;
const WITHDRAW_MS_MAX = 20_000;
const SETTLE_MS_MAX = 5_000;

/** Checks the end of a story, ends the programs, and checks what is left. */
export async function endStory(stage: Stage): Promise<void> {
  const troubles = stage.seats.flatMap((seat) => seat.trouble() ?? []);
  assert.deepEqual(troubles, []);
  if (stage.controller.isRunning()) await stage.inSync();
  const list = stage.controller.isRunning() ? await stage.asker.list() : undefined;
  if (list !== undefined) await settleHolders(stage, publishedOf(list));
  judge(stage, list === undefined ? undefined : publishedOf(list));
  await Promise.all(stage.balancers.filter((host) => host.isUp()).map(withdraw(stage)));
  if (stage.controller.isRunning()) await stage.controller.stop();
  await settleHolders(stage, []);
  judge(stage, []);
  for (const host of stage.balancers) assert.deepEqual(processesLeft(host), [], host.name);
}

/** Whether the address is one that we hand out, and not a host's own. */
function isManaged(stage: Stage, address: string): boolean {
  return stage.balancers.every((host) => host.address !== address && host.ipv6 !== address);
}

function publishedOf(list: ListJson): readonly string[] {
  return list.claims.flatMap(({ addresses }) =>
    addresses.filter(({ published }) => published).map(({ address }) => address),
  );
}

/** A change under way may end: for the end state, not for the history, there is a short wait. */
async function settleHolders(stage: Stage, held: readonly string[]): Promise<void> {
  const isSettled = (): boolean =>
    held.every((address) => stage.recorder.holders(address).length === 1) &&
    managedLeft(stage).every((address) => held.includes(address) || !isJudged(address, held));
  // Whether it came true says the judge, with names.
  await stage.recorder
    .waitUntil(isSettled, SETTLE_MS_MAX, "the end state of addresses")
    .catch(() => undefined);
}

function managedLeft(stage: Stage): readonly string[] {
  return stage.balancers
    .flatMap(({ name }) => stage.recorder.heldBy(name))
    .filter((address) => isManaged(stage, address));
}

/** Judges the whole history; `held` undefined leaves the end state out. */
function judge(stage: Stage, held: readonly string[] | undefined): void {
  const violations = judgeHolders({
    history: stage.recorder.history(),
    partitions: stage.lab.partitions(),
    endMs: monotonicMs(),
    ...(held === undefined
      ? {}
      : { end: { isManaged: (one) => isManaged(stage, one) && isJudged(one, held), held } }),
  });
  assert.deepEqual(violations.map(describeViolation), []);
}

/** While something is held, so are the anchors of its lanes. */
function isJudged(address: string, held: readonly string[]): boolean {
  return held.length === 0 || !ANCHOR.test(address);
}

function withdraw(stage: Stage): (host: Host) => Promise<void> {
  return async (host) => {
    stage.agent(host.name).abandon();
    const args = ["stop", "--withdraw", "--state-dir", STATE_DIR];
    const result = await host.exec(program("fairlead-agent"), args, {
      timeoutMs: WITHDRAW_MS_MAX,
    });
    assert.equal(result.code, 0, `withdrawal on ${host.name}: ${result.stderr}`);
    const tables = await host.output("nft", ["list", "tables"]);
    assert.ok(!tables.includes("fairlead_guard"), `nobody guards on ${host.name} any more`);
  };
}

/** Processes of the host besides the recorder's ear. */
function processesLeft(host: Host): readonly string[] {
  if (!host.isUp()) return [];
  return host
    .pids()
    .map((pid) => commandOf(host, pid))
    .filter((command) => command !== "" && !command.startsWith("ip -rcvbuf"));
}

function commandOf(host: Host, pid: number): string {
  try {
    return readFileSync(host.outsidePath(`/proc/${pid}/cmdline`), "utf8")
      .replaceAll("\0", " ")
      .trim();
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
