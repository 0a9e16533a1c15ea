// The newest rows of one kind, each with the version in which it changed last, so that what changed
// since any earlier version can be told to any number of readers. Given whole lists, one after the
// other. What is remembered of rows that went is bounded.

import { isSameRow } from "./same-row.ts";

/** Rows that went are remembered up to this number; whoever is further behind needs all rows. */
const GONE_MAX = 10_000;

/** How rows of one kind are told apart. */
export interface RowKind<Row> {
  /** Rows with one key belong together: they change and go as one. */
  readonly keyOf: (row: Row) => string;
  /** The field that time alone changes; absent: none. */
  readonly passing?: keyof Row & string;
}

/** What became of rows: the newest of each that changed, and keys of those that are no more. */
export interface RowChanges<Row> {
  readonly rows: readonly Row[];
  readonly gone: readonly string[];
}

interface Entry<Row> {
  readonly rows: readonly Row[];
  /** The version in which it changed last. */
  readonly version: number;
}

/** The rows of one kind. */
export class KeyedRows<Row> {
  readonly #kind: RowKind<Row>;
  #entries: ReadonlyMap<string, Entry<Row>> = new Map();
  /** Keys that went, each with the version in which it did; the oldest first. */
  readonly #gone = new Map<string, number>();
  /** Of what went up to this version some may be forgotten. */
  #forgotten = 0;

  constructor(kind: RowKind<Row>) {
    this.#kind = kind;
  }

  /** Takes a whole list in; whether it differs from the one before, and so has this version. */
  take(list: readonly Row[], version: number): boolean {
    let hasChanged = false;
    const entries = new Map<string, Entry<Row>>();
    for (const [key, rows] of Map.groupBy(list, (row) => this.#kind.keyOf(row))) {
      const before = this.#entries.get(key);
      const isSame = before !== undefined && this.#areSame(before.rows, rows);
      // The rows are the new ones in any case: their ages are of now.
      entries.set(key, { rows, version: isSame ? before.version : version });
      if (isSame) continue;
      hasChanged = true;
      this.#gone.delete(key);
    }
    for (const key of this.#entries.keys()) {
      if (entries.has(key)) continue;
      hasChanged = true;
      this.#remember(key, version);
    }
    this.#entries = entries;
    return hasChanged;
  }

  /** Every row, in the order of the list. */
  all(): readonly Row[] {
    return [...this.#entries.values()].flatMap(({ rows }) => rows);
  }

  /** What changed after a version; undefined: that is too long ago to be told. */
  since(version: number): RowChanges<Row> | undefined {
    if (version < this.#forgotten) return undefined;
    const changed = [...this.#entries.values()].filter((entry) => entry.version > version);
    const gone = [...this.#gone].filter(([, went]) => went > version).map(([key]) => key);
    return { rows: changed.flatMap(({ rows }) => rows), gone };
  }

  #areSame(before: readonly Row[], now: readonly Row[]): boolean {
    if (before.length !== now.length) return false;
    return now.every((row, index) => isSameRow(before[index], row, this.#kind.passing));
  }

  #remember(key: string, version: number): void {
    this.#gone.set(key, version);
    if (this.#gone.size <= GONE_MAX) return;
    for (const [oldest, went] of this.#gone) {
      this.#gone.delete(oldest);
      this.#forgotten = went;
      return;
    }
  }
}
