// The tables of the store and their version. Each kind has one table: columns that SQLite itself
// checks, and the whole row as JSON. A change of these tables needs the next version and its step.

import type { DatabaseSync } from "node:sqlite";

import { makeStoreError } from "../store-error.ts";

/** The tables of one kind of file. */
export interface Schema {
  /** SQLite's application_id, which marks the file as one of this kind. */
  readonly applicationId: number;
  /**
   * Steps from each version to the next; the first makes an empty file version 1. The version is
   * kept in the file's user_version.
   */
  readonly steps: readonly string[];
}

const STEPS: readonly string[] = [
  `CREATE TABLE meta (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     epoch INTEGER NOT NULL CHECK (epoch >= 0)
   ) STRICT;
   INSERT INTO meta (only, epoch) VALUES (1, 0);
   CREATE TABLE leases (
     address TEXT PRIMARY KEY NOT NULL,
     pool TEXT NOT NULL,
     state TEXT NOT NULL CHECK (state IN ('held', 'draining', 'quarantined')),
     row TEXT NOT NULL CHECK (json_valid(row))
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE lanes (
     id TEXT PRIMARY KEY NOT NULL,
     segment TEXT NOT NULL,
     router_id INTEGER NOT NULL CHECK (router_id BETWEEN 1 AND 255),
     row TEXT NOT NULL CHECK (json_valid(row)),
     UNIQUE (segment, router_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE intents (
     id TEXT PRIMARY KEY NOT NULL,
     kind TEXT NOT NULL,
     row TEXT NOT NULL CHECK (json_valid(row))
   ) STRICT, WITHOUT ROWID;`,
];

/** The tables of leases, lanes and intents, marked "FLRD". */
export const STORE_SCHEMA: Schema = { applicationId: 0x464c5244, steps: STEPS };

/**
 * Looks whether the file is a store, or empty, and changes nothing.
 * @throws EdgeError TOO_NEW when a newer release wrote it, CORRUPT when it is not a store.
 */
export function checkIsStore(database: DatabaseSync, path: string, schema: Schema): void {
  const current = schema.steps.length;
  const version = readNumber(database, "user_version");
  if (version > current) {
    const message = `the store ${path} has version ${version}; this release reads ${current}`;
    throw makeStoreError({ code: "TOO_NEW", message });
  }
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  const isOurs = readNumber(database, "application_id") === schema.applicationId;
  if (isOurs || (isEmpty && version === 0)) return;
  const message = `${path} is a database of another program, not a store of Fairlead`;
  throw makeStoreError({ code: "CORRUPT", message });
}

/** Brings a store, or an empty file, to the current version, in one transaction. */
export function prepareSchema(database: DatabaseSync, schema: Schema): void {
  const current = schema.steps.length;
  const version = readNumber(database, "user_version");
  if (version === current) return;
  database.exec("BEGIN IMMEDIATE");
  for (const step of schema.steps.slice(version)) database.exec(step);
  database.exec(`PRAGMA application_id = ${schema.applicationId}`);
  database.exec(`PRAGMA user_version = ${current}`);
  database.exec("COMMIT");
}

function readNumber(database: DatabaseSync, pragma: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]);
}
