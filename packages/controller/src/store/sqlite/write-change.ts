// Writes one change of the store into its table. Given an open database; always inside a
// transaction that somebody else began.

import type { DatabaseSync } from "node:sqlite";

import { type Intent, type Lane, type LeasedAddress, assertNever } from "@fairlead/model";

import type { StoreChange } from "../../ports.ts";

/** Writes changes with statements that were prepared once. */
export interface ChangeWriter {
  write(change: StoreChange): void;
}

/** Prepares the statements. The tables must exist. */
export function createChangeWriter(database: DatabaseSync): ChangeWriter {
  const putLease = database.prepare(
    `INSERT INTO leases (address, pool, state, row) VALUES (?, ?, ?, ?)
     ON CONFLICT (address) DO UPDATE SET pool = excluded.pool, state = excluded.state,
       row = excluded.row`,
  );
  const putLane = database.prepare(
    `INSERT INTO lanes (id, segment, router_id, row) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET row = excluded.row`,
  );
  const putIntent = database.prepare(
    `INSERT INTO intents (id, kind, row) VALUES (?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, row = excluded.row`,
  );
  const deleteLease = database.prepare("DELETE FROM leases WHERE address = ?");
  const deleteLane = database.prepare("DELETE FROM lanes WHERE id = ?");
  const deleteIntent = database.prepare("DELETE FROM intents WHERE id = ?");

  function write(change: StoreChange): void {
    switch (change.kind) {
      case "put-lease": {
        const { address, pool, state } = change.lease;
        putLease.run(address, pool, state.kind, toJson(change.lease));
        return;
      }
      case "put-lane": {
        const { id, segment, routerId } = change.lane;
        putLane.run(id, segment, routerId, toJson(change.lane));
        return;
      }
      case "put-intent":
        putIntent.run(change.intent.id, change.intent.kind, toJson(change.intent));
        return;
      case "delete-lease":
        deleteLease.run(change.address);
        return;
      case "delete-lane":
        deleteLane.run(change.lane);
        return;
      case "delete-intent":
        deleteIntent.run(change.id);
        return;
      default:
        assertNever(change, "unknown change of the store");
    }
  }
  return { write };
}

function toJson(row: LeasedAddress | Lane | Intent): string {
  return JSON.stringify(row);
}
