// A controller that is killed again and again over one store, at moments that come of a seed, while
// Services come in batches, others leave, and an agent keeps for a while what is taken from it.
// After each life all that is held is counted in the store itself, by one that is no part of the
// controller: what was told is true, nothing is there twice, and nothing for nobody. Given how the
// store is reached.

import assert from "node:assert/strict";

import { monotonicMs } from "@fairlead/lab";
import { createSystemClock } from "@fairlead/runtime";

import type { StoredLease } from "./held-rows.ts";
import { type KeepingAgent, makeKeepingAgent } from "./keeping-agent.ts";
import { type Judged, KilledBook } from "./killed-book.ts";
import type { Seeded } from "./seeded.ts";
import type { SpokenProgram } from "./spoken-program.ts";
import { goneWords, releasedWords, toldWords } from "./told-words.ts";

/** A store, what is wanted of it, and the controllers over it. */
export interface KilledStage {
  /** An address of the agent in a network that has the whole pool: `192.0.0.5/22`. */
  readonly agent: string;
  /** Adds a Service of that name; one that was removed may have to be helped out first. */
  add(name: string): Promise<void> | void;
  remove(name: string): Promise<void> | void;
  /** Starts a controller; the name is its alone, and so long it leads without a word of it. */
  start(name: string, leadS: number): SpokenProgram;
  /** Something that is another thing after each write of the controller that runs. */
  mark(): Promise<unknown>;
  /** What the store holds, by its own word; asked only when no controller runs. */
  rows(): Promise<readonly StoredLease[]>;
}

const LIVES = 12;
/** Of a life: each batch is added at once, and after each some leave at once. */
const BATCHES = 4;
const BATCH = 5;
const LEAVING = 2;
/** Removed in the last life, which sees all of them leave. */
const LAST_LEAVING = 20;
/** Between two batches. */
const PAUSE_MS_MAX = 40;
/** Every other life is short, and of so many of those one sees all changes come before it leads. */
const BEFORE_ONE_OF = 4;
/** Whoever loses his lead on a busy machine never says who left meanwhile: he is killed as well. */
const GONE_OR_LOST = /no longer asked for claim=\S+\n|this controller no longer leads/u;
const LEADS = /controller of epoch \d+ serves|this controller leads/u;
/** A short life ends so soon after one of its first writes, a longer one after somebody left. */
const WRITES_MAX = 2;
const AFTER_MS_MAX = 40;
/** So many lives at least end before all is written, and so many while addresses drain. */
const CUT_LIVES_MIN = 1;
const DRAINED_LIVES_MIN = 3;
/** Each life waits so long for the lead of the one before; the last keeps it under any load. */
const LEAD_S = 2;
const LAST_LEAD_S = 3;
const LOOK_EVERY_MS = 10;
const UNTIL_MS_MAX = 30_000;

const clock = createSystemClock();

/** What there is in each life. */
interface Story {
  readonly stage: KilledStage;
  readonly chance: Seeded;
  readonly book: KilledBook;
  readonly agent: KeepingAgent;
}

/** Kills it, and judges what is left each time; in the end all but the wanted ones are released. */
export async function killAgainAndAgain(stage: KilledStage, chance: Seeded): Promise<void> {
  await using agent = makeKeepingAgent(stage.agent);
  const story: Story = { stage, chance, agent, book: new KilledBook() };
  const lives: Judged[] = [];
  for (let life = 1; life <= LIVES; life += 1) lives.push(await live(story, life));
  await liveToTheEnd(story);
  const seen = JSON.stringify(lives);
  const cut = lives.filter(({ missing }) => missing > 0).length;
  assert.ok(cut >= CUT_LIVES_MIN, `${cut} kills came before all was written: ${seen}`);
  const drained = lives.filter(({ draining }) => draining > 0).length;
  assert.ok(drained >= DRAINED_LIVES_MIN, `${drained} kills came while addresses drained: ${seen}`);
}

/** One life: it is killed somewhere in its work. */
async function live(story: Story, life: number): Promise<Judged> {
  const { stage, chance, book, agent } = story;
  await using controller = stage.start(`life-${life}`, LEAD_S);
  await agent.follow(controller);
  const isShort = life % 2 === 1;
  if (!isShort) await controller.until(toldWords("\\S+"));
  else if (chance.below(BEFORE_ONE_OF) > 0) await controller.until(LEADS);
  book.hear(controller);
  let isOver = false;
  const changing = change(story).finally(() => {
    isOver = true;
  });
  const writes = isShort ? 1 + chance.below(WRITES_MAX) : 0;
  for (let write = 0; write < writes; write += 1) {
    await changed(stage, () => write > 0 && isOver);
  }
  if (!isShort) await controller.until(GONE_OR_LOST);
  await clock.sleep(chance.below(AFTER_MS_MAX));
  controller.kill("SIGKILL");
  await controller.exit;
  await changing;
  book.hear(controller);
  const judged = book.judge(await stage.rows(), agent);
  await Promise.all(book.wantAgain().map(async (name) => await stage.add(name)));
  return judged;
}

/** The last one does all that is left to do. */
async function liveToTheEnd({ stage, book, agent }: Story): Promise<void> {
  await using last = stage.start("last", LAST_LEAD_S);
  await agent.follow(last);
  for (const name of book.wanted) await last.until(toldWords(name));
  book.hear(last);
  const leaving = book.toldOf(LAST_LEAVING);
  const addresses = leaving.map((name) => book.addressOf(name) ?? "");
  await leave({ stage, book }, leaving);
  for (const name of leaving) await last.until(goneWords(name));
  agent.letGo();
  for (const address of addresses) await last.until(releasedWords(address));
  last.kill("SIGTERM");
  assert.equal(await last.exit, 0, last.words());
  book.hear(last);
  const rows = await stage.rows();
  book.judgeEnd(rows, agent);
  const resting = new Set(rows.filter(({ owners }) => owners.length === 0).map(addressOf));
  assert.deepEqual(
    addresses.filter((address) => !resting.has(address)),
    [],
    "they rest",
  );
}

/** Batches are added, and after each some leave. */
async function change({ stage, chance, book }: Story): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await Promise.all(book.more(BATCH).map(async (name) => await stage.add(name)));
    await clock.sleep(chance.below(PAUSE_MS_MAX));
    await leave({ stage, book }, book.toldOf(LEAVING));
    await clock.sleep(chance.below(PAUSE_MS_MAX));
  }
}

async function leave(
  { stage, book }: Pick<Story, "stage" | "book">,
  names: readonly string[],
): Promise<void> {
  for (const name of names) book.leave(name);
  await Promise.all(names.map(async (name) => await stage.remove(name)));
}

function addressOf({ address }: StoredLease): string {
  return address;
}

/** Waits for a write, or until none is to be waited for any more. */
async function changed(stage: KilledStage, isOver: () => boolean): Promise<void> {
  const before = await stage.mark();
  const endMs = monotonicMs() + UNTIL_MS_MAX;
  while (!isOver() && (await stage.mark()) === before) {
    assert.ok(monotonicMs() < endMs, "the controller writes nothing more");
    await clock.sleep(LOOK_EVERY_MS);
  }
}
