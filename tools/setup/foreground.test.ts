// The program in the foreground: its exit code is ours, a signal reaches it once although npm and
// the terminal both send it, and it does not outlive us.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";

const MODULE = JSON.stringify(new URL("foreground.mjs", import.meta.url).href);

const cases = [
  { name: "an exit code is passed on", code: "process.exit(7)", ends: 7 },
  {
    name: "a signal becomes 128 and its number",
    code: 'process.kill(process.pid, "SIGKILL")',
    ends: 137,
  },
];
for (const c of cases) {
  test(c.name, async () => {
    await using outer = startOuter(c.code);
    assert.equal(await outer.ended, c.ends);
  });
}

test("Ctrl-C reaches the program once, and it may end in its own time", async () => {
  await using outer = startOuter(`
    let count = 0;
    process.on("SIGINT", () => { count += 1; console.log("counted " + count); });
    process.stdin.once("data", () => process.exit(40 + count));
    console.log("ready");
  `);
  await outer.line("ready");
  outer.child.kill("SIGINT");
  await outer.line("counted 1");
  outer.child.kill("SIGINT"); // What npm adds to what the terminal sent.
  outer.child.stdin?.write("end");
  assert.equal(await outer.ended, 41);
});

test("killed outright, it takes the program along", async () => {
  await using outer = startOuter(`
    process.on("SIGTERM", () => { console.log("told to end"); process.exit(0); });
    setInterval(() => {}, 1000);
    console.log("ready");
  `);
  await outer.line("ready");
  outer.child.kill("SIGKILL");
  await outer.line("told to end");
});

interface Outer extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  /** Waits for a line that the program prints. */
  readonly line: (text: string) => Promise<void>;
}

/**
 * Starts a process that runs `code` in the foreground as set-up does. Its time stands still: how
 * soon a second signal comes is not how busy the machine is.
 */
function startOuter(code: string): Outer {
  const outer = `
    import { runInForeground } from ${MODULE};
    const args = ["-e", ${JSON.stringify(code)}];
    const options = { command: process.execPath, args, cwd: "/", env: process.env, nowMs: () => 0 };
    process.exitCode = await runInForeground(options);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", outer], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "exit").then(([exitCode]) => exitCode as number | null);
  return {
    child,
    ended,
    line: async (text) => {
      for (;;) {
        const next = await lines.next();
        assert.ok(next.done !== true, `the program ended before it said: ${text}`);
        if (next.value === text) return;
      }
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
