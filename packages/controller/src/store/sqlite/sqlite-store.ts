// The store in one SQLite file. Given its path. Commits of one tick become one transaction, and a
// large one is written in slices with the event loop's turn between them; nobody else can look in
// between, as this process alone has the file. What a commit resolved with survives a power cut.

import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";

import { assert, present } from "@fairlead/model";

import type { CommitResult, OutrankResult, Store, StoreChange, StoredState } from "../../ports.ts";
import { type Commit, createGroupCommit, type GroupCommit } from "../group-commit.ts";
import { readIntent, readLane, readLease } from "../rows.ts";
import { makeStoreError } from "../store-error.ts";
import { openDatabase } from "./open-database.ts";
import { rememberFile } from "./same-file.ts";
import { STORE_SCHEMA } from "./schema.ts";
import { storeError } from "./sqlite-errors.ts";
import { type ChangeWriter, createChangeWriter } from "./write-change.ts";

/** Rows written before the event loop gets a turn: about 2 ms. */
const SLICE_ROWS = 200;

/** Makes a page of the file be written with what it had. */
const WRITE_AND_TAKE_BACK = "UPDATE meta SET epoch = epoch + 1; UPDATE meta SET epoch = epoch - 1";

/** Where the store is. */
export interface SqliteStoreOptions {
  /** The file; made with its folder when missing. */
  readonly path: string;
  /** Told after each transaction how many rows it wrote. */
  readonly onWrite?: (rows: number) => void;
}

/** Makes the store; nothing is touched before `open`. */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  return new SqliteStore(options);
}

class SqliteStore implements Store {
  readonly #path: string;
  readonly #onWrite: ((rows: number) => void) | undefined;
  readonly #commits: GroupCommit;
  #database: DatabaseSync | undefined;
  #writer: ChangeWriter | undefined;
  #checkFile: (() => void) | undefined;
  #isClosed = false;
  /** The last commit failed: what comes of the next is told only by writing something. */
  #isInDoubt = false;

  constructor(options: SqliteStoreOptions) {
    // An absolute path is never taken for a URI or for SQLite's own ":memory:".
    this.#path = resolve(options.path);
    this.#onWrite = options.onWrite;
    this.#commits = createGroupCommit({
      name: `the store ${this.#path}`,
      write: (batch) => this.#write(batch),
      onFailed: (error) => {
        this.#isInDoubt = true;
        this.#rollBack();
        return storeError(error, `cannot write the store ${this.#path}`);
      },
    });
  }

  async open(): Promise<StoredState> {
    // Of an earlier opening, whose epoch ends here.
    await this.#commits.settled();
    return this.#open();
  }

  commit(epoch: number, changes: readonly StoreChange[]): Promise<CommitResult> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    assert(this.#database !== undefined, "a store is opened before it is written");
    return this.#commits.add({ epoch, changes });
  }

  async outrank(epoch: number, obeyed: number): Promise<OutrankResult> {
    assert(obeyed >= epoch, "an epoch only goes up");
    await this.#commits.settled();
    if (this.#isClosed) throw this.#closedError();
    const database = present(this.#database, "a store is opened before it is written");
    try {
      this.#checkFile?.();
      const current = this.#epoch();
      if (current !== epoch) return { kind: "fenced", epoch: current };
      database.prepare("UPDATE meta SET epoch = ?").run(obeyed + 1);
      return { kind: "outranked", epoch: this.#epoch() };
    } catch (error) {
      throw storeError(error, `cannot write the store ${this.#path}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#commits.settled();
    this.#database?.close();
    this.#database = undefined;
  }

  #open(): StoredState {
    assert(!this.#isClosed, "a store is opened before it is closed");
    const database = this.#database ?? openDatabase(this.#path, STORE_SCHEMA);
    this.#database = database;
    try {
      this.#checkFile ??= rememberFile(this.#path, `the store ${this.#path}`);
      this.#writer ??= createChangeWriter(database);
      const select = (table: string, key: string): { key: unknown; row: unknown }[] =>
        database
          .prepare(`SELECT ${key} AS key, row FROM ${table} ORDER BY ${key}`)
          .all()
          .map(({ key: value, row }) => ({ key: value, row }));
      const stored = {
        leases: select("leases", "address").map(readLease),
        lanes: select("lanes", "id").map(readLane),
        intents: select("intents", "id").map(readIntent),
      };
      // Last, so that a store that cannot be read takes no epoch.
      database.exec("UPDATE meta SET epoch = epoch + 1");
      return { epoch: this.#epoch(), ...stored };
    } catch (error) {
      this.#database = undefined;
      this.#checkFile = undefined;
      this.#writer = undefined;
      database.close();
      throw storeError(error, `cannot read the store ${this.#path}`);
    }
  }

  async #write(batch: readonly Commit[]): Promise<readonly CommitResult[]> {
    const database = present(this.#database, "the store is open while commits wait");
    const writer = present(this.#writer, "an open store has a writer");
    this.#checkFile?.();
    database.exec("BEGIN IMMEDIATE");
    const epoch = this.#epoch();
    const results: CommitResult[] = [];
    let rows = 0;
    for (const commit of batch) {
      if (commit.epoch !== epoch) {
        results.push({ kind: "fenced", epoch });
        continue;
      }
      for (const change of commit.changes) {
        writer.write(change);
        rows += 1;
        if (rows % SLICE_ROWS === 0) await setImmediate();
      }
      results.push({ kind: "committed" });
    }
    // Without a changed page SQLite touches no disk, and the disk may be full still.
    if (this.#isInDoubt && rows === 0) database.exec(WRITE_AND_TAKE_BACK);
    database.exec("COMMIT");
    this.#isInDoubt = false;
    if (rows > 0) this.#onWrite?.(rows);
    return results;
  }

  #rollBack(): void {
    try {
      // SQLite rolls back by itself after some failures.
      if (this.#database?.isTransaction === true) this.#database.exec("ROLLBACK");
    } catch {
      // The failure that led here is the one to tell; the next commit meets this one again.
    }
  }

  #epoch(): number {
    const row = this.#database?.prepare("SELECT epoch FROM meta").get();
    const epoch = row?.["epoch"];
    if (typeof epoch === "number") return epoch;
    throw makeStoreError({ code: "CORRUPT", message: "damaged row of meta: it has no epoch" });
  }

  #closedError(): Error {
    return makeStoreError({ code: "CLOSED", message: `the store ${this.#path} is closed` });
  }
}
