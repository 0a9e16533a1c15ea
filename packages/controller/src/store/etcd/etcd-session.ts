// One term of a controller in a store in etcd: its writes, one after the other. Given what the
// opening read. It knows at every moment what etcd holds, but for writes that had no answer yet;
// what a commit that failed left behind is put back by the next one, so that a commit is whole.

import { assert } from "@fairlead/model";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import {
  type EtcdChange,
  type EtcdCondition,
  TRANSACTION_OPERATIONS_MAX,
} from "../../etcd/transaction.ts";
import { type ChangePlace, cutIntoPieces, type PieceLimits } from "../pieces.ts";
import { makeStoreError } from "../store-error.ts";
import { formatTerm, readTerm, type Term } from "./term.ts";

const PIECE: PieceLimits = {
  /** One operation of each transaction writes the term. */
  changes: TRANSACTION_OPERATIONS_MAX - 1,
  /** etcd takes requests of 1.5 MiB (--max-request-bytes); a row alone is far smaller. */
  bytes: 512 * 1024,
};

/** What came of a write. */
export type SessionResult =
  | { readonly kind: "done" }
  | { readonly kind: "fenced"; readonly epoch: number };

/** What a session begins with. */
export interface SessionOptions {
  readonly client: EtcdClient;
  /** The key of the term. */
  readonly termKey: string;
  /** Where a change stands in a commit that is too large for one transaction. */
  readonly placeOf: (change: EtcdChange) => ChangePlace;
  /** The term that the opening wrote. */
  readonly term: Term;
  /** All rows by their keys, without the term. */
  readonly rows: Iterable<readonly [key: string, value: string]>;
}

/** Writes under one opening. No call may begin before the one before has ended. */
export interface EtcdSession {
  /** What etcd holds, as far as that was answered. */
  readonly epoch: number;
  /** Makes all changes, or rejects: nobody is told of rows that it left then. */
  write(changes: readonly EtcdChange[]): Promise<SessionResult>;
  /** Writes a later epoch, which all further writes carry. */
  raise(epoch: number): Promise<SessionResult>;
}

/** Begins a session. */
export function createEtcdSession(options: SessionOptions): EtcdSession {
  return new Session(options);
}

/** A write without an answer: it has happened, will happen, or never does. */
interface Doubt {
  readonly text: string;
  readonly term: Term;
  readonly changes: readonly EtcdChange[];
}

const DONE: SessionResult = { kind: "done" };

function doubt(term: Term, changes: readonly EtcdChange[]): Doubt {
  return { text: formatTerm(term), term, changes };
}

class Session implements EtcdSession {
  readonly #client: EtcdClient;
  readonly #termKey: string;
  readonly #placeOf: SessionOptions["placeOf"];
  /** What etcd holds. */
  readonly #stored: Map<string, string>;
  #term: Term;
  /** All of them compare `#term`, hence at most one of them happens. */
  #doubts: Doubt[] = [];
  /** What keys shall be that commits which failed have changed, or may have. */
  readonly #undo = new Map<string, string | undefined>();

  constructor({ client, termKey, placeOf, term, rows }: SessionOptions) {
    this.#client = client;
    this.#termKey = termKey;
    this.#placeOf = placeOf;
    this.#term = term;
    this.#stored = new Map(rows);
  }

  get epoch(): number {
    return this.#term.epoch;
  }

  async write(changes: readonly EtcdChange[]): Promise<SessionResult> {
    const asked = new Map(changes.map(({ key, value }) => [key, value]));
    const before = [...asked.keys()].map((key): [string, string | undefined] => [
      key,
      this.#undo.has(key) ? this.#undo.get(key) : this.#stored.get(key),
    ]);
    try {
      const settled = await this.#settle();
      if (settled.kind === "fenced") return settled;
      const wanted = [...new Map([...this.#undo, ...asked])]
        .map(([key, value]) => ({ key, value }))
        .filter(({ key, value }) => this.#stored.get(key) !== value);
      for (const piece of cutIntoPieces(wanted, this.#placeOf, PIECE)) {
        const result = await this.#send(this.#next(piece));
        if (result.kind === "fenced") return result;
      }
      this.#undo.clear();
      return DONE;
    } catch (error) {
      for (const [key, value] of before) this.#undo.set(key, value);
      throw error;
    }
  }

  async raise(epoch: number): Promise<SessionResult> {
    const settled = await this.#settle();
    if (settled.kind === "fenced") return settled;
    // An earlier try may have happened without an answer.
    if (this.#term.epoch >= epoch) return DONE;
    return await this.#send(doubt({ ...this.#term, epoch, commit: 0 }, []));
  }

  /** Makes sure that no write without an answer can still happen, and learns which one has. */
  async #settle(): Promise<SessionResult> {
    const last = this.#doubts.at(-1);
    if (last === undefined) return DONE;
    const isSettling = last.changes.length === 0 && last.term.epoch === this.#term.epoch;
    return await this.#send(isSettling ? last : this.#next([]));
  }

  #next(changes: readonly EtcdChange[]): Doubt {
    const commits = [this.#term, ...this.#doubts.map(({ term }) => term)].map((one) => one.commit);
    return doubt({ ...this.#term, commit: Math.max(...commits) + 1 }, changes);
  }

  async #send(sent: Doubt): Promise<SessionResult> {
    const { changes } = sent;
    const fence: EtcdCondition = {
      kind: "holds",
      key: this.#termKey,
      value: formatTerm(this.#term),
    };
    // Nobody else makes rows: one that we do not know of is somebody's address.
    const made = changes
      .filter(({ key, value }) => value !== undefined && !this.#stored.has(key))
      .map(({ key }): EtcdCondition => ({ kind: "absent", key }));
    if (!this.#doubts.includes(sent)) this.#doubts.push(sent);
    const result = await this.#client.transact({
      conditions: [fence, ...made],
      changes: [...changes, { key: this.#termKey, value: sent.text }],
    });
    if (result.kind === "done") return this.#happened(sent);
    const found = result.found.get(this.#termKey);
    const one = this.#doubts.find(({ text }) => text === found);
    if (one === sent) return this.#happened(sent);
    if (one === undefined) {
      this.#doubts.pop();
      return this.#refused(fence.value, result.found);
    }
    this.#happened(one);
    // It was made of what is no longer so; whoever called decides anew.
    assert(changes.length === 0, "only settling meets writes that had no answer");
    return DONE;
  }

  #happened({ term, changes }: Doubt): SessionResult {
    this.#term = term;
    this.#doubts = [];
    for (const { key, value } of changes) {
      if (value === undefined) this.#stored.delete(key);
      else this.#stored.set(key, value);
    }
    return DONE;
  }

  #refused(expected: string, found: ReadonlyMap<string, string>): SessionResult {
    const { name } = this.#client;
    const termKey = this.#termKey;
    const text = found.get(termKey);
    if (text === expected) {
      const key = [...found.keys()].find((one) => one !== termKey) ?? "";
      const message = `cannot write ${name}: somebody else made ${key}`;
      throw makeStoreError({ code: "CONFLICT", message });
    }
    const now = text === undefined ? undefined : readTerm(termKey, text);
    if (now !== undefined && now.epoch > this.#term.epoch) {
      return { kind: "fenced", epoch: now.epoch };
    }
    const message = `cannot write ${name}: it was put back to an older state while it is in use`;
    throw makeStoreError({ code: "CONFLICT", message });
  }
}
