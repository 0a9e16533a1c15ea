// The IPAM service's store on real files: the contract, damage, and a death between the commit and
// the answer.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { suite, test } from "node:test";

import { parseRange, present } from "@fairlead/model";
import { createFakeClock, createLogger, isEdgeError } from "@fairlead/runtime";
import { testIpamStoreContract } from "@fairlead/testkit";

import { createClass } from "../../ipam/class-commands.ts";
import { type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import { createIpamService } from "../../ipam/ipam-service.ts";
import { createNetblock } from "../../ipam/netblock-commands.ts";
import { register } from "../../ipam/register.ts";
import { createSqliteIpamStore } from "./sqlite-ipam-store.ts";
import { createSqliteStore } from "./sqlite-store.ts";

testIpamStoreContract("the IPAM store in sqlite", async () => {
  await Promise.resolve();
  const folder = makeFolder();
  return {
    store: () => createSqliteIpamStore({ path: folder.path }),
    // Its answers cannot be lost: a file that is not where it was takes no write.
    fail: () => {
      const away = `${folder.path}.away`;
      renameSync(folder.path, away);
      return { [Symbol.dispose]: () => renameSync(away, folder.path) };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(folder[Symbol.dispose]()),
  };
});

const LAB = "a0000000-0000-4000-8000-000000000001";
const BLOCK = "b0000000-0000-4000-8000-000000000001";
const NAMES = ["d0000000-0000-4000-8000-000000000001", "d0000000-0000-4000-8000-000000000002"];

test("a file removed under a running service is noticed at the next write", async () => {
  using folder = makeFolder();
  await using store = createSqliteIpamStore({ path: folder.path });
  await store.open();
  rmSync(folder.path);
  const times = { createdMs: 1, modifiedMs: 1 };
  const uuid = present(parseUuid(LAB), "a uuid");
  const commit = store.commit([{ kind: "put-class", class: { uuid, name: "lab", ...times } }]);
  await assert.rejects(commit, (error) => {
    assert.ok(isEdgeError(error, "IO"));
    assert.match(error.message, /^the IPAM store .* was removed or replaced while it is in use$/);
    return true;
  });
});

test("killed between commit and answer, the retry gets the same address", async () => {
  using folder = makeFolder();
  for (const uuid of NAMES) {
    // It dies by its own hand in the first moment at which the address is durable.
    const child: ChildProcess = spawn(
      process.execPath,
      ["--input-type=module", "-e", DIES_AFTER_COMMIT, folder.path, uuid, ...MODULES],
      { stdio: ["ignore", "inherit", "inherit"] },
    );
    const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    assert.equal(signal, "SIGKILL");
  }
  const held = await addressesIn(folder.path);
  assert.equal(held.size, 2);
  assert.deepEqual(await registerAgain(folder.path), held);
  assert.deepEqual(await addressesIn(folder.path), held);
});

suite("a file that is damaged is refused in words", () => {
  const cases = [
    {
      name: "a registration whose address is gone",
      statement: "DELETE FROM addresses",
      says: /^damaged row of registrations: what it belongs to is not there$/,
    },
    {
      name: "an address under another one's key",
      statement: "UPDATE addresses SET row = json_set(row, '$.address', '192.0.2.7')",
      says: /^damaged row of lease 192\.0\.2\.0: it holds 192\.0\.2\.7$/,
    },
    {
      name: "a range that is none",
      statement: "UPDATE netblocks SET row = json_set(row, '$.range', '192.0.2.9-192.0.2.1')",
      says: /^damaged row of netblock .*: range: not a range$/,
    },
    {
      name: "a class with a field that nobody knows",
      statement: "UPDATE classes SET row = json_set(row, '$.colour', 'red')",
      says: /^damaged row of class .*colour/,
    },
  ];
  for (const { name, statement, says } of cases) {
    test(name, async () => {
      using folder = makeFolder();
      await registerAgain(folder.path);
      {
        using database = new DatabaseSync(folder.path, { enableForeignKeyConstraints: false });
        database.exec(statement);
      }
      await assert.rejects(createSqliteIpamStore({ path: folder.path }).open(), (error) => {
        assert.ok(isEdgeError(error, "CORRUPT"), String(error));
        assert.match(error.message, says);
        return true;
      });
    });
  }

  test("the store of leases is no store of the service", async () => {
    using folder = makeFolder();
    {
      await using store = createSqliteStore({ path: folder.path });
      await store.open();
    }
    await assert.rejects(createSqliteIpamStore({ path: folder.path }).open(), (error) =>
      isEdgeError(error, "CORRUPT"),
    );
  });
});

test("a second process is refused while the first one has the file", async () => {
  using folder = makeFolder();
  await using first = createSqliteIpamStore({ path: folder.path });
  await first.open();
  await assert.rejects(createSqliteIpamStore({ path: folder.path }).open(), (error) =>
    isEdgeError(error, "BUSY"),
  );
});

interface Folder extends Disposable {
  readonly path: string;
}

function makeFolder(): Folder {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-ipam-"));
  return {
    path: join(folder, "ipam.db"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function addressesIn(path: string): Promise<ReadonlyMap<string, string>> {
  await using store = createSqliteIpamStore({ path });
  const { registrations } = await store.open();
  return new Map(registrations.map(({ uuid, address }) => [uuid, address]));
}

/** Registers all names, in a class that is made where it is missing. */
async function registerAgain(path: string): Promise<ReadonlyMap<string, string>> {
  await using store = createSqliteIpamStore({ path });
  await using service = await createIpamService({
    store,
    clock: createFakeClock(),
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: 1000,
    graceMs: 1000,
  });
  await service.run(createClass({ uuid: uuidOf(LAB), name: "lab" }));
  const range = parseRange("192.0.2.0/29");
  assert.ok(range.kind === "ok");
  await service.run(createNetblock({ uuid: uuidOf(BLOCK), class: "lab", range: range.value }));
  const held = new Map<string, string>();
  for (const name of NAMES) {
    const answer = await service.run(register({ class: "lab", uuid: uuidOf(name) }));
    assert.ok(answer.kind === "done", JSON.stringify(answer));
    held.set(name, answer.value.address);
  }
  return held;
}

function uuidOf(text: string): Uuid {
  return present(parseUuid(text), "a uuid");
}

const MODULES = [
  import.meta.resolve("./sqlite-ipam-store.ts"),
  import.meta.resolve("../../ipam/ipam-service.ts"),
  import.meta.resolve("../../ipam/class-commands.ts"),
  import.meta.resolve("../../ipam/netblock-commands.ts"),
  import.meta.resolve("../../ipam/register.ts"),
  import.meta.resolve("@fairlead/model"),
  import.meta.resolve("@fairlead/runtime"),
];

/** Registers in a service of its own, and kills itself when the store has committed. */
const DIES_AFTER_COMMIT = `
const [path, uuid, ...modules] = process.argv.slice(1);
const parts = await Promise.all(modules.map((one) => import(one)));
const { createSqliteIpamStore, createIpamService, createClass, createNetblock, register } =
  Object.assign({}, ...parts);
const { createFakeClock, createLogger, parseRange } = Object.assign({}, ...parts);
const store = createSqliteIpamStore({ path });
let isLast = false;
const service = await createIpamService({
  store: {
    open: () => store.open(),
    commit: async (changes) => {
      await store.commit(changes);
      if (isLast) process.kill(process.pid, "SIGKILL");
    },
  },
  clock: createFakeClock(),
  log: createLogger({ level: "silent", format: "json" }),
  leaseMs: 1000,
  graceMs: 1000,
});
await service.run(createClass({ uuid: "${LAB}", name: "lab" }));
const { value: range } = parseRange("192.0.2.0/29");
await service.run(createNetblock({ uuid: "${BLOCK}", class: "lab", range }));
isLast = true;
await service.run(register({ class: "lab", uuid }));
process.exit(1);
`;
