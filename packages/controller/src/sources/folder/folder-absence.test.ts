// Stories of a folder that goes away, comes late or comes back: nothing is removed by that alone,
// and what is absent is gone only after a second list.

import assert from "node:assert/strict";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { test } from "node:test";

import { createFakeClock, isEdgeError } from "@fairlead/runtime";

import { sampleSlice } from "../sample-objects.ts";
import { AUDIT_MS } from "./folder-source.ts";
import { DEADLINE, kindsIn, listsIn, openStory, passTime, service } from "./folder-story.ts";

test("an unmounted folder removes nothing until a second list 30 s later", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  const pass = (ms: number): Promise<void> => passTime(story, clock, ms);
  await story.write("web.yaml", service("web"));
  await Promise.all([story.start(), clock.advance(100)]);

  await rename(story.folder, `${story.folder}.away`);
  await mkdir(story.folder);
  await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), ["SourceEmptied"]);
  while (story.claims().length > 0) await pass(1000);
  const empty = story.facts.filter(
    (fact) => fact.kind === "source-listed" && fact.claims.size === 0,
  );
  const times = empty.map((fact) => ("atMs" in fact ? fact.atMs : 0));
  assert((times.at(-1) ?? 0) - (times[0] ?? 0) >= 30_000);
  assert.deepEqual(story.reasons(), []);

  await rm(story.folder, { recursive: true });
  await rename(`${story.folder}.away`, story.folder);
  await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
});

test("an unmounted folder that comes back in time was never empty", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  const pass = (ms: number): Promise<void> => passTime(story, clock, ms);
  await story.write("web.yaml", service("web"));
  await Promise.all([story.start(), clock.advance(100)]);
  await rename(story.folder, `${story.folder}.away`);
  await mkdir(story.folder);
  await pass(AUDIT_MS + 100);
  await rm(story.folder, { recursive: true });
  await rename(`${story.folder}.away`, story.folder);
  for (let looks = 0; looks < 5; looks += 1) await pass(AUDIT_MS + 100);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
  // Said again when it came back: the listener's own clock may have given it up just before.
  assert.equal(kindsIn(story).filter((kind) => kind === "claim-seen").length, 2);
});

test("a folder that cannot be read says so and leaves everything in force", DEADLINE, async () => {
  await using story = await openStory();
  await story.write("web.yaml", service("web"));
  await story.start();
  await rename(story.folder, `${story.folder}.away`);
  await story.until(() => story.reasons().includes("SourceUnreadable"));
  assert.deepEqual(story.claims(), ["web"]);
});

test("a folder that is not there yet is waited for", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await rm(story.folder, { recursive: true });
  const started = story.start();
  const said = story.until(() => story.reasons().includes("SourceUnreadable"));
  await clock.advance(100);
  await said;
  await mkdir(story.folder);
  await story.write("web.yaml", service("web"));
  await Promise.all([started, clock.advance(AUDIT_MS + 100)]);
  assert.deepEqual(story.claims(), ["web"]);
  assert.deepEqual(story.reasons(), []);
});

test("a file in place of the folder can never work", DEADLINE, async () => {
  await using story = await openStory();
  await rm(story.folder, { recursive: true });
  await writeFile(story.folder, "");
  await assert.rejects(story.start(), (error) => isEdgeError(error, "NOT_A_FOLDER"));
});

test("a file that never could be read proves no absence", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await story.write("web.yaml", "kind: [Service\n");
  await Promise.all([story.start(), clock.advance(100)]);
  assert.equal(listsIn(story.facts), 1);
  const fixed = story.until(() => story.claims().length === 1);
  await clock.advance(4 * AUDIT_MS);
  assert.equal(listsIn(story.facts), 1, "the first list alone, which lets the controller begin");
  await story.write("web.yaml", service("web"));
  await clock.advance(AUDIT_MS + 100);
  await fixed;
  assert(listsIn(story.facts) > 1);
});

test("quiet folders give lists and no news", DEADLINE, async () => {
  const clock = createFakeClock();
  await using story = await openStory(clock);
  await story.write("web.yaml", service("web"), sampleSlice());
  await Promise.all([story.start(), clock.advance(100)]);
  const before = story.facts.length;
  for (let looks = 0; looks < 3; looks += 1) await passTime(story, clock, AUDIT_MS);
  const news = new Set(kindsIn(story).slice(before));
  assert.deepEqual([...news], ["source-listed"]);
});
