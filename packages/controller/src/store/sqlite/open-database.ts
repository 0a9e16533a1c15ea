// Opens the store's file so that this process alone has it, for as long as it lives. The lock is
// the kernel's (fcntl, by SQLite's exclusive mode), so it ends with the process however that ends.
// A file beside the store says who has it; it is for people only and decides nothing.

import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

import { escapeBounded, isEdgeError, makeFolder } from "@fairlead/runtime";

import { makeStoreError } from "../store-error.ts";
import { checkLeft, checkWhole } from "./check-whole.ts";
import { type Schema, checkIsStore, prepareSchema } from "./schema.ts";
import { storeError } from "./sqlite-errors.ts";

const FOLDER_MODE = 0o755;
const OWNER_CHARACTERS_MAX = 200;

/**
 * Opens, locks and prepares the file, making it and its folder where they are missing.
 * @param path absolute.
 * @throws EdgeError<StoreErrorCode>; BUSY names who has it, as far as that is known.
 */
export function openDatabase(path: string, schema: Schema): DatabaseSync {
  const operation = `cannot open the store ${path}`;
  let database: DatabaseSync | undefined;
  try {
    makeFolder(dirname(path), { mode: FOLDER_MODE });
    checkLeft(path, schema);
    database = new DatabaseSync(path, { timeout: 0 });
    // Exclusive before the first access: SQLite then needs no shared memory, and locks at once.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Before the next line, which would change the file of another program.
    checkIsStore(database, path, schema);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    prepareSchema(database, schema);
    checkWhole(database, path);
    database.exec("BEGIN IMMEDIATE; COMMIT");
    writeFileSync(ownerPath(path), `process ${process.pid} on ${hostname()}\n`);
    return database;
  } catch (error) {
    database?.close();
    const mapped = storeError(error, operation);
    throw isEdgeError(mapped, "BUSY") ? busyError(path, error) : mapped;
  }
}

function busyError(path: string, cause: unknown): Error {
  const message = `cannot open the store ${path}: another controller has it: ${ownerOf(path)}`;
  return makeStoreError({ code: "BUSY", message, cause });
}

function ownerOf(path: string): string {
  try {
    const text = readFileSync(ownerPath(path), "utf8").trim();
    return escapeBounded(text, OWNER_CHARACTERS_MAX);
  } catch {
    return "a process that left no name";
  }
}

function ownerPath(path: string): string {
  return `${path}.owner`;
}
