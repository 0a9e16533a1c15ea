// The store in etcd, for several controllers. Given a client and a base path. Commits that wait
// become one; each is fenced by the epoch. It is told of being overtaken by its next write alone,
// and believes no watch and no lease of etcd.

import { assert } from "@fairlead/model";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import { type EtcdErrorCode, etcdError } from "../../etcd/etcd-errors.ts";
import type { CommitResult, OutrankResult, Store, StoreChange, StoredState } from "../../ports.ts";
import { makeStoreError, type StoreErrorCode } from "../store-error.ts";
import { createEtcdSession, type EtcdSession } from "./etcd-session.ts";
import { openStore } from "./open-store.ts";
import { storeKeys, type StoreKeys, toKeyChange } from "./rows-in-etcd.ts";

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
      const { term, rows, state } = await openStore(this.#client, this.#keys);
      const session = createEtcdSession({ client: this.#client, keys: this.#keys, term, rows });
      this.#term = { session, epoch: term.epoch, waiting: [], writing: Promise.resolve() };
      return state;
    } catch (error) {
      throw storeError(error);
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
      throw storeError(error);
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
      const mapped = storeError(error);
      for (const one of mine) one.reject(mapped);
    }
  }

  #closedError(): Error {
    const message = `the store in ${this.#client.name} is closed`;
    return makeStoreError({ code: "CLOSED", message });
  }
}

const BY_CODE: Readonly<Record<EtcdErrorCode, StoreErrorCode>> = {
  UNREACHABLE: "UNREACHABLE",
  TIMEOUT: "TIMEOUT",
  FORBIDDEN: "FORBIDDEN",
  NO_SPACE: "NO_SPACE",
  COMPACTED: "IO",
  LEASE_GONE: "IO",
  INVALID: "IO",
  NOT_LEADING: "CONFLICT",
  CLOSED: "CLOSED",
  SERVER: "IO",
};

/** The store's error of whatever a request to etcd raised. */
function storeError(error: unknown): Error {
  const { code, message } = etcdError(error, "cannot use the store in etcd");
  const own = BY_CODE[code];
  // What this folder raised has a code of stores already.
  return own === undefined
    ? (error as Error)
    : makeStoreError({ code: own, message, cause: error });
}
