// What becomes of the guard's table on a real kernel in a sandbox: somebody damages it, other
// tables stand beside it, and an agent leaves it to the next one.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before as atFirst, test } from "node:test";

import { createLogger, createSystemClock, runProgram } from "@fairlead/runtime";
import { inSandbox } from "@fairlead/testkit";

import type { Guarded } from "../ports.ts";
import { GUARDED, NFT, openGuard, type OpenGuard, run, table, until } from "./guard-stage.ts";
import { createNftGuard } from "./guard.ts";
import { createNftMonitor } from "./nft-monitor.ts";

const clock = createSystemClock();
const logger = createLogger({ level: "silent", format: "json" });
const random = Math.random;
const NOTHING: Guarded = { vips: [], listeners: [], lanes: [] };

inSandbox({ file: import.meta.url, name: "guard-repairs" }, () => {
  const stack = new AsyncDisposableStack();
  let guard: OpenGuard["guard"];
  let untilRepaired: OpenGuard["untilRepaired"];
  atFirst(async () => {
    ({ guard, untilRepaired } = await openGuard(stack));
  });
  after(() => stack.disposeAsync());

  const damages: readonly (readonly [name: string, ...args: readonly string[]])[] = [
    ["the whole ruleset is flushed", "flush", "ruleset"],
    ["our table is deleted", "delete", "table", "inet", "fairlead_guard"],
    ["a chain is flushed", "flush", "chain", "inet", "fairlead_guard", "refused"],
    ["a set is flushed", "flush", "set", "inet", "fairlead_guard", "vips4"],
    [
      "a port is opened by hand",
      "add element inet fairlead_guard listeners4 { 192.0.2.100 . 6 . 22 }",
    ],
    ["a rule is added", "insert", "rule", "inet", "fairlead_guard", "input", "accept"],
  ];
  for (const [name, ...args] of damages) {
    test(`${name}: our table is back within a second`, async () => {
      const shape = (text: string): readonly string[] => text.split(/[,\s]+/).toSorted();
      const unsigned = async (): Promise<string> => {
        const { stdout } = await runProgram({
          command: NFT,
          args: ["-s", "list", "table", "inet", "fairlead_guard"],
          timeoutMs: 5000,
          maxOutputBytes: 65_536,
        });
        return stdout.replace(/0x[0-9a-f]{8}/, "N");
      };
      const before = shape(await unsigned()).join(" ");
      await run(NFT, args);
      await untilRepaired(async () => shape(await unsigned()).join(" ") === before);
    });
  }

  test("a table that was saved and loaded again with its signature is not taken for ours", async () => {
    const saved = await run(NFT, ["list", "table", "inet", "fairlead_guard"]);
    await guard.guard({ ...GUARDED, listeners: [] }, false);
    const revision = async () => /0x[0-9a-f]+/.exec(await table())?.[0];
    const before = await revision();
    await run(NFT, ["-f", "-"], `flush ruleset\n${saved}`);
    await untilRepaired(async () => {
      const text = await run(NFT, ["list", "set", "inet", "fairlead_guard", "listeners4"]);
      return (await revision()) !== before && !text.includes("elements");
    });
  });

  test("what others have is left alone, and ours is gone when it is taken away", async () => {
    await run(NFT, ["add", "table", "inet", "other"]);
    await guard.guard(NOTHING, false);
    await guard.guard(GUARDED, true);
    assert.equal((await run(NFT, ["list", "tables"])).includes("inet other"), true);
    await guard.remove();
    assert.equal(await run(NFT, ["list", "tables"]), "table inet other\n");
    await guard[Symbol.asyncDispose]();
    assert.equal(await run(NFT, ["list", "tables"]), "table inet other\n", "it stays away");
  });

  test("an agent that ends leaves its table, and the next one takes it over at a stroke", async () => {
    const first = createNftGuard({ program: NFT, clock, logger, random });
    await first.guard(GUARDED, false);
    await first[Symbol.asyncDispose]();
    await using second = createNftGuard({ program: NFT, clock, logger, random });
    await second.guard(GUARDED, true);
    const text = await table();
    assert.match(text, /set lanes \{\s+type ifname\s+\}/, "nobody is dropped before it knows all");
    assert.match(text, /192\.0\.2\.100 \. tcp \. 80/);
    await second.guard(GUARDED, false);
    assert.match(await table(), /elements = \{ "eth0" \}/);
  });

  test("what is done to it while no monitor lives is undone by the next one", async () => {
    const program = "/run/nft-whose-monitor-ends";
    const text = `#!/bin/sh\ntest "$1" = monitor && {\n (sleep 0.5; kill $$) &\n exec ${NFT} monitor\n}\nexec ${NFT} "$@"\n`;
    await writeFile(program, text, { mode: 0o755 });
    using monitor = createNftMonitor({ program, clock, logger, random: () => 0.1 });
    await using guarded = createNftGuard({ program, monitor, clock, logger, random });
    await guarded.guard(GUARDED, false);
    const isWhole = async (): Promise<boolean> =>
      (await run(NFT, ["list", "ruleset"])).includes("192.0.2.100 . tcp . 80");
    for (let time = 0; time < 5; time += 1) {
      await run(NFT, ["flush", "ruleset"]);
      await until("it is back", isWhole);
    }
    await guarded.remove();
  });

  test("a program that cannot guard says so, in its own words, and nothing breaks", async () => {
    await using without = createNftGuard({ program: "/bin/false", clock, logger, random });
    await without.guard(GUARDED, false);
    assert.equal(without.trouble()?.reason, "InputUnguarded");
    await without.remove();
  });
});
