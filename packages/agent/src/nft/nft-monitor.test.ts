// What a line of nft's monitor says, and a monitor that ends: it is started again, and nobody takes
// the silence between for peace.

import assert from "node:assert/strict";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { createFakeClock, createLogger, createSystemClock } from "@fairlead/runtime";

import { changedTable, createNftMonitor } from "./nft-monitor.ts";

const cases: readonly {
  readonly line: string;
  readonly said: ReturnType<typeof changedTable>;
}[] = [
  {
    line: "add element inet fairlead_guard revision { 0x0000000a }",
    said: { table: "fairlead_guard", revision: 10 },
  },
  { line: "add element inet t revision { 11 }", said: { table: "t", revision: 11 } },
  {
    line: "delete element inet t revision { 0x0000000a }",
    said: { table: "t", revision: undefined },
  },
  { line: "add element inet t vips4 { 0x0000000a }", said: { table: "t", revision: undefined } },
  { line: "delete table inet t", said: { table: "t", revision: undefined } },
  { line: "delete rule inet t input handle 40", said: { table: "t", revision: undefined } },
  {
    line: 'add rule inet t input comment "add element inet x revision { 1 }"',
    said: { table: "t", revision: undefined },
  },
  { line: "add table ip t", said: undefined },
  { line: "", said: undefined },
];
for (const { line, said } of cases) {
  test(`line ${JSON.stringify(line)}`, () => assert.deepEqual(changedTable(line), said));
}

test("a monitor that cannot run is tried again, and everybody looks after it began", async () => {
  const clock = createFakeClock();
  const logger = createLogger({ level: "silent", format: "json" });
  using monitor = createNftMonitor({
    program: "/bin/false",
    clock,
    logger,
    random: () => 0.5,
    isListening: () => true,
  });
  let told = 0;
  using _listening = monitor.onChange("t", ({ revision }) => {
    assert.equal(revision, undefined);
    told += 1;
  });
  const system = createSystemClock();
  const endMs = system.nowMs() + 10_000;
  // It is called when a start lasted for a look of the clock; the program's end takes its own time.
  while (told < 2 && system.nowMs() < endMs) {
    await clock.advance(300);
    await system.sleep(1);
  }
  assert.ok(told >= 2, `told ${told} times`);
});

test("everybody looks once it listens, however long that takes, and not before", async () => {
  const clock = createFakeClock();
  const logger = createLogger({ level: "silent", format: "json" });
  await using folder = await mkdtempDisposable(join(tmpdir(), "fairlead-monitor-"));
  const program = join(folder.path, "nft");
  await writeFile(program, "#!/bin/sh\nexec sleep 3600\n", { mode: 0o755 });
  let isListening = false;
  using monitor = createNftMonitor({
    program,
    clock,
    logger,
    random: () => 0.5,
    isListening: () => isListening,
  });
  let told = 0;
  using _listening = monitor.onChange("t", () => {
    told += 1;
  });
  await clock.advance(5000);
  assert.equal(told, 0);
  isListening = true;
  await clock.advance(50);
  assert.equal(told, 1);
  await clock.advance(60_000);
  assert.equal(told, 1);
});

test("a Ctrl-C at the agent does not end the monitor: it is in a group of its own", async () => {
  await using dir = await mkdtempDisposable(join(tmpdir(), "fairlead-monitor-"));
  const program = join(dir.path, "nft");
  const lines = [
    "set -- $(cat /proc/$$/stat)",
    'if [ "$5" = $$ ]; then table=alone; else table=beside; fi',
    'printf "add table inet %s\\n# new generation 1\\n" $table',
    "exec sleep 60",
  ];
  await writeFile(program, `#!/bin/sh\n${lines.join("\n")}\n`, { mode: 0o755 });
  using monitor = createNftMonitor({
    program,
    clock: createFakeClock(),
    logger: createLogger({ level: "silent", format: "json" }),
    random: () => 0.5,
    isListening: () => false,
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  using _alone = monitor.onChange("alone", () => resolve("alone"));
  using _beside = monitor.onChange("beside", () => resolve("beside"));
  assert.equal(await promise, "alone");
});
