// Closing a netlink socket on a real kernel, in a process of its own, as it is ended by a mistake.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { inSandbox } from "@fairlead/testkit";

inSandbox({ file: import.meta.url, name: "close-sockets" }, () => {
  test("a socket that is closed upon an answer, while more is asked, ends no process", async () => {
    const program = fileURLToPath(new URL("closing-main.ts", import.meta.url));
    for (let times = 0; times < 3; times += 1) {
      const child = spawn(process.execPath, [program], { stdio: ["ignore", "inherit", "inherit"] });
      const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
      assert.deepEqual([code, signal], [0, null]);
    }
  });
});
