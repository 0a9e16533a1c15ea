// The leases in a controller's file, read by one that is no part of the controller. Given the path
// of the file; it changes nothing in it.

import { DatabaseSync } from "node:sqlite";

import type { StoredLease } from "./held-rows.ts";

/** Read only: what a dead controller left in its log of writes stays there for the next one. */
export function readLeases(file: string): readonly StoredLease[] {
  using database = new DatabaseSync(file, { readOnly: true });
  const rows = database.prepare("SELECT row FROM leases").all();
  return rows.map(({ row }) => JSON.parse(String(row)) as StoredLease);
}
