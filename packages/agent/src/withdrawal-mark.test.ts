// The note of a withdrawal: for whom it counts, and for how long. An agent that believes one of a
// command that died would be taken out of every status while it still serves.

import assert from "node:assert/strict";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { claimRunDir } from "./agent-pid.ts";
import { isBeingWithdrawn, markWithdrawal } from "./withdrawal-mark.ts";

const makeFolder = (): ReturnType<typeof mkdtempDisposable> =>
  mkdtempDisposable(join(tmpdir(), "fairlead-mark-"));

test("an agent is being withdrawn for as long as the command that does so lives", async () => {
  await using folder = await makeFolder();
  assert.equal(await isBeingWithdrawn(folder.path), false);
  {
    await using _ = await markWithdrawal(folder.path);
    assert.equal(await isBeingWithdrawn(folder.path), true);
  }
  assert.equal(await isBeingWithdrawn(folder.path), false);
});

test("a command that was killed in the middle withdraws nobody, whoever has its number now", async () => {
  await using folder = await makeFolder();
  await using _ = await markWithdrawal(folder.path);
  await writeFile(join(folder.path, "withdrawing"), `${process.pid} 1\n`);
  assert.equal(await isBeingWithdrawn(folder.path), false);
});

test("an agent that starts again knows nothing of the withdrawal before", async () => {
  await using folder = await makeFolder();
  await using _mark = await markWithdrawal(folder.path);
  await using _agent = await claimRunDir(folder.path);
  assert.equal(await isBeingWithdrawn(folder.path), false);
});
