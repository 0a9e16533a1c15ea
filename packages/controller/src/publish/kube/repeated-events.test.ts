// Events that repeat: one with a count while it is of the same trouble, and another one where it is
// not, also where its words have a time in them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { told } from "./publish-lines.ts";
import { type Fate, PublishStage, refused, served, waiting } from "./publish-stage.ts";

test("what repeats within minutes is one Event with a count, written now and then", async () => {
  await using stage = new PublishStage();
  stage.create("web", refused("PoolExhausted"));
  await stage.pass();
  for (let i = 0; i < 40; i += 1) {
    stage.want("web", served());
    await stage.pass(1500);
    stage.want("web", refused("PoolExhausted"));
    await stage.pass(1500);
  }
  await stage.pass(31_000);
  assert.match(told(stage)[0] ?? "", /^Warning PoolExhausted .* x41$/u);
  const writes = stage.wrote().filter((line) => /^(?:event|count) /u.test(line)).length;
  assert.ok(writes <= 16, `${writes} writes`);

  await stage.pass(400_000);
  stage.want("web", served());
  await stage.pass();
  stage.want("web", refused("PoolExhausted"));
  await stage.pass();
  const again = told(stage).filter((line) => line.startsWith("Warning PoolExhausted"));
  assert.equal(again.length, 2, "after a longer time it is another Event");
});

/** Warnings without title and remedy, after each of these stood for 5 s between good times. */
async function warned(...fates: readonly Fate[]): Promise<readonly string[]> {
  await using stage = new PublishStage();
  stage.create("web", served());
  for (const fate of fates) {
    stage.want("web", fate);
    await stage.pass(5000);
    stage.want("web", served());
    await stage.pass(5000);
  }
  await stage.pass(60_000);
  return told(stage)
    .filter((line) => line.startsWith("Warning"))
    .map((line) => line.replace(/^Warning (\w+) \w+: .*?: (.*?)\. .*\]/u, "$1 $2"));
}

test("an Event kept the words of the first trouble though the second was another one", async () => {
  const badField = (detail: string): Fate => refused("BadField", detail);
  assert.deepEqual(
    await warned(
      badField("balance is 'rnd'"),
      badField("ports has '0'"),
      badField("ports has '0'"),
    ),
    ["BadField balance is 'rnd'", "BadField ports has '0' x2"],
  );
  const full = (pool: string): Fate => waiting("PoolExhausted", `no ipv4 is free in ${pool}`);
  assert.deepEqual(await warned(full("lan-1"), full("lan-2"), full("lan-1")), [
    "PoolExhausted no ipv4 is free in lan-1 x2",
    "PoolExhausted no ipv4 is free in lan-2",
  ]);
});

test("words of a daemon with a time or a process in them are one Event while they repeat", async () => {
  const down = (agent: string, words: string): Fate =>
    waiting("DataPlaneDown", `on ${agent}: ${words}`);
  const refuses = (id: string): Fate => waiting("IpamRefused", `pool lan: request ${id} failed`);
  assert.deepEqual(
    await warned(
      down("lb-1", "12:00:03 process 417 ended"),
      down("lb-1", "12:00:13 process 422 ended"),
      down("lb-2", "12:00:23 process 31 ended"),
      down("lb-2", "12:00:33 no room on the disk"),
      refuses("7f3a-01cc"),
      refuses("c0de-4a11"),
    ),
    [
      "DataPlaneDown on lb-1: 12:00:03 process 417 ended x2",
      "DataPlaneDown on lb-2: 12:00:23 process 31 ended",
      "DataPlaneDown on lb-2: 12:00:33 no room on the disk",
      "IpamRefused pool lan: request 7f3a-01cc failed x2",
    ],
  );
});
