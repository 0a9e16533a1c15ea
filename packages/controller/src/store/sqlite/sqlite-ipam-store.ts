// The IPAM service's store in one SQLite file of its own. Given its path. This process alone has
// the file; one commit is one transaction, and what it resolved with survives a power cut.

import { resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";

import { assert, assertNever } from "@fairlead/model";

import { type IpamChange, type StoredIpam, type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import type { IpamStore } from "../../ipam/ports.ts";
import { netblockJson, readClass, readNetblock, readRegistration } from "../ipam-rows.ts";
import { IPAM_SCHEMA } from "./ipam-schema.ts";
import { openDatabase } from "./open-database.ts";
import { rememberFile } from "./same-file.ts";
import { readLease } from "../rows.ts";
import { makeStoreError } from "../store-error.ts";
import { storeError } from "./sqlite-errors.ts";

/** Rows written before the event loop gets a turn: about 2 ms. */
const SLICE_ROWS = 200;

/** Makes the store; nothing is touched before `open`. `path`: made with its folder when missing. */
export function createSqliteIpamStore({ path }: { readonly path: string }): IpamStore {
  return new SqliteIpamStore(path);
}

class SqliteIpamStore implements IpamStore {
  readonly #path: string;
  #database: DatabaseSync | undefined;
  #write: ((change: IpamChange) => void) | undefined;
  #checkFile: (() => void) | undefined;

  constructor(path: string) {
    this.#path = resolve(path);
  }

  open(): Promise<StoredIpam> {
    return Promise.resolve().then(() => this.#open());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#database?.close();
    this.#database = undefined;
    return Promise.resolve();
  }

  #open(): StoredIpam {
    assert(this.#database === undefined, "a store is opened once");
    const database = openDatabase(this.#path, IPAM_SCHEMA);
    try {
      database.exec("PRAGMA foreign_keys = ON");
      checkReferences(database);
      const stored = readAll(database);
      this.#write = createWriter(database);
      this.#checkFile = rememberFile(this.#path, `the IPAM store ${this.#path}`);
      this.#database = database;
      return stored;
    } catch (error) {
      database.close();
      throw storeError(error, `cannot read the IPAM store ${this.#path}`);
    }
  }

  async commit(changes: readonly IpamChange[]): Promise<void> {
    const [database, write] = [this.#database, this.#write];
    if (database === undefined || write === undefined) {
      const message = `the IPAM store ${this.#path} is closed`;
      throw makeStoreError({ code: "CLOSED", message });
    }
    try {
      this.#checkFile?.();
      database.exec("BEGIN IMMEDIATE");
      for (const [index, change] of changes.entries()) {
        write(change);
        if (index % SLICE_ROWS === SLICE_ROWS - 1) await setImmediate();
      }
      database.exec("COMMIT");
    } catch (error) {
      rollBack(database);
      throw storeError(error, `cannot write the IPAM store ${this.#path}`);
    }
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    // SQLite rolls back by itself after some failures.
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // The failure that led here is the one to tell; the next commit meets this one again.
  }
}

function checkReferences(database: DatabaseSync): void {
  const stray = database.prepare("PRAGMA foreign_key_check").get();
  if (stray === undefined) return;
  const message = `damaged row of ${String(stray["table"])}: what it belongs to is not there`;
  throw makeStoreError({ code: "CORRUPT", message });
}

function readAll(database: DatabaseSync): StoredIpam {
  const select = (table: string, columns: string): Record<string, unknown>[] =>
    database.prepare(`SELECT ${columns}, row FROM ${table} ORDER BY 1, 2`).all();
  const rowsOf = (table: string): { key: unknown; row: unknown }[] =>
    select(table, "uuid AS key").map(({ key, row }) => ({ key, row }));
  return {
    classes: rowsOf("classes").map(readClass),
    netblocks: rowsOf("netblocks").map(readNetblock),
    addresses: select("addresses", "class, address").map(({ class: of, address, row }) => ({
      class: classOf(of),
      lease: readLease({ key: address, row }),
    })),
    registrations: rowsOf("registrations").map(readRegistration),
  };
}

function classOf(text: unknown): Uuid {
  const uuid = parseUuid(String(text));
  if (uuid !== undefined) return uuid;
  throw makeStoreError({ code: "CORRUPT", message: "damaged row of addresses: no class" });
}

function createWriter(database: DatabaseSync): (change: IpamChange) => void {
  const put = (table: string, columns: readonly string[], key: string) => {
    const all = [...columns, "row"];
    const updates = all.map((column) => `${column} = excluded.${column}`).join(", ");
    const places = all.map(() => "?").join(", ");
    return database.prepare(
      `INSERT INTO ${table} (${all.join(", ")}) VALUES (${places})
       ON CONFLICT (${key}) DO UPDATE SET ${updates}`,
    );
  };
  const drop = (table: string) => database.prepare(`DELETE FROM ${table} WHERE uuid = ?`);
  const putClass = put("classes", ["uuid", "name"], "uuid");
  const putNetblock = put("netblocks", ["uuid", "class"], "uuid");
  const putRegistration = put("registrations", ["uuid", "class", "address"], "uuid");
  const putAddress = put("addresses", ["class", "address"], "class, address");
  const dropClass = drop("classes");
  const dropNetblock = drop("netblocks");
  const dropRegistration = drop("registrations");
  const dropAddress = database.prepare("DELETE FROM addresses WHERE class = ? AND address = ?");

  return (change) => {
    switch (change.kind) {
      case "put-class": {
        const { class: one } = change;
        putClass.run(one.uuid, one.name, JSON.stringify(one));
        return;
      }
      case "delete-class":
        dropClass.run(change.uuid);
        return;
      case "put-netblock": {
        const { netblock } = change;
        putNetblock.run(netblock.uuid, netblock.class, netblockJson(netblock));
        return;
      }
      case "delete-netblock":
        dropNetblock.run(change.uuid);
        return;
      case "put-registration": {
        const { registration: one } = change;
        putRegistration.run(one.uuid, one.class, one.address, JSON.stringify(one));
        return;
      }
      case "delete-registration":
        dropRegistration.run(change.uuid);
        return;
      case "put-address":
        putAddress.run(change.class, change.lease.address, JSON.stringify(change.lease));
        return;
      case "delete-address":
        dropAddress.run(change.class, change.address);
        return;
      default:
        assertNever(change, "unknown change of the IPAM store");
    }
  };
}
