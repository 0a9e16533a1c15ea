// Files that are no store of this release, or are damaged: each is refused in words, and nothing of
// it is touched.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";

import type { Store } from "../../ports.ts";
import { createSqliteStore } from "./sqlite-store.ts";
import { LEASE, makeFolder } from "./store-folder.ts";

suite("a file that is not a store of this release is refused in words", () => {
  const cases: readonly {
    readonly name: string;
    readonly prepare: (path: string) => void | Promise<void>;
    readonly code: string;
    readonly says: RegExp;
  }[] = [
    {
      name: "written by a newer release",
      prepare: (path) => change(path, "PRAGMA user_version = 7"),
      code: "TOO_NEW",
      says: /has version 7; this release reads 1$/,
    },
    {
      name: "another program's database",
      prepare: (path) => {
        using database = new DatabaseSync(path);
        database.exec("CREATE TABLE songs (title TEXT)");
      },
      code: "CORRUPT",
      says: /is a database of another program/,
    },
    {
      name: "no database at all",
      prepare: (path) => writeFileSync(path, "x".repeat(5000)),
      code: "CORRUPT",
      says: /the file is no SQLite database$/,
    },
    {
      name: "a lease whose address is none",
      prepare: (path) => damage(path, `'{"address":"10.0.0.999"}'`),
      code: "CORRUPT",
      says: /^damaged row of lease 10\.0\.0\.1: address: not an address$/,
    },
    {
      name: "a lease that stands under another address",
      prepare: (path) => damage(path, `json_set(row, '$.address', '10.0.0.2')`),
      code: "CORRUPT",
      says: /^damaged row of lease 10\.0\.0\.1: it holds 10\.0\.0\.2$/,
    },
    {
      name: "a lease with a field that nobody knows",
      prepare: (path) => damage(path, `json_set(row, '$.colour', 'red')`),
      code: "CORRUPT",
      says: /^damaged row of lease 10\.0\.0\.1: .*colour/,
    },
    {
      name: "a page of the file damaged",
      prepare: async (path) => {
        await change(path, "DELETE FROM leases");
        const bytes = readFileSync(path);
        bytes.fill(0xff, 4096, 4096 * 3);
        writeFileSync(path, bytes);
      },
      code: "CORRUPT",
      says: /damaged/,
    },
    {
      name: "the file cut short",
      prepare: async (path) => {
        await change(path, "DELETE FROM leases");
        writeFileSync(path, readFileSync(path).subarray(0, 4096 * 2));
      },
      code: "CORRUPT",
      says: /damaged/,
    },
    {
      name: "a folder",
      prepare: () => undefined,
      code: "IO",
      says: /cannot be opened$/,
    },
  ];
  for (const { name, prepare, code, says } of cases) {
    test(name, async () => {
      using folder = makeFolder();
      await prepare(folder.path);
      const path = name === "a folder" ? folder.folder : folder.path;
      const before = contentsOf(folder.folder);
      await assert.rejects(createSqliteStore({ path }).open(), (error) => {
        assert.ok(isEdgeError(error, code), String(error));
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(contentsOf(folder.folder), before, "nothing is touched");
    });
  }
});

test("a store that cannot be read takes no epoch", async () => {
  using folder = makeFolder();
  await damage(folder.path, `'{}'`);
  await assert.rejects(createSqliteStore({ path: folder.path }).open());
  await change(folder.path, "DELETE FROM leases");
  await using store = createSqliteStore({ path: folder.path });
  // One by preparing the row, one by the change, one now.
  assert.equal((await store.open()).epoch, 2);
});

/** Makes a store with one lease whose JSON is then replaced by an expression. */
async function damage(path: string, expression: string): Promise<void> {
  {
    await using store = createSqliteStore({ path });
    const { epoch } = await store.open();
    await store.commit(epoch, [{ kind: "put-lease", lease: LEASE }]);
  }
  using database = new DatabaseSync(path);
  database.exec(`UPDATE leases SET row = ${expression}`);
}

/** Makes a store where there is none and runs a statement on its file. */
async function change(path: string, statement: string): Promise<void> {
  {
    await using store: Store = createSqliteStore({ path });
    await store.open().catch(() => undefined);
  }
  using database = new DatabaseSync(path);
  database.exec(statement);
}

/** Every file with its bytes. */
function contentsOf(folder: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "base64")]),
  );
}
