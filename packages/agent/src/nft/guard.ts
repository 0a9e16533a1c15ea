// The input guard in the kernel: one nftables table of our own, written whole at the start and when
// somebody else changed it, by elements else, each time in one transaction. Given the program nft
// and the monitor. It touches no other table, and leaves its own when it is disposed.

import type { Remark } from "@fairlead/model";
import { withoutTable } from "@fairlead/render";
import {
  type Clock,
  type Logger,
  type Pace,
  createBackoff,
  createPace,
  describeError,
  type Turns,
  createTurns,
} from "@fairlead/runtime";

import type { Guarded, InputGuard } from "../ports.ts";
import {
  GUARD_TABLE,
  type GuardSets,
  createGuardSets,
  tableChange,
  wholeTable,
  widenedSets,
} from "./guard-table.ts";
import { loadRules } from "./load-rules.ts";
import type { NftMonitor } from "./nft-monitor.ts";
import { type SignedTable, createSignedTable } from "./signed-table.ts";

/** What the guard is made of. */
export interface NftGuardOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  /** Where a long script lies while nft reads it. Default: nowhere. */
  readonly scriptFile?: string;
  /** Absent: what others do to the table is not seen. */
  readonly monitor?: Pick<NftMonitor, "onChange">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Ten thousand listeners in a whole table take 150 ms. */
const NFT_MS_MAX = 5000;
/** Many changes of somebody else are repaired at once, after this quiet, at most twice a second. */
const REPAIR = { quietMs: 20, maxWaitMs: 200, gapMs: 500 };
const RETRY = { baseMs: 1000, maxMs: 60_000 };
/** Makes the guard; nothing is written before it is first asked to guard. */
export function createNftGuard(options: NftGuardOptions): InputGuard {
  return new Guard(options);
}

class Guard implements InputGuard {
  readonly #options: NftGuardOptions;
  readonly #turns: Turns = createTurns();
  readonly #repairs: Pace;
  readonly #table: SignedTable;
  readonly #backoff;
  #wanted: GuardSets | undefined;
  readonly #setsOf = createGuardSets();
  /** Undefined: what the kernel has is not known. */
  #written: GuardSets | undefined;
  #trouble: Remark | undefined;

  constructor(options: NftGuardOptions) {
    const { clock, logger, random } = options;
    this.#options = options;
    this.#backoff = createBackoff({ ...RETRY, random });
    this.#repairs = createPace({
      clock,
      ...REPAIR,
      run: () => this.#turns(() => this.#write()),
      onError: (error) => logger.error({ error: describeError(error) }, "cannot guard"),
    });
    this.#table = createSignedTable({
      ...options,
      table: GUARD_TABLE,
      timeoutMs: NFT_MS_MAX,
      onForeign: () => this.#changed(),
    });
  }

  async guard(guarded: Guarded, keepsOthers: boolean): Promise<void> {
    await this.#turns(async () => {
      const sets = this.#setsOf(guarded);
      this.#wanted = keepsOthers ? widenedSets(this.#wanted, sets) : sets;
      await this.#write();
    });
  }

  trouble(): Remark | undefined {
    return this.#trouble;
  }

  async remove(): Promise<void> {
    await this.#turns(async () => {
      this.#wanted = undefined;
      this.#written = undefined;
      const { program } = this.#options;
      const text = `${withoutTable(GUARD_TABLE)}\n`;
      const trouble = await loadRules({ program, timeoutMs: NFT_MS_MAX }, text);
      if (trouble !== undefined) this.#options.logger.warn({ trouble }, "the input guard is left");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#table[Symbol.dispose]();
    await this.#repairs[Symbol.asyncDispose]();
    await this.#turns(() => Promise.resolve());
  }

  #changed(): void {
    if (this.#wanted === undefined) return;
    this.#written = undefined;
    this.#repairs.poke();
  }

  async #write(): Promise<void> {
    const sets = this.#wanted;
    if (sets === undefined) return;
    if (this.#written !== undefined) {
      const change = tableChange(this.#written, sets, this.#table.turn);
      // A change that is refused met another table than was written.
      if (change === undefined || (await this.#load(sets, change)) === undefined) return;
    }
    this.#settle(await this.#load(sets, wholeTable(sets, this.#table.turn.to)));
  }

  async #load(sets: GuardSets, text: string): Promise<string | undefined> {
    this.#written = sets;
    return await this.#table.load(text);
  }

  #settle(trouble: string | undefined): void {
    this.#repairs.pokeIn(undefined);
    if (trouble === undefined) {
      this.#backoff.reset();
      this.#trouble = undefined;
      return;
    }
    if (trouble !== this.#trouble?.detail) {
      this.#options.logger.warn({ trouble }, "input is not guarded");
    }
    this.#trouble = { reason: "InputUnguarded", detail: trouble };
    this.#written = undefined;
    this.#repairs.pokeIn(this.#backoff.nextMs());
  }
}
