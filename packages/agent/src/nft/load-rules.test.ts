// How nft is handed a script by an agent that is killed meanwhile: on a real kernel, with a script
// of which every first part would be taken too.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { test } from "node:test";

import { inSandbox } from "@fairlead/testkit";

import { loadRules } from "./load-rules.ts";
import { NFT, run, until } from "./guard-stage.ts";

const DIR = "/run/scripts";
const SCRIPT_FILE = `${DIR}/script.nft`;
const OLD = "table inet old { }";
/** Longer than any pipe: what comes after all the empty lines is not in it when the agent dies. */
const SCRIPT = `delete table inet old\n${"\n".repeat(4_000_000)}table inet new { }\n`;

/**
 * Ends whoever started it when its pipe is full, waits until that is gone, and is nft then. The
 * agent sleeps as it waits for its nft, and does so for the first time when it has written.
 */
const KILLING_NFT = `#!/bin/sh
agent=$PPID
until grep -q '^State:.S' "/proc/$agent/status"; do :; done
kill -9 "$agent"
while kill -0 "$agent" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$agent/status"; do :; done
'${NFT}' "$@" 2>/dev/null
echo "$?" >'${DIR}/ended.new'
mv '${DIR}/ended.new' '${DIR}/ended'
`;

/** An agent that has this script loaded and dies of it. */
const AGENT = `
import { loadRules } from ${JSON.stringify(new URL("load-rules.ts", import.meta.url).href)};
const script = ${JSON.stringify(SCRIPT.replaceAll("\n", "|"))}.replaceAll("|", "\\n");
const options = { program: "${DIR}/killing-nft", timeoutMs: 10_000, scriptFile: "${SCRIPT_FILE}" };
await loadRules(options, script);
`;

inSandbox({ file: import.meta.url, name: "load-rules" }, () => {
  test("an agent killed while nft reads a long script leaves all of it or nothing", async () => {
    await mkdir(DIR);
    await writeFile(`${DIR}/killing-nft`, KILLING_NFT, { mode: 0o700 });
    await writeFile(`${DIR}/agent.ts`, AGENT);
    await run(NFT, ["-f", "-"], `${OLD}\n`);
    const agent = spawn(process.execPath, [`${DIR}/agent.ts`], { stdio: "inherit" });
    const ended: unknown[] = await once(agent, "exit");
    assert.equal(ended[1], "SIGKILL");
    await until("nft has ended", () => Promise.resolve(existsSync(`${DIR}/ended`)));
    const tables = await run(NFT, ["list", "tables"]);
    assert.ok(["table inet old", "table inet new"].includes(tables.trim()), tables);
  });

  test("a long script is not kept; one that is refused lies where nft's words say", async () => {
    const options = { program: NFT, timeoutMs: 10_000, scriptFile: SCRIPT_FILE };
    const padding = "\n".repeat(100_000);
    assert.equal(await loadRules(options, `table inet long { }\n${padding}`), undefined);
    assert.match(await run(NFT, ["list", "tables"]), /table inet long/);
    assert.ok(!existsSync(SCRIPT_FILE));
    const refused = `${SCRIPT_FILE}.refused`;
    assert.ok(!existsSync(refused));
    for (const lines of [padding, ""]) {
      const script = `${lines}nonsense\n`;
      const words = (await loadRules(options, script)) ?? "";
      assert.ok(words.startsWith("nft: syntax error"), words);
      assert.ok(words.includes(` in ${refused}:${lines.length + 1}: nonsense`), words);
      assert.equal(readFileSync(refused, "utf8"), script);
    }
    assert.ok(!existsSync(SCRIPT_FILE));
  });
});
