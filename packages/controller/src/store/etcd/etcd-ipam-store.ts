// The IPAM service's store in etcd, for several controllers of which one leads. Given a client and
// a base path. Its keys have a term of their own, which every write replaces: whoever opens it ends
// the writes of all before, and the rows that it read are those that there are.

import { assert } from "@fairlead/model";

import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { EtcdRow } from "../../etcd/list-prefix.ts";
import type { EtcdChange } from "../../etcd/transaction.ts";
import type { IpamChange, StoredIpam } from "../../ipam/ipam-model.ts";
import type { IpamStore } from "../../ipam/ports.ts";
import {
  type IpamKeys,
  ipamKeys,
  placeInIpamCommit,
  placesOf,
  readIpamRows,
  toIpamKeyChange,
} from "../ipam-row-keys.ts";
import { createIpamTable, type IpamTable } from "../ipam-table.ts";
import type { ChangePlace } from "../pieces.ts";
import { makeStoreError } from "../store-error.ts";
import { createEtcdSession, type EtcdSession } from "./etcd-session.ts";
import { etcdStoreError } from "./etcd-store-errors.ts";
import { openStore } from "./open-store.ts";

/** Where the store is. */
export interface EtcdIpamStoreOptions {
  /** Stays the caller's: closed after the store. */
  readonly client: EtcdClient;
  /** All keys are below it: `/fairlead`. */
  readonly base: string;
}

/** Makes the store; nothing is touched before `open`. */
export function createEtcdIpamStore(options: EtcdIpamStoreOptions): IpamStore {
  return new EtcdIpamStore(options);
}

class EtcdIpamStore implements IpamStore {
  readonly #client: EtcdClient;
  readonly #prefix: string;
  readonly #keys: IpamKeys;
  #opened: { readonly session: EtcdSession; readonly table: IpamTable } | undefined;
  /** What registrations will hold that the commit under way makes or changes. */
  #coming: ReadonlyMap<string, string> = new Map();
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor({ client, base }: EtcdIpamStoreOptions) {
    this.#client = client;
    this.#prefix = `${base}/ipam/`;
    this.#keys = ipamKeys(this.#prefix);
  }

  async open(): Promise<StoredIpam> {
    assert(this.#opened === undefined, "a store is opened once");
    const [client, keys, prefix] = [this.#client, this.#keys, this.#prefix];
    const termKey = `${prefix}term`;
    const read = (rows: readonly EtcdRow[]): [StoredIpam, IpamTable] => {
      const stored = readIpamRows(keys, rows);
      return [stored, createIpamTable(stored)];
    };
    try {
      const { term, rows, state } = await openStore({
        client,
        keys: { prefix, term: termKey },
        read,
      });
      const [stored, table] = state;
      const heldBy = (uuid: string): string | undefined =>
        this.#coming.get(uuid) ?? table.heldBy(uuid);
      const placeOf = (change: EtcdChange): ChangePlace => placeInIpamCommit(keys, heldBy, change);
      const session = createEtcdSession({ client, termKey, placeOf, term, rows });
      this.#opened = { session, table };
      return stored;
    } catch (error) {
      throw etcdStoreError(error);
    }
  }

  async commit(changes: readonly IpamChange[]): Promise<void> {
    const opened = this.#opened;
    if (this.#isClosed || opened === undefined) {
      const message = `the IPAM store in ${this.#client.name} is closed`;
      throw makeStoreError({ code: "CLOSED", message });
    }
    const problem = opened.table.problem(changes);
    if (problem !== undefined) {
      const message = `cannot write the IPAM store in ${this.#client.name}: ${problem}`;
      throw makeStoreError({ code: "CONFLICT", message });
    }
    const writing = this.#write(opened.session, changes);
    this.#writing = writing.catch(() => undefined);
    await writing;
    opened.table.apply(changes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
  }

  async #write(session: EtcdSession, changes: readonly IpamChange[]): Promise<void> {
    this.#coming = placesOf(changes);
    try {
      const asked = changes.map((change) => toIpamKeyChange(this.#keys, change));
      const result = await session.write(asked);
      if (result.kind === "done") return;
      const message = `another controller took the IPAM store in ${this.#client.name}`;
      throw makeStoreError({ code: "FENCED", message });
    } catch (error) {
      throw etcdStoreError(error);
    }
  }
}
