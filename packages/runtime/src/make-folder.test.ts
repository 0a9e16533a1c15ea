// Folders that are made, are there, and cannot be: each is told, and none is waited for.

import assert from "node:assert/strict";
import { mkdtempDisposableSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeFolder } from "./make-folder.ts";

test("a folder is made with all that is missing above it, and once", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "fairlead-folder-"));
  const path = join(folder.path, "a", "b");
  assert.equal(makeFolder(path, { mode: 0o700 }), true);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(makeFolder(path), false);
  assert.equal(makeFolder("/"), false);
});

test("below /proc it says so at once, where mkdir of Node never ends", () => {
  for (const path of ["/proc/fairlead", "/proc/fairlead/a/b"]) {
    assert.throws(() => makeFolder(path), {
      code: "NO_FOLDER",
      message: "cannot make the folder /proc/fairlead: no folder can be made in /proc",
    });
  }
});

test("a file in its place or above it is named", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "fairlead-folder-"));
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  const message = `cannot make the folder ${file}: it is there and is not a folder`;
  for (const path of [file, join(file, "a", "b")]) {
    assert.throws(() => makeFolder(path), { code: "NO_FOLDER", message });
  }
  const link = join(folder.path, "link");
  symlinkSync(join(folder.path, "nowhere"), link);
  assert.throws(() => makeFolder(link), /link: it is a link that leads nowhere$/);
  assert.throws(() => makeFolder(join(link, "a")), /link: it is a link that leads nowhere$/);
});
