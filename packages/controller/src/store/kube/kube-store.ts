// The store in a cluster: one object a row, named by what the row is about, and a journal. A commit
// is one write of the journal, so that it is whole or not at all and none of an earlier epoch gets
// through; rows' objects follow it. Given a client. Why it is so stands in docs/adr.

import { randomUUID } from "node:crypto";

import { assert, compareText, present } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import type { KubeClient } from "../../kube/kube-client.ts";
import { isKubeError } from "../../kube/kube-errors.ts";
import type { CommitResult, OutrankResult, Store, StoreChange, StoredState } from "../../ports.ts";
import { type Commit, createGroupCommit } from "../group-commit.ts";
import { makeStoreError } from "../store-error.ts";
import {
  type Journal,
  packChanges,
  readJournal,
  type TakenJournal,
  unpackChanges,
  writeJournal,
} from "./journal.ts";
import { kubeStoreError } from "./kube-store-errors.ts";
import { createReadAhead, type ReadAhead } from "./read-ahead.ts";
import { createRowWriter, type RowWriter } from "./row-writer.ts";
import { readRows, type StoredRows } from "./stored-rows.ts";
import { keyOfChange, keyText } from "./stored-objects.ts";

/** Taking an epoch is tried so often against others that do the same. */
const TRIES_MAX = 5;
/** At its end the store waits so long for objects to follow the journal, in ms. */
const SETTLE_MS = 1000;
const WRITING = "cannot write the store of the cluster";

/** What the store works with. */
export interface KubeStoreOptions {
  /** Writes only while this controller leads. */
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Told after each commit how many rows it changed. */
  readonly onWrite?: (rows: number) => void;
}

/** Makes the store; nothing is asked before `open`. */
export function createKubeStore(options: KubeStoreOptions): Store {
  return new KubeStore(options);
}

/** An opening: its journal as written last, as far as that was answered, and its rows' writer. */
interface Opened {
  journal: TakenJournal;
  readonly rows: RowWriter;
  /** Of the newest write, answered or not; those in between may have happened. */
  sequence: number;
}

class KubeStore implements Store {
  readonly #options: KubeStoreOptions;
  readonly #ahead: ReadAhead;
  readonly #commits = createGroupCommit({
    name: "the store",
    write: (batch) => this.#write(batch),
    onFailed: (error) => kubeStoreError(error, WRITING),
  });
  #opened: Opened | undefined;
  #isClosed = false;

  constructor(options: KubeStoreOptions) {
    this.#options = options;
    this.#ahead = createReadAhead(options);
  }

  readAhead(): Promise<void> {
    return this.#ahead.look();
  }

  async open(): Promise<StoredState> {
    assert(!this.#isClosed, "a store is opened before it is closed");
    const { client } = this.#options;
    await this.#commits.settled();
    await this.#opened?.rows[Symbol.asyncDispose]();
    try {
      const { journal, replaced } = await this.#takeEpoch();
      // After the epoch is taken, so that nothing of an earlier one is missed; or before that, and
      // nothing was committed in between.
      const known = this.#ahead.take(replaced);
      const [rows, changes] = await Promise.all([
        known ?? readRows(client),
        unpackChanges(journal.packed),
      ]);
      const { sequence } = journal;
      this.#opened = { journal, rows: this.#rowWriter(journal, rows), sequence };
      this.#opened.rows.take(changes.filter((change) => !rows.shows(change)));
      return { epoch: journal.epoch, ...rows.stateAfter(changes) };
    } catch (error) {
      throw kubeStoreError(error, "cannot read the store of the cluster");
    }
  }

  commit(epoch: number, changes: readonly StoreChange[]): Promise<CommitResult> {
    if (this.#isClosed) return Promise.reject(closedError());
    assert(this.#opened !== undefined, "a store is opened before it is written");
    return this.#commits.add({ epoch, changes });
  }

  async outrank(epoch: number, obeyed: number): Promise<OutrankResult> {
    assert(obeyed >= epoch, "an epoch only goes up");
    await this.#commits.settled();
    if (this.#isClosed) throw closedError();
    const opened = present(this.#opened, "a store is opened before it is written");
    if (epoch !== opened.journal.epoch) return { kind: "fenced", epoch: opened.journal.epoch };
    try {
      const fencedBy = await this.#replace(opened, opened.rows.pending(), obeyed + 1);
      if (fencedBy !== undefined) return { kind: "fenced", epoch: fencedBy };
      return { kind: "outranked", epoch: obeyed + 1 };
    } catch (error) {
      throw kubeStoreError(error, WRITING);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#commits.settled();
    await this.#opened?.rows.settled(SETTLE_MS);
    await this.#opened?.rows[Symbol.asyncDispose]();
  }

  async #write(batch: readonly Commit[]): Promise<readonly CommitResult[]> {
    const opened = present(this.#opened, "the store is open while commits wait");
    const { epoch } = opened.journal;
    const mine = batch.filter((commit) => commit.epoch === epoch);
    const changes = lastWords(mine.flatMap((commit) => commit.changes));
    // What had no answer may stand in the journal, and is not wanted there.
    const isInDoubt = mine.length > 0 && opened.sequence > opened.journal.sequence;
    if (changes.length > 0 || isInDoubt) {
      const all = lastWords([...opened.rows.pending(), ...changes]);
      const fencedBy = await this.#replace(opened, all, epoch);
      if (fencedBy !== undefined) return batch.map(() => ({ kind: "fenced", epoch: fencedBy }));
      opened.rows.take(changes);
      if (changes.length > 0) this.#options.onWrite?.(changes.length);
    }
    return batch.map((commit) =>
      commit.epoch === epoch ? { kind: "committed" } : { kind: "fenced", epoch },
    );
  }

  /** Replaces the journal. Returns the epoch of whoever took the store, undefined for nobody. */
  async #replace(
    opened: Opened,
    changes: readonly StoreChange[],
    epoch: number,
  ): Promise<number | undefined> {
    const { client } = this.#options;
    const packed = await packChanges(changes);
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const { journal } = opened;
      const { by } = journal;
      opened.sequence += 1;
      const next = { ...journal, epoch, sequence: opened.sequence, packed };
      try {
        opened.journal = { ...(await writeJournal(client, "journal", next)), by };
        return undefined;
      } catch (error) {
        // Other errors say nothing of whether it stands there.
        if (!isKubeError(error, "CONFLICT", "NOT_FOUND")) throw error;
      }
      const found = await readJournal(client, "journal");
      // All writes without an answer are over one version, so at most one of them stands there.
      const isOurs = found?.by === by && found.sequence >= journal.sequence;
      // Else an older copy of the store was put back, or somebody has it.
      if (!isOurs) return found?.epoch ?? 0;
      opened.journal = { ...found, by, epoch: journal.epoch };
    }
    throw makeStoreError({ code: "CONFLICT", message: "others write the journal all the time" });
  }

  /** Takes the next epoch, by a journal that replaces the one before. */
  async #takeEpoch(): Promise<{ readonly journal: TakenJournal; readonly replaced?: Journal }> {
    const { client } = this.#options;
    const by = randomUUID();
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      const found = await readJournal(client, "journal");
      // Without a journal the rows tell which epochs there were.
      const before = found?.epoch ?? (await readRows(client)).epochMax;
      try {
        const journal = await writeJournal(client, "journal", {
          resourceVersion: found?.resourceVersion,
          epoch: before + 1,
          sequence: (found?.sequence ?? 0) + 1,
          by,
          packed: found?.packed ?? "",
        });
        return { journal: { ...journal, by }, ...(found === undefined ? {} : { replaced: found }) };
      } catch (error) {
        if (!isKubeError(error, "CONFLICT")) throw error;
      }
    }
    throw makeStoreError({ code: "CONFLICT", message: "others open the store all the time" });
  }

  #rowWriter(journal: TakenJournal, { versions }: StoredRows): RowWriter {
    const { client, clock } = this.#options;
    const epoch = (): number => this.#opened?.journal.epoch ?? journal.epoch;
    const isCurrent = async (signal: AbortSignal): Promise<boolean> =>
      (await readJournal(client, "journal", signal))?.by === journal.by;
    return createRowWriter({ client, clock, epoch, versions, isCurrent });
  }
}

/** The last change of each row, by key, so that what is alike stands together. */
function lastWords(changes: readonly StoreChange[]): readonly StoreChange[] {
  const last = new Map<string, StoreChange>();
  for (const change of changes) last.set(keyText(keyOfChange(change)), change);
  return [...last].toSorted(([a], [b]) => compareText(a, b)).map(([, change]) => change);
}

function closedError(): Error {
  return makeStoreError({ code: "CLOSED", message: "the store of the cluster is closed" });
}
