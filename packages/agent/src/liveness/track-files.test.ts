// The files that take lanes off a host have one writer: a lane is given up as long as one reason is
// left, in whatever order the reasons come and go.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { laneTrackFile } from "@fairlead/render";
import { laneOf } from "@fairlead/testkit";

import { dataPlaneLayout } from "../data-plane-layout.ts";
import { createTrackFiles, type TrackFiles } from "./track-files.ts";

const LANE = laneOf({ routerId: 51, order: ["lb-1=192.0.2.11", "lb-2=192.0.2.12"] });
const YIELDS = { ...LANE, yields: true } as const;

interface Stage extends AsyncDisposable {
  readonly files: TrackFiles;
  readonly path: string;
  value(): Promise<string>;
}

async function stage(): Promise<Stage> {
  const runDir = await mkdtemp(join(tmpdir(), "fairlead-track-"));
  const layout = dataPlaneLayout(runDir);
  await mkdir(layout.keepalived.trackDir, { recursive: true });
  const { path } = laneTrackFile(layout.keepalived.trackDir, LANE);
  return {
    files: createTrackFiles(layout),
    path,
    value: async () => (await readFile(path, "utf8")).trim(),
    [Symbol.asyncDispose]: () => rm(runDir, { recursive: true }),
  };
}

test("a wish that goes while nobody hears the host does not bring the lane back", async () => {
  await using s = await stage();
  await s.files.wish([YIELDS]);
  await s.files.mute([YIELDS], () => true);
  await s.files.wish([LANE]);
  assert.equal(await s.value(), "1");
  await s.files.mute([LANE], () => false);
  assert.equal(await s.value(), "0");
});

test("a wish that comes while the host is heard again is not overwritten", async () => {
  await using s = await stage();
  await s.files.wish([LANE]);
  await s.files.mute([LANE], () => true);
  // The look saw the plan before this one.
  await Promise.all([s.files.wish([YIELDS]), s.files.mute([LANE], () => false)]);
  assert.equal(await s.value(), "1");
  await Promise.all([s.files.mute([YIELDS], () => false), s.files.wish([LANE])]);
  assert.equal(await s.value(), "0");
});

test("a lane that left the plan while nobody heard the host comes back as it is wished", async () => {
  await using s = await stage();
  await s.files.mute([LANE], () => true);
  await s.files.mute([], () => true);
  assert.equal(await s.value(), "1", "keepalived may still run it");
  await s.files.wish([LANE]);
  assert.equal(await s.value(), "0");
});

test("what is unchanged takes no withdrawal back", async () => {
  await using s = await stage();
  await s.files.wish([LANE]);
  await writeFile(s.path, "1\n");
  await s.files.wish([LANE]);
  await s.files.mute([LANE], () => false);
  assert.equal(await s.value(), "1");
});

test("a lane whose file could not be written when the host was heard again comes back later", async () => {
  await using s = await stage();
  await s.files.mute([LANE], () => true);
  const folder = dirname(s.path);
  await rename(folder, `${folder}.away`);
  await assert.rejects(s.files.mute([LANE], () => false));
  await rename(`${folder}.away`, folder);
  await s.files.mute([LANE], () => false);
  assert.equal(await s.value(), "0");
});
