// Two controllers over an etcd of three members that are slow, as on a disk that takes its time for
// each write, while Services come and go. Late is all that anything may be: no address is given
// twice, none is told before it is held, none is held for nobody, and nobody leads beside another.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { EtcdCluster } from "@fairlead/lab";

import {
  BASE,
  type EtcdStage,
  heldBy,
  leasesOf,
  makeEtcdStage,
  until,
} from "./stage/etcd-controllers.ts";
import { slowDown } from "./stage/slow-members.ts";
import type { SpokenProgram } from "./stage/spoken-program.ts";
import { toldBy } from "./stage/told-words.ts";

const AT_ONCE = 20;
/** An event loop that is free answers at once; the machine may be busy. */
const HEALTH_MS_MAX = 1000;

/** A write takes some hundred ms, and may take 1.5 s. */
const LATE_MS = 50;
const LATE_ROUNDS = 6;
/** Of writes many are given up, and done or not all the same. */
const TOO_LATE_MS = 600;

test("on an etcd with a slow disk addresses are given later, and who leads goes on", async () => {
  await using stage = await makeEtcdStage();
  const both = await startBoth(stage, 15);
  {
    await using _slow = await slowDown(stage.etcd.members, LATE_MS);
    const isEnough = ({ round }: Moment): boolean => round === LATE_ROUNDS;
    await changeUntil(isEnough, stage, both);
    await stage.settled();
  }
  assert.equal(leadsOf(both).length, 1, "nobody else has led");
  await judgeEnd(stage, both);
});

test("on an etcd too slow for any request nothing is doubled, and one leads at a time", async () => {
  await using stage = await makeEtcdStage();
  const both = await startBoth(stage, 15);
  {
    await using _slow = await slowDown(stage.etcd.members, TOO_LATE_MS);
    const isEnough = ({ words }: Moment): boolean => /the store cannot be written/u.test(words);
    await changeUntil(isEnough, stage, both);
  }
  await judgeEnd(stage, both);
});

async function startBoth(stage: EtcdStage, leadS: number): Promise<readonly SpokenProgram[]> {
  const first = stage.start("first", leadS);
  await first.until(/controller of epoch 1 serves/);
  const second = stage.start("second", leadS);
  await second.until(/stands by; \S+ leads/);
  stage.addMany(AT_ONCE);
  await stage.settled();
  return [first, second];
}

/** What has come of the changes so far. */
interface Moment {
  readonly round: number;
  /** Of both controllers. */
  readonly words: string;
}

/** Services come, and half of them go; each round finds everything as it should be just then. */
async function changeUntil(
  isEnough: (moment: Moment) => boolean,
  stage: EtcdStage,
  both: readonly SpokenProgram[],
): Promise<void> {
  let leaving: readonly string[] = [];
  let before: Term = { epoch: 0, commit: 0, by: "" };
  let round = 0;
  const change = async (): Promise<true | undefined> => {
    round += 1;
    const added = stage.addMany(4);
    for (const name of leaving) stage.remove(name);
    leaving = added.slice(2);
    await heldBy(stage.etcd, () => true);
    const now = await termOf(stage.etcd);
    assert.ok(isLater(before, now), `${JSON.stringify(now)} after ${JSON.stringify(before)}`);
    before = now;
    for (const one of both) await answers(one);
    return isEnough({ round, words: wordsOf(both) }) || undefined;
  };
  await until(change, () => wordsOf(both));
}

/** Once etcd is fast again all of it is true that was told, and nothing else is there. */
async function judgeEnd(stage: EtcdStage, both: readonly SpokenProgram[]): Promise<void> {
  const held = await stage.settled();
  const rows = await leasesOf(stage.etcd);
  const rest = rows.filter(({ state }) => state.kind === "quarantined");
  assert.equal(rest.length, rows.length - held.size, "no address is held for nobody");
  // Those that are gone rest longer than this lasts: whose an address was is still to be seen.
  const whose = new Map(
    rows.map(({ address, owners, lastClaim }) => [address, owners[0]?.claim ?? lastClaim]),
  );
  const told = await until(
    () => {
      const all = both.flatMap(toldBy);
      const names = new Set(all.map(({ name }) => `service/default/${name}`));
      return Promise.resolve([...held.keys()].every((claim) => names.has(claim)) ? all : undefined);
    },
    () => wordsOf(both),
  );
  for (const { name, address } of told) {
    assert.equal(whose.get(address), `service/default/${name}`, `${name} was told ${address}`);
  }
  assertOneLeads(both);
}

/** Under which every write is made, as it stands in etcd. */
interface Term {
  readonly epoch: number;
  readonly commit: number;
  /** Another thing each time that somebody takes an epoch. */
  readonly by: string;
}

async function termOf(etcd: EtcdCluster): Promise<Term> {
  return await until(
    async () => {
      const rows = await etcd.keys(`${BASE}/store/term`).catch(() => []);
      const [text] = rows.map(({ value }) => value);
      return text === undefined ? undefined : (JSON.parse(text) as Term);
    },
    () => "no term",
  );
}

/** An epoch is one's alone, and neither epochs nor the commits of one ever go back. */
function isLater(before: Term, now: Term): boolean {
  if (now.epoch !== before.epoch) return now.epoch > before.epoch;
  return now.by === before.by && now.commit >= before.commit;
}

interface Lead {
  readonly at: string;
  readonly controller: SpokenProgram;
  readonly isOver: boolean;
}

/** When somebody began to lead or ended it, in this order. Times of the log compare as texts. */
function turnsOf(both: readonly SpokenProgram[]): readonly Lead[] {
  const turns = both.flatMap((controller) => {
    const lines = controller.words().matchAll(/^(\S+Z) .* this controller (no longer )?leads /gmu);
    return [...lines].map(([, at = "", isOver]): Lead => {
      return { at, controller, isOver: isOver !== undefined };
    });
  });
  return turns.toSorted((a, b) => a.at.localeCompare(b.at) || Number(b.isOver) - Number(a.isOver));
}

function leadsOf(both: readonly SpokenProgram[]): readonly Lead[] {
  return turnsOf(both).filter(({ isOver }) => !isOver);
}

function assertOneLeads(both: readonly SpokenProgram[]): void {
  let leading: SpokenProgram | undefined;
  for (const { at, controller, isOver } of turnsOf(both)) {
    assert.equal(leading, isOver ? controller : undefined, `at ${at}:\n${wordsOf(both)}`);
    leading = isOver ? undefined : controller;
  }
}

/** Whoever waits for etcd answers others meanwhile. */
async function answers(controller: SpokenProgram): Promise<void> {
  const [, at = ""] = / metrics=(\S+)/u.exec(controller.words()) ?? [];
  const signal = AbortSignal.timeout(HEALTH_MS_MAX);
  const { ok } = await fetch(`http://${at}/healthz`, { signal });
  assert.ok(ok);
}

function wordsOf(both: readonly SpokenProgram[]): string {
  return both.map((one) => one.words()).join("\n");
}
