// The ledger as an agent begins with it, up to a `stop` with the same folders.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { address, device } from "@fairlead/testkit";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { createLedger } from "./ledger.ts";
import { loadLedger } from "./load-ledger.ts";
import { findStopPlaces } from "./stop-places.ts";

const VIP = { address: address("192.0.2.100"), link: device("eth0"), prefixLength: 32 };
const carrying = (vips: readonly (typeof VIP)[]) => ({ carries: async () => vips }) as never;

test("an agent with a new state directory is stopped where another one was before it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-ledger-"));
  const [runDir, stateDir] = [join(folder.path, "run"), join(folder.path, "state")];
  const { serviceDir, nginx } = dataPlaneLayout(runDir);
  for (const made of [serviceDir, dirname(nginx.config), stateDir]) {
    await mkdir(made, { recursive: true });
  }
  await writeFile(nginx.config, "");
  await assert.rejects(findStopPlaces({ runDir, stateDir }), { code: "NO_LEDGER" });
  const path = join(stateDir, "ledger");
  const loaded = await loadLedger(
    { ledger: createLedger({ path, bootId: "b" }), keepalived: carrying([]) },
    undefined,
  );
  assert.deepEqual(loaded, { entries: [] });
  assert.equal((await findStopPlaces({ runDir, stateDir })).ledgerPath, path);
});

test("what a living keepalived carries is in it from the start", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-ledger-"));
  const ledger = createLedger({ path: join(folder.path, "ledger"), bootId: "b" });
  await loadLedger({ ledger, keepalived: carrying([VIP]) }, undefined);
  const again = createLedger({ path: join(folder.path, "ledger"), bootId: "b" });
  assert.deepEqual(
    (await again.load()).map((entry) => entry.address),
    [VIP.address],
  );
});

test("a damaged ledger stays to be looked at, and a disk that does not write is no end", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-ledger-"));
  const path = join(folder.path, "ledger");
  await writeFile(path, "nonsense");
  const host = { ledger: createLedger({ path, bootId: "b" }), keepalived: carrying([]) };
  assert.equal((await loadLedger(host, undefined)).trouble?.reason, "DiskUnwritable");
  await assert.rejects(createLedger({ path, bootId: "b" }).load(), { code: "CORRUPT" });
  const nowhere = createLedger({ path: join(folder.path, "none", "ledger"), bootId: "b" });
  const loaded = await loadLedger({ ledger: nowhere, keepalived: carrying([]) }, undefined);
  assert.deepEqual(loaded, { entries: [] });
  assert.equal(existsSync(join(folder.path, "none")), false);
});
