// What nginx's answers make of the lanes on this host. A played nginx and a real track file; the
// ticks come by hand.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createLogger } from "@fairlead/runtime";

import { createDataPathWatch, type DataPathWatch } from "./data-path-watch.ts";

/** An nginx that a test plays, and what its lanes are told. */
interface Stage extends AsyncDisposable {
  answers: boolean;
  serves: boolean;
  isCut: boolean;
  /** Whether the agent is in no state to ask. */
  isUnable: boolean;
  readonly watch: DataPathWatch;
  /** So many ticks of 100 ms, each after what was answered to the one before. */
  ticks(count: number): Promise<void>;
  said(): Promise<string>;
}

async function stage(): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "fairlead-data-path-"));
  const trackFile = join(dir, "data-path");
  const self: Stage = {
    answers: false,
    serves: false,
    isCut: false,
    isUnable: false,
    watch: createDataPathWatch({
      name: "nginx",
      nginx: {
        generation: async () => {
          if (self.isUnable) throw new Error("no space left on device");
          return self.answers ? "0123456789abcdef" : undefined;
        },
      },
      log: createLogger({ level: "silent", format: "text" }),
      incarnation: join(dir, "none"),
      trackFile,
      isServing: () => self.serves,
      isCut: () => self.isCut,
      isAtRest: () => false,
    }),
    ticks: async (count) => {
      for (let passed = 0; passed < count; passed += 1) {
        await self.watch.tick(2);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    said: async () => (await readFile(trackFile, "utf8").catch(() => "")).trim(),
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
  return self;
}

test("an nginx that is started for the first Service takes no lane off its host", async () => {
  await using s = await stage();
  // The host has no Service yet, and nobody who could answer.
  await s.ticks(10);
  s.answers = true;
  s.serves = true;
  await s.ticks(10);
  assert.equal(await s.said(), "");
});

test("an nginx that served and answers no more takes the lanes off its host", async () => {
  await using s = await stage();
  s.answers = true;
  s.serves = true;
  await s.ticks(10);
  s.answers = false;
  await s.ticks(10);
  assert.equal(await s.said(), "1");
});

test("an nginx that answers and reaches no member takes the lanes off its host", async () => {
  await using s = await stage();
  s.answers = true;
  s.serves = true;
  await s.ticks(10);
  s.isCut = true;
  await s.ticks(1);
  assert.equal(await s.said(), "1");
});

test("an agent that cannot ask nginx blames it for nothing, and goes on", async () => {
  await using s = await stage();
  s.answers = true;
  s.serves = true;
  await s.ticks(10);
  s.isUnable = true;
  await s.ticks(10);
  assert.equal(await s.said(), "");
  s.isUnable = false;
  s.answers = false;
  await s.ticks(10);
  assert.equal(await s.said(), "1");
});

test("an nginx that is given up is not down", async () => {
  await using s = await stage();
  s.answers = true;
  s.serves = true;
  await s.ticks(10);
  s.answers = false;
  s.serves = false;
  await s.ticks(10);
  assert.equal(await s.said(), "");
});
