// What a withdrawal writes for keepalived, and that the next life of the agent takes it back.

import assert from "node:assert/strict";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type Address, parseDeviceName, present } from "@fairlead/model";
import { laneTrackFile } from "@fairlead/render";
import { createLogger, createSystemClock } from "@fairlead/runtime";
import { address, agentName, laneOf } from "@fairlead/testkit";

import { dataPlaneLayout } from "./data-plane-layout.ts";
import { createTrackFiles } from "./liveness/track-files.ts";
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
  const files = createTrackFiles(layout);
  await takeLanesBack({ layout, agent: agentName("lb-1"), kernel, lanes: [], files });
  assert.equal(await readFile(join(trackDir, "lane-a"), "utf8"), "0\n");
});

test("a run directory that never had a lane is nothing to take back", async () => {
  const layout = dataPlaneLayout("/nonexistent/run");
  const kernel = { view: () => Promise.resolve({ links: [], addresses: [] }) };
  const files = createTrackFiles(layout);
  await takeLanesBack({ layout, agent: agentName("lb-1"), kernel, lanes: [], files });
});

test("a host whose own address is gone does not take its lanes back at a restart", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-withdraw-"));
  const layout = dataPlaneLayout(folder.path);
  const { trackDir } = layout.keepalived;
  await mkdir(trackDir, { recursive: true });
  const agent = agentName("lb-1");
  const deaf = laneOf({ routerId: 51, order: ["lb-1=192.0.2.11", "lb-2=192.0.2.12"] });
  const sole = laneOf({ routerId: 52, order: ["lb-1=192.0.2.11"] });
  const heard = laneOf({ routerId: 53, order: ["lb-1=192.0.2.21", "lb-2=192.0.2.22"] });
  const given = laneOf({ routerId: 54, order: ["lb-1=192.0.2.21", "lb-2=192.0.2.22"] });
  const lanes = [deaf, sole, heard, { ...given, yields: true as const }];
  const words = (): Promise<readonly string[]> =>
    Promise.all(lanes.map((lane) => readFile(laneTrackFile(trackDir, lane).path, "utf8")));
  for (const lane of lanes) await writeFile(laneTrackFile(trackDir, lane).path, "1\n");
  const here = [{ address: address("192.0.2.21"), link, prefixLength: 24 }];
  const kernel = { view: () => Promise.resolve({ links: [], addresses: here }) };
  const files = createTrackFiles(layout);
  await takeLanesBack({ layout, agent, kernel, lanes, files });
  assert.deepEqual(await words(), ["1\n", "0\n", "0\n", "1\n"]);
  await files.wish(lanes);
  assert.deepEqual(
    await words(),
    ["1\n", "0\n", "0\n", "1\n"],
    "nor at the first look at the plan",
  );
  await files.mute(lanes, () => false);
  assert.deepEqual(await words(), ["0\n", "0\n", "0\n", "1\n"], "the address is back");
});

const emptyKernel = {
  putAddress: () => Promise.resolve(),
  routeLength: () => Promise.resolve(undefined),
  removeAddress: () => Promise.resolve(false),
  onChange: () => ({ [Symbol.dispose]: () => undefined }),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
