// What a withdrawal writes for keepalived, and that the next life of the agent takes it back.

import assert from "node:assert/strict";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type Address, parseDeviceName, present } from "@fairlead/model";
import { createLogger, createSystemClock } from "@fairlead/runtime";

import { dataPlaneLayout } from "./data-plane-layout.ts";
import type { KernelView } from "./ports.ts";
import { giveUpLanes, takeLanesBack } from "./withdraw.ts";

const link = present(parseDeviceName("eth0"), "a device name");

test("an agent that is started after a withdrawal may hold its lanes again", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-withdraw-"));
  const layout = dataPlaneLayout(folder.path);
  const { trackDir } = layout.keepalived;
  await mkdir(trackDir, { recursive: true });
  await writeFile(join(trackDir, "lane-a"), "0\n");
  const view = (): Promise<KernelView> => Promise.resolve({ links: [], addresses: [] });
  const kernel = { ...emptyKernel, view, lastView: view };
  const entries = [{ address: "192.0.2.10" as Address, link, foreign: false }];
  const ledger = { load: () => Promise.resolve(entries), save: () => Promise.resolve() };
  const log = createLogger({ level: "silent", format: "text" });
  await giveUpLanes({ layout, kernel, ledger, clock: createSystemClock(), log });
  assert.equal(await readFile(join(trackDir, "lane-a"), "utf8"), "1\n");
  await takeLanesBack(layout);
  assert.equal(await readFile(join(trackDir, "lane-a"), "utf8"), "0\n");
});

test("a run directory that never had a lane is nothing to take back", async () => {
  await takeLanesBack(dataPlaneLayout("/nonexistent/run"));
});

const emptyKernel = {
  putAddress: () => Promise.resolve(),
  routeLength: () => Promise.resolve(undefined),
  removeAddress: () => Promise.resolve(false),
  onChange: () => ({ [Symbol.dispose]: () => undefined }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
