// Who is wanted of a controller that is killed again and again, what was told of whom, and whether
// the rows that are left are right. Given those and what its agent has. It waits for nothing.

import assert from "node:assert/strict";

import { heldBy, type StoredLease } from "./held-rows.ts";
import type { KeepingAgent } from "./keeping-agent.ts";
import type { SpokenProgram } from "./spoken-program.ts";
import { goneWords, toldBy } from "./told-words.ts";

/** What was found when a controller was dead, in numbers. */
export interface Judged {
  /** Of those wanted, how many had no row yet. */
  readonly missing: number;
  readonly held: number;
  readonly draining: number;
}

/** The book of one story. */
export class KilledBook {
  readonly #wanted = new Set<string>();
  /** By the name of one that was wanted ever since: the address. */
  readonly #told = new Map<string, string>();
  /** Those that leave, as far as no controller has said that they are gone. */
  readonly #leaving = new Set<string>();
  /** By address: the row that nobody owned when a controller died. */
  #free: ReadonlyMap<string, StoredLease> = new Map();
  #made = 0;

  get wanted(): readonly string[] {
    return [...this.#wanted];
  }

  /** The names of so many more that are wanted from now on. */
  more(count: number): readonly string[] {
    const names = Array.from({ length: count }, (_, at) => `web-${this.#made + at + 1}`);
    this.#made += count;
    for (const name of names) this.#wanted.add(name);
    return names;
  }

  /** Those that are wanted, and that a controller has told of: the oldest of them. */
  toldOf(count: number): readonly string[] {
    return [...this.#told.keys()].slice(0, count);
  }

  addressOf(name: string): string | undefined {
    return this.#told.get(name);
  }

  leave(name: string): void {
    this.#wanted.delete(name);
    this.#told.delete(name);
    this.#leaving.add(name);
  }

  /** Nobody who is wanted was told of another address than before. */
  hear(controller: SpokenProgram): void {
    for (const { name, address } of toldBy(controller)) {
      if (!this.#wanted.has(name)) continue;
      const before = this.#told.get(name) ?? address;
      assert.equal(address, before, `${name} was moved; ${controller.words()}`);
      this.#told.set(name, address);
    }
    const words = controller.words();
    for (const name of this.#leaving) if (goneWords(name).test(words)) this.#leaving.delete(name);
  }

  /**
   * Whoever left while no controller looked would be held for half a minute: he is wanted again.
   * Returns who that is.
   */
  wantAgain(): readonly string[] {
    const again = [...this.#leaving];
    this.#leaving.clear();
    for (const name of again) this.#wanted.add(name);
    return again;
  }

  /**
   * Counts anew what is there after a life. Every row is somebody's who is wanted or leaves, or it
   * waits for an agent, or it rests.
   */
  judge(rows: readonly StoredLease[], agent: KeepingAgent): Judged {
    const held = heldBy(rows);
    for (const [name, address] of this.#told) {
      assert.equal(held.get(name), address, `${name} was told that it has ${address}`);
    }
    for (const [name, address] of held) {
      const isKnown = this.#wanted.has(name) || this.#leaving.has(name);
      assert.ok(isKnown, `${address} is held for ${name}, which is gone`);
    }
    const byAddress = new Map(rows.map((row) => [row.address, row]));
    for (const before of this.#free.values()) assertRested(before, byAddress.get(before.address));
    for (const address of agent.has()) assertWaited(agent, address, byAddress.get(address));
    const free = rows.filter(({ owners }) => owners.length === 0);
    for (const row of free) assert.notEqual(row.state.kind, "held", `${row.address} is nobody's`);
    const draining = free.filter(({ state }) => state.kind === "draining");
    for (const { address, sentTo } of draining) {
      assert.deepEqual(sentTo, [agent.name], `${address} waits for an agent`);
    }
    this.#free = new Map(free.map((row) => [row.address, row]));
    const missing = this.wanted.filter((name) => !held.has(name)).length;
    return { missing, held: held.size, draining: draining.length };
  }

  /** In the end exactly those hold addresses that are wanted, and what others had rests. */
  judgeEnd(rows: readonly StoredLease[], agent: KeepingAgent): void {
    const { missing, held, draining } = this.judge(rows, agent);
    assert.deepEqual({ missing, draining }, { missing: 0, draining: 0 });
    assert.equal(held, this.#wanted.size);
  }
}

/** What was nobody's is not given on before it has rested, but to whom it was. */
function assertRested(before: StoredLease, now: StoredLease | undefined): void {
  const { address, lastClaim, state } = before;
  const isOver = state.kind === "quarantined" && (state.untilMs ?? 0) <= Date.now();
  if (isOver) return;
  assert.ok(now !== undefined, `${address} of ${lastClaim} is free before it has rested`);
  const others = now.owners.filter(({ claim }) => claim !== lastClaim);
  assert.deepEqual(others, [], `${address} of ${lastClaim} was given on before it had rested`);
}

/** What an agent has was written down before it was sent, and is waited for. */
function assertWaited({ name }: KeepingAgent, address: string, row: StoredLease | undefined): void {
  assert.ok(row !== undefined, `${name} has ${address}, which is free`);
  assert.notEqual(row.state.kind, "quarantined", `${name} has ${address}, which rests`);
  assert.ok(row.sentTo.includes(name), `${name} has ${address}, which was not sent to it`);
}
