// Whether the workers' user may reach a folder, by the folders of a real file system.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { isReachedBy } from "./is-reached-by.ts";

test("one closed folder on the way keeps everybody out but root", () => {
  const top = mkdtempSync(join(tmpdir(), "fairlead-reached-"));
  try {
    chmodSync(top, 0o755);
    const folder = join(top, "run", "nginx");
    assert.equal(isReachedBy("www-data", folder), false, "it is not there");
    mkdirSync(folder, { recursive: true });
    for (const one of [join(top, "run"), folder]) chmodSync(one, 0o711);
    assert.equal(isReachedBy("www-data", folder), true);
    assert.equal(isReachedBy(undefined, folder), true, "whoever nginx takes by itself");
    chmodSync(join(top, "run"), 0o700);
    assert.equal(isReachedBy("www-data", folder), false);
    assert.equal(isReachedBy("root", folder), true);
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
});
