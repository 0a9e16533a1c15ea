// The objects of one kind as an API server showed them: lists and watch events go in, changes come
// out. It knows no network and no clock. It decides three things: that an object made again under
// its name is another one, what a list that lacks something proves, and what to make of a server
// whose resource versions went back.

import { ABSENCE_MS } from "../../judge-absence.ts";

/** What tells versions of objects apart. */
export interface ObjectMeta {
  /** `namespace/name`, or the name alone for kinds of the whole cluster. */
  readonly key: string;
  readonly uid: string;
  /** resourceVersion as a number (KEP-5504 lets clients compare them); NaN where it is none. */
  readonly version: number;
}

/** One object as it is kept. */
export interface Entry<T> extends ObjectMeta {
  readonly value: T;
  /** Monotonic ms since a list lacked it; absent while it is there. It stays in force meanwhile. */
  readonly absentSinceMs?: number;
}

/** Something that changed. */
export type Change<T> =
  | { readonly kind: "upsert"; readonly entry: Entry<T>; readonly before?: Entry<T> }
  /** It was seen to be deleted, or two whole lists apart lacked it. */
  | { readonly kind: "gone"; readonly entry: Entry<T> }
  /** A list lacked it, or has it again: it stays, and is in doubt or not. */
  | { readonly kind: "doubt"; readonly entry: Entry<T> };

/** A whole list that comes page by page. */
export interface ListInProgress<T> {
  /** One page: what it changes at once. */
  take(listed: readonly Listed<T>[]): readonly Change<T>[];
  /** The list is whole: what it lacks is judged. */
  end(): ListOutcome<T>;
}

/** One object of a list. */
export interface Listed<T> {
  readonly meta: ObjectMeta;
  readonly value: T;
}

/** What a whole list came to. */
export interface ListOutcome<T> {
  readonly changes: readonly Change<T>[];
  /** Whether something is in doubt, so that a second list has to follow. */
  readonly isDoubtful: boolean;
}

/** What a second look at names and versions came to. */
export interface LookOutcome<T> extends ListOutcome<T> {
  /** Objects that the watch should have shown and did not. Must be 0. */
  readonly differences: number;
  /** Whether the objects themselves have to be listed anew. */
  readonly isOutdated: boolean;
}

/** The objects of one kind. Everything is by monotonic ms of one clock. */
export class ObjectSet<T> {
  readonly #entries = new Map<string, Entry<T>>();
  /** Version up to which everything is known: of the last list, event or bookmark. */
  #seenTo = Number.NaN;
  #wentBackSinceMs: number | undefined;
  /** By uid, what was seen to go since a second look began; absent while none is under way. */
  #wentMeanwhile: Set<string> | undefined;

  get entries(): ReadonlyMap<string, Entry<T>> {
    return this.#entries;
  }

  /** Whether the server shows older versions than it did, and that is not believed yet. */
  get isBehind(): boolean {
    return this.#wentBackSinceMs !== undefined;
  }

  /** An object was added or changed, as a watch says. */
  upsert(meta: ObjectMeta, value: T): readonly Change<T>[] {
    const before = this.#entries.get(meta.key);
    if (before !== undefined && isOlder(meta, before)) return [];
    this.#advance(meta.version);
    return this.#put(before, entryOf(meta, value));
  }

  /** An object was deleted, as a watch says. */
  remove(meta: ObjectMeta): readonly Change<T>[] {
    const before = this.#entries.get(meta.key);
    this.#advance(meta.version);
    this.#wentMeanwhile?.add(meta.uid);
    // Another one has its name by now, or the event is older than what is known.
    if (before === undefined || before.uid !== meta.uid || isOlder(meta, before)) return [];
    this.#entries.delete(meta.key);
    return [{ kind: "gone", entry: before }];
  }

  /**
   * A bookmark: everything up to this version was shown. False when it lies before what was shown
   * already: the server is another one, or was put back, and what it knows must be listed.
   */
  bookmark(version: number): boolean {
    if (version < this.#seenTo) return false;
    this.#advance(version);
    return true;
  }

  /** Begins to take in a whole list that is of `version`. */
  beginList(version: number, nowMs: number): ListInProgress<T> {
    const isTrusted = this.#judgeVersion(version, nowMs);
    const present = new Set<string>();
    return {
      take: (listed) =>
        listed.flatMap(({ meta, value }) => {
          present.add(meta.key);
          return this.#takeListed(meta, value, isTrusted);
        }),
      end: () => {
        const changes = this.#judgeAbsence(present, nowMs);
        return { changes, isDoubtful: this.#isDoubtful() };
      },
    };
  }

  /**
   * Begins a second look: a whole list of names and versions alone, while the watch goes on. The
   * list is taken in by what is returned; what the watch shows meanwhile is no difference.
   */
  beginLook(): (listed: readonly ObjectMeta[], version: number, nowMs: number) => LookOutcome<T> {
    const seenTo = this.#seenTo;
    const went = new Set<string>();
    this.#wentMeanwhile = went;
    return (listed, version, nowMs) => {
      if (this.#wentMeanwhile === went) this.#wentMeanwhile = undefined;
      return this.#look(listed, { version, seenTo, went, nowMs });
    };
  }

  #look(
    listed: readonly ObjectMeta[],
    at: {
      readonly version: number;
      readonly seenTo: number;
      readonly went: ReadonlySet<string>;
      readonly nowMs: number;
    },
  ): LookOutcome<T> {
    let differences = 0;
    // A list that was not believed is made up for when the versions have caught up: of what was
    // known it changed nothing.
    let isNews = at.version < at.seenTo || this.isBehind;
    const changes: Change<T>[] = [];
    const present = new Set<string>();
    for (const meta of listed) {
      present.add(meta.key);
      const before = this.#entries.get(meta.key);
      const isKnown =
        at.went.has(meta.uid) ||
        (before !== undefined && before.uid === meta.uid && !(before.version < meta.version));
      if (before !== undefined) changes.push(...this.#comeBack(before));
      // What is newer than all that the watch has shown is on its way.
      if (isKnown || !(meta.version <= this.#seenTo)) continue;
      differences += 1;
      isNews = true;
    }
    const absent = this.#judgeAbsence(present, at.nowMs, at.version);
    differences += absent.filter(({ kind }) => kind === "gone").length;
    changes.push(...absent);
    return { changes, differences, isOutdated: isNews, isDoubtful: this.#isDoubtful() };
  }

  #takeListed(meta: ObjectMeta, value: T, isTrusted: boolean): readonly Change<T>[] {
    const before = this.#entries.get(meta.key);
    if (before !== undefined && before.version === meta.version && before.uid === meta.uid) {
      return this.#comeBack(before);
    }
    const isTaken = isTrusted || before === undefined || !isOlder(meta, before);
    return isTaken ? this.#put(before, entryOf(meta, value)) : this.#comeBack(before);
  }

  #advance(version: number): void {
    if (!(version <= this.#seenTo)) this.#seenTo = version;
  }

  /**
   * Whether a list of this version is believed in all. One that is older than what was seen comes
   * from a server with an old cache, and shows the past; or from an etcd that was put back, which
   * is the truth. Which of the two shows when it is so for long enough.
   */
  #judgeVersion(version: number, nowMs: number): boolean {
    if (!(version < this.#seenTo)) {
      this.#wentBackSinceMs = undefined;
      this.#advance(version);
      return true;
    }
    this.#wentBackSinceMs ??= nowMs;
    if (nowMs - this.#wentBackSinceMs < ABSENCE_MS) return false;
    this.#wentBackSinceMs = undefined;
    this.#seenTo = version;
    return true;
  }

  #put(before: Entry<T> | undefined, entry: Entry<T>): readonly Change<T>[] {
    this.#entries.set(entry.key, entry);
    if (before === undefined) return [{ kind: "upsert", entry }];
    if (before.uid === entry.uid) return [{ kind: "upsert", entry, before }];
    return [
      { kind: "gone", entry: before },
      { kind: "upsert", entry },
    ];
  }

  #comeBack(before: Entry<T>): readonly Change<T>[] {
    if (before.absentSinceMs === undefined) return [];
    const { absentSinceMs: _, ...entry } = before;
    this.#entries.set(entry.key, entry);
    return [{ kind: "doubt", entry }];
  }

  /**
   * Marks what a list lacks, and lets go what an earlier one lacked long enough ago.
   * @param version of a list beside the watch: what is newer cannot stand in it.
   */
  #judgeAbsence(
    present: ReadonlySet<string>,
    nowMs: number,
    version = Number.POSITIVE_INFINITY,
  ): readonly Change<T>[] {
    const changes: Change<T>[] = [];
    for (const before of this.#entries.values()) {
      if (present.has(before.key) || before.version > version) continue;
      if (before.absentSinceMs === undefined) {
        const entry = { ...before, absentSinceMs: nowMs };
        this.#entries.set(entry.key, entry);
        changes.push({ kind: "doubt", entry });
      } else if (nowMs - before.absentSinceMs >= ABSENCE_MS) {
        this.#entries.delete(before.key);
        changes.push({ kind: "gone", entry: before });
      }
    }
    return changes;
  }

  #isDoubtful(): boolean {
    if (this.isBehind) return true;
    for (const { absentSinceMs } of this.#entries.values()) {
      if (absentSinceMs !== undefined) return true;
    }
    return false;
  }
}

/** Field by field: a copy by spreading takes the room of another object, ten thousand times. */
function entryOf<T>({ key, uid, version }: ObjectMeta, value: T): Entry<T> {
  return { key, uid, version, value };
}

/** Whether it is an earlier version of the same object. */
function isOlder(meta: ObjectMeta, than: ObjectMeta): boolean {
  return meta.uid === than.uid && meta.version < than.version;
}
