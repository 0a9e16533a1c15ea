// A table of nftables that is ours alone: what we change in it is signed, so that a change without
// a signature of ours is somebody else's. Given the program nft and the monitor. It decides nothing
// of what stands in the table, nor what follows when others touched it.

import { REVISION_SET, type RevisionTurn } from "@fairlead/render";
import { runProgram } from "@fairlead/runtime";

import { loadRules } from "./load-rules.ts";
import type { NftMonitor, TableChange } from "./nft-monitor.ts";

/** What a signed table is made of. */
export interface SignedTableOptions {
  readonly table: string;
  /** `nft`, an absolute path. */
  readonly program: string;
  readonly timeoutMs: number;
  /** Where a long transaction lies while nft reads it. Default: nowhere. */
  readonly scriptFile?: string;
  /** Absent: what others do to the table is not seen. */
  readonly monitor?: Pick<NftMonitor, "onChange">;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /**
   * Somebody else changed the table, or may have; called by the monitor.
   * @param isUnwatched nothing of the kind was seen, but nobody listened until now.
   */
  readonly onForeign: (isUnwatched: boolean) => void;
}

/** The table. */
export interface SignedTable extends Disposable {
  /** What the next transaction is to be signed with. */
  readonly turn: RevisionTurn;
  /**
   * Loads a transaction that is signed with `turn`, which is another one after that.
   * @returns what nft said against it, nothing changed; undefined: it was taken.
   */
  load(text: string): Promise<string | undefined>;
}

/** A revision is a mark of 32 bits, and begins where no earlier life of the agent ended. */
const REVISIONS = 2 ** 31;
const LISTING_BYTES_MAX = 4096;
const SIGNATURE = /elements = \{ (0x[0-9a-f]+|[0-9]+) \}/;
/** So many transactions of ours may be on their way through the monitor. */
const UNSEEN_MAX = 64;

/** Makes it; nothing is written before the first load. */
export function createSignedTable(options: SignedTableOptions): SignedTable {
  return new Table(options);
}

class Table implements SignedTable {
  readonly #options: SignedTableOptions;
  readonly #listening: Disposable | undefined;
  readonly #unseen = new Set<number>();
  #revision: number;

  constructor(options: SignedTableOptions) {
    const { random, monitor, table } = options;
    this.#options = options;
    this.#revision = Math.floor(random() * REVISIONS);
    this.#listening = monitor?.onChange(table, (change) => this.#changed(change));
  }

  get turn(): RevisionTurn {
    return { from: this.#revision, to: (this.#revision + 1) % REVISIONS };
  }

  async load(text: string): Promise<string | undefined> {
    const { to } = this.turn;
    this.#revision = to;
    // Where nothing of ours is heard, nothing is waited for.
    if (this.#unseen.size >= UNSEEN_MAX) this.#unseen.clear();
    this.#unseen.add(to);
    const trouble = await loadRules(this.#options, text);
    if (trouble !== undefined) this.#unseen.delete(to);
    return trouble;
  }

  [Symbol.dispose](): void {
    this.#listening?.[Symbol.dispose]();
  }

  #changed({ revision, isLost, isUnwatched = false }: TableChange): void {
    if (revision !== undefined && this.#unseen.delete(revision)) return;
    if (isLost === true) void this.#afterLoss();
    else this.#options.onForeign(isUnwatched);
  }

  /**
   * A transaction of ours that is large makes more events than the monitor can take. To write the
   * table anew for that would make as many again, without an end: what stands in it is asked for.
   */
  async #afterLoss(): Promise<void> {
    const before = this.#revision;
    const found = await this.#signature();
    // Another one of ours may be under way, and of those before it the signature may be lost.
    const isOurs = found === before || found === this.#revision;
    if (found !== undefined && (isOurs || this.#unseen.has(found))) return;
    this.#options.onForeign(false);
  }

  /** Of the table as the kernel has it; undefined where it has none that is signed. */
  async #signature(): Promise<number | undefined> {
    const { program: command, timeoutMs, table } = this.#options;
    const args = ["list", "set", "inet", table, REVISION_SET];
    try {
      const limits = { timeoutMs, maxOutputBytes: LISTING_BYTES_MAX };
      const { stdout } = await runProgram({ command, args, ...limits });
      const number = SIGNATURE.exec(stdout)?.[1];
      return number === undefined ? undefined : Number(number);
    } catch {
      return undefined;
    }
  }
}
