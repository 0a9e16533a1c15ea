// The files of a run directory as they are read for questions.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { dataPlaneLayout } from "./data-plane-layout.ts";
import { readRenderedFiles } from "./rendered-files.ts";

test("files that are there are read, in the order of their paths; others are left away", async () => {
  const runDir = mkdtempSync(join(tmpdir(), "fairlead-files-"));
  try {
    const layout = dataPlaneLayout(runDir);
    assert.deepEqual(await readRenderedFiles(layout), []);
    mkdirSync(layout.nginx.dir);
    mkdirSync(layout.keepalived.dir);
    writeFileSync(layout.nginx.config, "events {}\n");
    writeFileSync(layout.keepalived.config, "global_defs {}\n");
    const files = await readRenderedFiles(layout);
    assert.deepEqual(
      files.map(({ path, content }) => [path, Buffer.from(content).toString()]),
      [
        [layout.keepalived.config, "global_defs {}\n"],
        [layout.nginx.config, "events {}\n"],
      ],
    );
  } finally {
    rmSync(runDir, { recursive: true, force: true });
  }
});
