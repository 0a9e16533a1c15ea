// The ledger over restarts and boots: what is read back, and what a boot makes of it.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { address, device } from "@fairlead/testkit";

import { createLedger } from "./ledger.ts";
import type { LedgerEntry } from "./ports.ts";

const ENTRIES: readonly LedgerEntry[] = [
  { address: address("192.0.2.100"), link: device("eth0"), foreign: false },
  { address: address("2001:db8::1"), link: device("eth1"), foreign: true },
];

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ledger-"));
  try {
    await run(join(folder, "ledger"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a restart reads what was saved", () =>
  inFolder(async (path) => {
    await createLedger({ path, bootId: "one" }).save(ENTRIES);
    assert.deepEqual(await createLedger({ path, bootId: "one" }).load(), ENTRIES);
  }));

test("after a boot nothing on the host is ours: it took a host's own address for an older VIP", () =>
  inFolder(async (path) => {
    await createLedger({ path, bootId: "one" }).save(ENTRIES);
    const ledger = createLedger({ path, bootId: "two" });
    assert.deepEqual(await ledger.load(), []);
    await ledger.save(ENTRIES);
    assert.deepEqual(await createLedger({ path, bootId: "two" }).load(), ENTRIES);
  }));

test("a ledger that names no boot is of this one: who wrote it did not know of boots", () =>
  inFolder(async (path) => {
    await createLedger({ path, bootId: "one" }).save(ENTRIES);
    const lines = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, lines.filter((line) => !line.startsWith("# boot")).join("\n"));
    assert.deepEqual(await createLedger({ path, bootId: "one" }).load(), ENTRIES);
  }));
