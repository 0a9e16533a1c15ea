// The tables of the IPAM service's file. What must hold between rows is SQLite's to keep: no
// address twice in a class, one registration an address, nothing without its class. Each row is
// JSON beside the columns that are checked.

import type { Schema } from "./schema.ts";

const FIRST = `
  CREATE TABLE classes (
    uuid TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    row TEXT NOT NULL CHECK (json_valid(row))
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE netblocks (
    uuid TEXT PRIMARY KEY NOT NULL,
    class TEXT NOT NULL REFERENCES classes (uuid) DEFERRABLE INITIALLY DEFERRED,
    row TEXT NOT NULL CHECK (json_valid(row))
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE addresses (
    class TEXT NOT NULL REFERENCES classes (uuid) DEFERRABLE INITIALLY DEFERRED,
    address TEXT NOT NULL,
    row TEXT NOT NULL CHECK (json_valid(row)),
    PRIMARY KEY (class, address)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE registrations (
    uuid TEXT PRIMARY KEY NOT NULL,
    class TEXT NOT NULL,
    address TEXT NOT NULL,
    row TEXT NOT NULL CHECK (json_valid(row)),
    UNIQUE (class, address),
    FOREIGN KEY (class, address) REFERENCES addresses (class, address)
      DEFERRABLE INITIALLY DEFERRED
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX netblocks_class ON netblocks (class);`;

/** The tables of the IPAM service, marked "FLIP". */
export const IPAM_SCHEMA: Schema = { applicationId: 0x464c4950, steps: [FIRST] };
