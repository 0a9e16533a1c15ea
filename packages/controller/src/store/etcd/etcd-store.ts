// The store in etcd, for several controllers. Given a client and a base path. Commits that wait
// become one; each is fenced by the epoch. It is told of being overtaken by its next write alone,
// and believes no watch and no lease of etcd.

import { assert } from "@fairlead/model";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { EtcdRow } from "../../etcd/list-prefix.ts";
import type { EtcdChange } from "../../etcd/transaction.ts";
import type { CommitResult, OutrankResult, Store, StoreChange, StoredState } from "../../ports.ts";
import { makeStoreError } from "../store-error.ts";
import { createEtcdSession, type EtcdSession } from "./etcd-session.ts";
import { etcdStoreError } from "./etcd-store-errors.ts";
import { openStore } from "./open-store.ts";
import type { ChangePlace } from "../pieces.ts";
import {
  placeInCommit,
  readRows,
  type StoredRows,
  storeKeys,
  type StoreKeys,
  toKeyChange,
} from "./rows-in-etcd.ts";

/** Commits that may wait at once; the loop has one, so more is somebody's mistake. */
const WAITING_MAX = 1000;

/** Where the store is. */
export interface EtcdStoreOptions {
  /** Stays the caller's: closed after the store. */
  readonly client: EtcdClient;
  /** All keys are below it: `/fairlead`. */
  readonly base: string;
  /** Told after each commit how many rows it changed. */
  readonly onWrite?: (rows: number) => void;
}

/** Makes the store; nothing is touched before `open`. */
export function createEtcdStore(options: EtcdStoreOptions): Store {
  return new EtcdStore(options);
}

interface Waiting {
  readonly epoch: number;
  readonly changes: readonly StoreChange[];
  readonly resolve: (result: CommitResult) => void;
  readonly reject: (error: Error) => void;
}

/** What one opening began: the next one leaves it alone. */
interface Term {
  readonly session: EtcdSession;
  /** As the loop knows it. */
  epoch: number;
  readonly waiting: Waiting[];
  /** Writes follow each other. */
  writing: Promise<void>;
}

class EtcdStore implements Store {
  readonly #client: EtcdClient;
  readonly #keys: StoreKeys;
  readonly #onWrite: ((rows: number) => void) | undefined;
  #term: Term | undefined;
  #isClosed = false;

  constructor({ client, base, onWrite }: EtcdStoreOptions) {
    this.#client = client;
    this.#keys = storeKeys(base);
    this.#onWrite = onWrite;
  }

  async open(): Promise<StoredState> {
    if (this.#isClosed) throw this.#closedError();
    try {
      const keys = this.#keys;
      const client = this.#client;
      const read = (rows: readonly EtcdRow[]): StoredRows => readRows(keys, rows);
      const { term, rows, state } = await openStore({ client, keys, read });
      const placeOf = (change: EtcdChange): ChangePlace => placeInCommit(keys, change);
      const session = createEtcdSession({ client, termKey: keys.term, placeOf, term, rows });
      this.#term = { session, epoch: term.epoch, waiting: [], writing: Promise.resolve() };
      return { epoch: term.epoch, ...state };
    } catch (error) {
      throw etcdStoreError(error);
    }
  }

  commit(epoch: number, changes: readonly StoreChange[]): Promise<CommitResult> {
    const term = this.#term;
    if (this.#isClosed) return Promise.reject(this.#closedError());
    assert(term !== undefined, "a store is opened before it is written");
    if (term.waiting.length >= WAITING_MAX) {
      const message = `the store in ${this.#client.name} has ${WAITING_MAX} commits waiting`;
      return Promise.reject(makeStoreError({ code: "BUSY", message }));
    }
    return new Promise((resolve, reject) => {
      term.waiting.push({ epoch, changes, resolve, reject });
      // The first one of those that wait takes all that have come by its turn.
      if (term.waiting.length === 1) term.writing = term.writing.then(() => this.#flush(term));
    });
  }

  async outrank(epoch: number, obeyed: number): Promise<OutrankResult> {
    assert(obeyed >= epoch, "an epoch only goes up");
    const term = this.#term;
    if (this.#isClosed) throw this.#closedError();
    assert(term !== undefined, "a store is opened before it is written");
    const raising = term.writing.then(() => this.#raise(term, epoch, obeyed));
    term.writing = raising.then(
      () => undefined,
      () => undefined,
    );
    return await raising;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#term?.writing;
  }

  async #raise(term: Term, epoch: number, obeyed: number): Promise<OutrankResult> {
    if (epoch !== term.epoch) return { kind: "fenced", epoch: term.epoch };
    try {
      const result = await term.session.raise(obeyed + 1);
      if (result.kind === "fenced") return result;
      term.epoch = term.session.epoch;
      return { kind: "outranked", epoch: term.epoch };
    } catch (error) {
      throw etcdStoreError(error);
    }
  }

  /** Never rejects. */
  async #flush(term: Term): Promise<void> {
    const batch = term.waiting.splice(0);
    const mine = batch.filter(({ epoch }) => epoch === term.epoch);
    for (const one of batch) {
      if (one.epoch !== term.epoch) one.resolve({ kind: "fenced", epoch: term.epoch });
    }
    const changes = mine.flatMap((one) => one.changes);
    try {
      const result = await term.session.write(
        changes.map((change) => toKeyChange(this.#keys, change)),
      );
      const answer: CommitResult = result.kind === "done" ? { kind: "committed" } : result;
      if (result.kind === "done" && changes.length > 0) this.#onWrite?.(changes.length);
      for (const one of mine) one.resolve(answer);
    } catch (error) {
      const mapped = etcdStoreError(error);
      for (const one of mine) one.reject(mapped);
    }
  }

  #closedError(): Error {
    const message = `the store in ${this.#client.name} is closed`;
    return makeStoreError({ code: "CLOSED", message });
  }
}
