// The store on real files: the contract, a second controller, kill -9, a file that is taken away,
// and ten thousand leases.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync, rmSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";

import { parseAddress, present } from "@fairlead/model";
import { isEdgeError } from "@fairlead/runtime";
import { testStoreContract } from "@fairlead/testkit";

import { createSqliteStore } from "./sqlite-store.ts";
import { LEASE, makeFolder } from "./store-folder.ts";

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
