// The input guard in the kernel: one nftables table of our own, written whole at the start and when
// somebody else changed it, by elements else, each time in one transaction. Given the program nft
// and the monitor. It touches no other table, and leaves its own when it is disposed.

import type { Remark } from "@fairlead/model";
import {
  type Clock,
  type Logger,
  type Pace,
  type Timer,
  createBackoff,
  createPace,
  describeError,
  runProgram,
} from "@fairlead/runtime";

import type { Guarded, InputGuard } from "../ports.ts";
import { type Turns, createTurns } from "../turns.ts";
import {
  GUARD_TABLE,
  type GuardSets,
  guardSets,
  tableChange,
  wholeTable,
  widenedSets,
  withoutTable,
} from "./guard-table.ts";
import type { NftMonitor, TableChange } from "./nft-monitor.ts";

/** What the guard is made of. */
export interface NftGuardOptions {
  /** `nft`, an absolute path. */
  readonly program: string;
  /** Absent: what others do to the table is not seen. */
  readonly monitor?: Pick<NftMonitor, "onChange">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Ten thousand listeners in a whole table take 150 ms. */
const NFT_MS_MAX = 5000;
const OUTPUT_BYTES_MAX = 16 * 1024;
/** Many changes of somebody else are repaired at once, after this quiet, at most twice a second. */
const REPAIR = { quietMs: 20, maxWaitMs: 200, gapMs: 500 };
const RETRY = { baseMs: 1000, maxMs: 60_000 };
/** A revision is a mark of 32 bits, and begins where no earlier life of the agent ended. */
const REVISIONS = 2 ** 31;
/** So many transactions of ours may be on their way through the monitor. */
const UNSEEN_MAX = 64;

/** Makes the guard; nothing is written before it is first asked to guard. */
export function createNftGuard(options: NftGuardOptions): InputGuard {
  return new Guard(options);
}

/** A table as it is in the kernel. */
interface Written {
  readonly sets: GuardSets;
  readonly revision: number;
}

class Guard implements InputGuard {
  readonly #options: NftGuardOptions;
  readonly #turns: Turns = createTurns();
  readonly #repairs: Pace;
  readonly #listening: Disposable | undefined;
  readonly #backoff;
  readonly #unseen = new Set<number>();
  #revision: number;
  #wanted: GuardSets | undefined;
  /** Undefined: what the kernel has is not known. */
  #written: Written | undefined;
  #trouble: Remark | undefined;
  #retry: Timer | undefined;

  constructor(options: NftGuardOptions) {
    const { clock, logger, monitor, random } = options;
    this.#options = options;
    this.#revision = Math.floor(random() * REVISIONS);
    this.#backoff = createBackoff({ ...RETRY, random });
    this.#repairs = createPace({
      clock,
      ...REPAIR,
      run: () => this.#turns(() => this.#write()),
      onError: (error) => logger.error({ error: describeError(error) }, "cannot guard"),
    });
    this.#listening = monitor?.onChange(GUARD_TABLE, (change) => this.#changed(change));
  }

  async guard(guarded: Guarded, keepsOthers: boolean): Promise<void> {
    await this.#turns(async () => {
      const sets = guardSets(guarded);
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
      const trouble = await this.#load(withoutTable());
      if (trouble !== undefined) this.#options.logger.warn({ trouble }, "the input guard is left");
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening?.[Symbol.dispose]();
    await this.#repairs[Symbol.asyncDispose]();
    // What is written now may still set a timer.
    await this.#turns(() => Promise.resolve());
    this.#retry?.cancel();
  }

  /** Somebody else's, unless it is one that this guard made and has not seen yet. */
  #changed({ revision }: TableChange): void {
    if (revision !== undefined && this.#unseen.delete(revision)) return;
    if (this.#wanted === undefined) return;
    this.#written = undefined;
    this.#repairs.poke();
  }

  async #write(): Promise<void> {
    const sets = this.#wanted;
    if (sets === undefined) return;
    const from = this.#written;
    if (from !== undefined) {
      const to = this.#next(sets);
      const change = tableChange(from, to);
      // A change that is refused met another table than was written.
      if (change === undefined || (await this.#sign(to, change)) === undefined) return;
    }
    const whole = this.#next(sets);
    this.#settle(await this.#sign(whole, wholeTable(sets, whole.revision)));
  }

  #next(sets: GuardSets): Written {
    return { sets, revision: (this.#revision + 1) % REVISIONS };
  }

  /** Loads a signed text. @returns what nft said against it. */
  async #sign(written: Written, text: string): Promise<string | undefined> {
    const { revision } = written;
    this.#revision = revision;
    // Where nothing of ours is heard, nothing is waited for.
    if (this.#unseen.size >= UNSEEN_MAX) this.#unseen.clear();
    this.#unseen.add(revision);
    this.#written = written;
    const trouble = await this.#load(text);
    if (trouble !== undefined) this.#unseen.delete(revision);
    return trouble;
  }

  #settle(trouble: string | undefined): void {
    const { clock, logger } = this.#options;
    this.#retry?.cancel();
    if (trouble === undefined) {
      this.#backoff.reset();
      this.#trouble = undefined;
      return;
    }
    if (trouble !== this.#trouble?.detail) logger.warn({ trouble }, "input is not guarded");
    this.#trouble = { reason: "InputUnguarded", detail: trouble };
    this.#written = undefined;
    this.#retry = clock.setTimer(this.#backoff.nextMs(), () => void this.#repairs.poke());
  }

  async #load(input: string): Promise<string | undefined> {
    const limits = { timeoutMs: NFT_MS_MAX, maxOutputBytes: OUTPUT_BYTES_MAX };
    const command = this.#options.program;
    try {
      const result = await runProgram({ command, args: ["-f", "-"], input, ...limits });
      if (result.code === 0) return undefined;
      return result.stderr.trim().split("\n")[0] || "nft did not end in time";
    } catch (error) {
      return describeError(error);
    }
  }
}
