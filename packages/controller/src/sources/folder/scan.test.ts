// What a listing is of: one folder, however it is swapped, unmounted or removed while it is
// looked at.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";

import { scanFolder, type Stat } from "./scan.ts";

interface Stage {
  readonly folder: string;
  /** Another folder of these files comes in the folder's place, as by one rename. */
  readonly swap: (...names: readonly string[]) => Promise<void>;
}

/** A folder with a, b and c, and d in a folder below. */
async function openStage(t: TestContext): Promise<Stage> {
  const root = await mkdtemp(join(tmpdir(), "fairlead-scan-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, "manifests");
  await fill(folder, ["a.yaml", "b.yaml", "c.yaml", "sub/d.yaml"]);
  let swaps = 0;
  return {
    folder,
    swap: async (...names) => {
      swaps += 1;
      await fill(join(root, `new-${swaps}`), names);
      await rename(folder, join(root, `old-${swaps}`));
      await rename(join(root, `new-${swaps}`), folder);
    },
  };
}

async function fill(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(join(folder, "sub"), { recursive: true });
  for (const name of names) await writeFile(join(folder, name), "");
}

/** Does something once, just before this path is looked at for the first time. */
function before(name: string, act: () => Promise<void>): Stat {
  let acted: Promise<void> | undefined;
  return async (path) => {
    if (acted === undefined && basename(path) === name) acted = act();
    await acted;
    return await stat(path, { bigint: true });
  };
}

test("a folder unmounted in the middle of a look is no folder with half its files", async (t) => {
  const { folder, swap } = await openStage(t);
  const { files, folders } = await scanFolder(folder, before("d.yaml", swap));
  assert.deepEqual([...files.keys()], []);
  assert.equal(folders.get("")?.inode, String((await stat(folder, { bigint: true })).ino));
});

test("a folder swapped for a full one is listed as the new one", async (t) => {
  const { folder, swap } = await openStage(t);
  const toNew = before("d.yaml", () => swap("a.yaml", "z.yaml"));
  assert.deepEqual([...(await scanFolder(folder, toNew)).files.keys()], ["a.yaml", "z.yaml"]);
});

test("a folder below that is swapped in the middle is listed as the new one", async (t) => {
  const { folder } = await openStage(t);
  const sub = join(folder, "sub");
  const toNew = before("d.yaml", async () => {
    await rename(sub, join(folder, ".old"));
    await mkdir(sub);
    await writeFile(join(sub, "e.yaml"), "");
  });
  const { files } = await scanFolder(folder, toNew);
  assert.deepEqual([...files.keys()], ["a.yaml", "b.yaml", "c.yaml", "sub/e.yaml"]);
});

test("a folder below that is removed in the middle is no trouble", async (t) => {
  const { folder } = await openStage(t);
  const away = before("d.yaml", () => rm(join(folder, "sub"), { recursive: true }));
  const { files, unreadable } = await scanFolder(folder, away);
  assert.deepEqual([...files.keys()], ["a.yaml", "b.yaml", "c.yaml"]);
  assert.deepEqual([...unreadable], []);
});

test("a folder that is replaced in every look is not believed", async (t) => {
  const { folder, swap } = await openStage(t);
  const always: Stat = async (path) => {
    if (basename(path) === "sub") await swap("a.yaml");
    return await stat(path, { bigint: true });
  };
  await assert.rejects(scanFolder(folder, always), (error) => isEdgeError(error, "UNREADABLE"));
});
