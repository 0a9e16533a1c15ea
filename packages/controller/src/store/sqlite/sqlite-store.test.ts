// The store on real files: the contract, a second controller, kill -9, damaged files, size.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";

import { parseAddress, parseClaimId, parsePoolName, present } from "@fairlead/model";
import type { LeasedAddress } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";
import { testStoreContract } from "@fairlead/testkit";

import type { Store } from "../../ports.ts";
import { createSqliteStore } from "./sqlite-store.ts";

testStoreContract("the sqlite store", async () => {
  await Promise.resolve();
  const folder = makeFolder();
  return {
    store: () => createSqliteStore({ path: folder.path }),
    // Its answers cannot be lost: a file that is not where it was takes no write.
    fail: () => {
      const away = `${folder.path}.away`;
      renameSync(folder.path, away);
      return { [Symbol.dispose]: () => renameSync(away, folder.path) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
  };
});

const LEASE: LeasedAddress = {
  address: present(parseAddress("10.0.0.1"), "an address"),
  pool: present(parsePoolName("default"), "a pool"),
  owners: [],
  lastClaim: present(parseClaimId("service/default/web"), "a claim"),
  placement: { kind: "unplaced" },
  sentTo: [],
  state: { kind: "held" },
  published: false,
  sinceMs: 1,
};

suite("a second controller", () => {
  test("in another process is refused with the first one's name", async () => {
    using folder = makeFolder();
    await using child = await startWriter(folder.path);
    await child.acknowledged(1);
    await assert.rejects(createSqliteStore({ path: folder.path }).open(), (error) => {
      assert.ok(isEdgeError(error, "BUSY"));
      assert.match(error.message, new RegExp(`another controller has it: process ${child.pid} on`));
      return true;
    });
  });

  test("in this process is refused too, and the first goes on", async () => {
    using folder = makeFolder();
    await using first = createSqliteStore({ path: folder.path });
    const { epoch } = await first.open();
    const second = createSqliteStore({ path: folder.path });
    await assert.rejects(second.open(), (error) => isEdgeError(error, "BUSY"));
    const result = await first.commit(epoch, [{ kind: "put-lease", lease: LEASE }]);
    assert.deepEqual(result, { kind: "committed" });
  });
});

test("kill -9 in the middle of writing loses nothing that was acknowledged", async () => {
  using folder = makeFolder();
  let acknowledged = 0;
  for (const lines of [3, 17, 40]) {
    const child = await startWriter(folder.path, acknowledged);
    acknowledged = await child.acknowledged(lines);
    await child[Symbol.asyncDispose]();
    acknowledged = child.last();
    await using store = createSqliteStore({ path: folder.path });
    const { leases } = await store.open();
    const rounds = leases.map((lease) => lease.sinceMs);
    // Each commit writes 50 rows of its round: all of one round, acknowledged or one later.
    assert.equal(new Set(rounds).size, 1, "a commit is whole or not there");
    const round = present(rounds[0], "rows are there");
    assert.ok(round === acknowledged || round === acknowledged + 1, `${round} ${acknowledged}`);
    acknowledged = round;
  }
});

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

test("a file removed under a running controller is noticed at the next write", async () => {
  using folder = makeFolder();
  await using store = createSqliteStore({ path: folder.path });
  const { epoch } = await store.open();
  rmSync(folder.path);
  const commit = store.commit(epoch, [{ kind: "put-lease", lease: LEASE }]);
  await assert.rejects(commit, (error) => {
    assert.ok(isEdgeError(error, "IO"));
    assert.match(error.message, /removed or replaced while it is in use$/);
    return true;
  });
});

test("a commit without changes reaches the disk after one that failed, and only then", async () => {
  using folder = makeFolder();
  await using store = createSqliteStore({ path: folder.path });
  const { epoch } = await store.open();
  const written = (): number => statSync(`${folder.path}-wal`).size;
  const before = written();
  await store.commit(epoch, []);
  assert.equal(written(), before);
  renameSync(folder.path, `${folder.path}.away`);
  await assert.rejects(store.commit(epoch, [{ kind: "put-lease", lease: LEASE }]));
  renameSync(`${folder.path}.away`, folder.path);
  assert.deepEqual(await store.commit(epoch, []), { kind: "committed" });
  assert.ok(written() > before);
});

test("the event loop keeps turning while ten thousand leases are written", async () => {
  using folder = makeFolder();
  let rows = 0;
  await using store = createSqliteStore({
    path: folder.path,
    onWrite: (count) => {
      rows += count;
    },
  });
  const { epoch } = await store.open();
  const changes = Array.from({ length: 10_000 }, (_, index) => {
    const address = present(parseAddress(`10.1.${index >> 8}.${index & 255}`), "an address");
    return { kind: "put-lease", lease: { ...LEASE, address } } as const;
  });
  const committing = store.commit(epoch, changes);
  let turns = 0;
  let isDone = false;
  void committing.finally(() => {
    isDone = true;
  });
  const turn = (): void => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  assert.deepEqual(await committing, { kind: "committed" });
  assert.equal(rows, 10_000);
  assert.ok(turns >= 50, `the loop turned ${turns} times`);
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

function makeFolder(): Disposable & { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  return {
    folder,
    path: join(folder, "store.db"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Writes rounds of 50 rows for ever and prints each round's number once it is committed. */
const WRITER = `
const { createSqliteStore } = await import(process.argv[1]);
const store = createSqliteStore({ path: process.argv[2] });
const { epoch } = await store.open();
const lease = JSON.parse(process.argv[4]);
for (let round = Number(process.argv[3]) + 1; ; round += 1) {
  const changes = Array.from({ length: 50 }, (_, index) => ({
    kind: "put-lease",
    lease: { ...lease, address: "10.0.0." + index, sinceMs: round },
  }));
  await store.commit(epoch, changes);
  process.stdout.write(round + "\\n");
}`;

interface Writer extends AsyncDisposable {
  readonly pid: number;
  /** Resolves with the number of the last round once this many more were acknowledged. */
  acknowledged(rounds: number): Promise<number>;
  last(): number;
}

async function startWriter(path: string, after = 0): Promise<Writer> {
  const module = new URL("./sqlite-store.ts", import.meta.url).href;
  const args = ["--input-type=module", "-e", WRITER, module, path, `${after}`];
  const child: ChildProcess = spawn(process.execPath, [...args, JSON.stringify(LEASE)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child, "spawn");
  const exited = once(child, "close");
  const lines = createInterface({ input: present(child.stdout, "stdout is a pipe") });
  let last = after;
  lines.on("line", (line) => {
    last = Number(line);
  });
  return {
    pid: present(child.pid, "it was spawned"),
    acknowledged: async (rounds) => {
      const until = last + rounds;
      while (last < until) await once(lines, "line", { signal: AbortSignal.timeout(20_000) });
      return last;
    },
    last: () => last,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
