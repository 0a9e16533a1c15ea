// The programs of s6 played by scripts, for what the real ones do only by chance.

import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createS6Programs } from "./s6-programs.ts";

test("a scanner that ends while it is spoken to is one that does not live", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-s6-"));
  try {
    const script = join(folder, "s6-svscanctl");
    await writeFile(script, "#!/bin/sh\nkill -PIPE $$\n");
    await chmod(script, 0o755);
    const programs = createS6Programs(join(folder, "s6-svscan"));
    assert.equal(await programs.svscanctl("/run/none", "-a"), false);
  } finally {
    await rm(folder, { recursive: true });
  }
});
