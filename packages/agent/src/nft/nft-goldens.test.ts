// What nft itself makes of the goldens of our tables, as root and as a normal user, and of a file
// that is broken.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import { NFT, run } from "./guard-stage.ts";

const TESTDATA = fileURLToPath(new URL("testdata/", import.meta.url));

const file = import.meta.url;
inSandbox({ file, name: "nft reads the goldens as root" }, goldens);
inSandbox({ file, name: "nft reads the goldens as a normal user", userNamespace: true }, goldens);

function goldens(): void {
  for (const name of readdirSync(TESTDATA).filter((one) => !one.startsWith("broken"))) {
    test(`nft accepts ${name}`, async () => {
      const whole = readFileSync(`${TESTDATA}holder.nft`, "utf8");
      // Twice: what is there is replaced.
      for (const _ of [1, 2]) await run(NFT, ["-f", "-"], whole);
      await run(NFT, ["-c", "-f", `${TESTDATA}${name}`]);
    });
  }
  test("nft refuses a file with a bad word", async () => {
    const args = ["-c", "-f", `${TESTDATA}broken.nft`];
    const limits = { timeoutMs: 5000, maxOutputBytes: 4096 };
    const { code, stderr } = await runProgram({ command: NFT, args, ...limits });
    assert.equal(code, 1);
    assert.match(stderr, /rejekt/);
  });
}
