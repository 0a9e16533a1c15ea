// A controller that is killed again and again over one store, while Services come and go: what it
// told is remembered and must stay true in its next life. Given how the store is reached; what is
// held is read from the store itself, by one that is no part of the controller.

import assert from "node:assert/strict";

import { monotonicMs } from "@fairlead/lab";
import { createSystemClock } from "@fairlead/runtime";

import type { SpokenProgram } from "./spoken-program.ts";

/** A row of the store, as far as it is counted here. */
export interface StoredLease {
  readonly address: string;
  readonly owners: readonly { readonly claim: string }[];
  readonly lastClaim: string;
  readonly state: { readonly kind: string };
}

/** A store, what is wanted of it, and the controllers over it. */
export interface KilledStage {
  /** Adds a Service of that name; one that was removed may have to be helped out first. */
  add(name: string): Promise<void> | void;
  remove(name: string): Promise<void> | void;
  /** Starts a controller; the name is its alone, and so long it leads without a word of it. */
  start(name: string, leadS: number): SpokenProgram;
  /** Something that is another thing after each write of the controller that runs. */
  mark(): Promise<unknown>;
  /** What the store holds; asked only when no controller runs. */
  rows(): Promise<readonly StoredLease[]>;
  /** Whether what was told of a controller may come into the rows in its next life only. */
  readonly mayLag?: boolean;
}

const LIVES = 4;
/** Added in a life: some before it begins, so that it begins with them, the others one by one. */
const EARLY = 40;
const LATE = 20;
/** Removed in a life, one by one. */
const REMOVED = 10;
/** Removed in the last life, which sees all of them leave. */
const LAST_REMOVED = 20;
/** So that each life ends in the middle of its work. */
const STEP_MS = 10;
/** Each life waits so long for the lead of the one before; the last keeps it under any load. */
const LEAD_S = 2;
const LAST_LEAD_S = 3;
const LOOK_EVERY_MS = 20;
const UNTIL_MS_MAX = 30_000;

const clock = createSystemClock();

/** Kills it, and judges what is left each time; in the end all but the wanted ones are released. */
export async function killAgainAndAgain(stage: KilledStage): Promise<void> {
  const book = new Book(stage);
  for (let life = 1; life <= LIVES; life += 1) {
    const early = await book.addMany(EARLY);
    await using controller = stage.start(`life-${life}`, LEAD_S);
    await toldOf(controller, early);
    const leaving = book.leaving(REMOVED);
    let isOver = false;
    const changing = book.change(LATE, leaving).finally(() => {
      isOver = true;
    });
    // Another moment of its work in each life.
    for (let write = 0; write < life; write += 1) {
      await changed(stage, () => write > 0 && isOver);
    }
    controller.kill("SIGKILL");
    await controller.exit;
    await changing;
    book.hear(controller);
    book.judge(await stage.rows());
    await book.wantAgain(leaving, controller);
  }
  await using last = stage.start("last", LAST_LEAD_S);
  await toldOf(last, book.wanted);
  const leaving = book.leaving(LAST_REMOVED);
  await book.change(0, leaving);
  for (const name of leaving) await last.until(goneWords(name));
  last.kill("SIGTERM");
  assert.equal(await last.exit, 0, last.words());
  book.hear(last);
  book.judge(await stage.rows(), { isWhole: true });
}

/** Who is wanted, and what was told of whom. */
class Book {
  readonly #stage: KilledStage;
  readonly #wanted = new Set<string>();
  /** By the name of one that was wanted ever since: the address. */
  readonly #told = new Map<string, string>();
  /** By address that rested when a controller died: whose it was last. */
  #resting: ReadonlyMap<string, string> = new Map();
  #made = 0;

  constructor(stage: KilledStage) {
    this.#stage = stage;
  }

  get wanted(): readonly string[] {
    return [...this.#wanted];
  }

  async addMany(count: number): Promise<readonly string[]> {
    const names: string[] = [];
    for (let at = 0; at < count; at += 1) {
      this.#made += 1;
      names.push(`web-${this.#made}`);
      this.#wanted.add(`web-${this.#made}`);
    }
    await Promise.all(names.map(async (name) => await this.#stage.add(name)));
    return names;
  }

  /** Those that are to leave next: the oldest, whose addresses were told. */
  leaving(count: number): readonly string[] {
    return this.wanted.slice(0, count);
  }

  /** Adds and removes in turn. */
  async change(count: number, leaving: readonly string[]): Promise<void> {
    const left = [...leaving];
    for (let at = 0; at < Math.max(count, leaving.length); at += 1) {
      if (at < count) await this.addMany(1);
      const name = left.shift();
      if (name !== undefined) {
        this.#wanted.delete(name);
        this.#told.delete(name);
        await this.#stage.remove(name);
      }
      await clock.sleep(STEP_MS);
    }
  }

  /** Nobody who is wanted was told of another address than before. */
  hear(controller: SpokenProgram): void {
    for (const { name, address } of toldBy(controller)) {
      if (!this.#wanted.has(name)) continue;
      const before = this.#told.get(name) ?? address;
      assert.equal(address, before, `${name} was moved; ${controller.words()}`);
      this.#told.set(name, address);
    }
  }

  /** Whoever left while no controller looked would be held for half a minute; so he comes back. */
  async wantAgain(leaving: readonly string[], controller: SpokenProgram): Promise<void> {
    for (const name of leaving) {
      if (goneWords(name).test(controller.words())) continue;
      this.#wanted.add(name);
      await this.#stage.add(name);
    }
  }

  /** @param isWhole whether all that is wanted is there, and nothing else. */
  judge(rows: readonly StoredLease[], { isWhole = false } = {}): void {
    const held = heldBy(rows);
    for (const [name, address] of this.#told) {
      const now = held.get(name);
      if (now === undefined && !isWhole && this.#stage.mayLag === true) continue;
      assert.equal(now, address, `${name} was told that it has ${address}`);
    }
    for (const { address, owners } of rows) {
      const last = this.#resting.get(address);
      const isGivenOn = last !== undefined && owners.some(({ claim }) => claim !== last);
      assert.ok(!isGivenOn, `${address} of ${last} was given on before it had rested`);
    }
    const rest = rows.filter(({ state }) => state.kind === "quarantined");
    this.#resting = new Map(rest.map(({ address, lastClaim }) => [address, lastClaim]));
    if (!isWhole) return;
    assert.deepEqual([...held.keys()].toSorted(), this.wanted.toSorted());
    assert.equal(rest.length, rows.length - held.size, "no address is held for nobody");
    assert.ok(rest.length >= LAST_REMOVED, `${rest.length} rest`);
  }
}

/** By the name of who holds it, each address; a claim with two, or an address of two, is none. */
export function heldBy(rows: readonly StoredLease[]): ReadonlyMap<string, string> {
  const held = new Map<string, string>();
  const addresses = new Set<string>();
  for (const { address, owners } of rows) {
    assert.ok(!addresses.has(address), `${address} is there twice`);
    addresses.add(address);
    assert.ok(owners.length <= 1, `${address} is held by ${JSON.stringify(owners)}`);
    for (const { claim } of owners) {
      const name = claim.replace("service/default/", "");
      assert.ok(!held.has(name), `${name} has ${address} and ${held.get(name) ?? ""}`);
      held.set(name, address);
    }
  }
  return held;
}

const TOLD = / claim=default\/(\S+) addresses=(\S+)/gu;

/** Whom a controller told of which address, in the order of its words. */
export function toldBy(
  controller: SpokenProgram,
): readonly { readonly name: string; readonly address: string }[] {
  const told = controller.words().matchAll(TOLD);
  return [...told].map(([, name = "", address = ""]) => ({ name, address }));
}

async function toldOf(controller: SpokenProgram, names: readonly string[]): Promise<void> {
  for (const name of names) await controller.until(toldWords(name));
}

/** The words by which a controller tells of a Service's address. */
export function toldWords(name: string): RegExp {
  return new RegExp(`=default/${name} addresses=`, "u");
}

/** The words by which a controller says that a Service is gone. */
export function goneWords(name: string): RegExp {
  return new RegExp(`no longer asked for claim=default/${name}\n`, "u");
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
