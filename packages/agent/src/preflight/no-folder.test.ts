// A folder that no host can have: the agent's preflight says so, and does not wait for ever.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { inSandbox } from "@fairlead/testkit";
import { problemText, runPreflight } from "./preflight.ts";

inSandbox({ file: import.meta.url, name: "preflight of impossible folders" }, () => {
  const path = process.env["PATH"];

  test("folders below /proc are refused, each with why, and no sysctl is set", async () => {
    await writeFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "0");
    const result = await runPreflight({ runDir: "/proc/run", stateDir: "/proc/state/a", path });
    assert.equal(result.kind, "unfit");
    assert.deepEqual(
      result.problems.map(problemText),
      ["/proc/run", "/proc/state"].map(
        (folder) =>
          `a folder of the agent cannot be made (cannot make the folder ${folder}: no folder can ` +
          "be made in /proc): make it by hand, or give another with --run-dir or --state-dir",
      ),
    );
    assert.equal((await readFile("/proc/sys/net/ipv4/ip_nonlocal_bind", "utf8")).trim(), "0");
  });
});
