// Runs the tests of a file in namespaces of their own: network, mounts, processes, so that real
// daemons, addresses and sysctls touch nothing of the machine and nothing outlives the test. The
// file runs itself again inside. Works as root and as a normal user.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** What the tests of a sandbox need. */
export interface SandboxOptions {
  /** `import.meta.url` of the test file. */
  readonly file: string;
  /** Name of the one test that stands for all inside. */
  readonly name: string;
  /** All tests together are killed after this long, in ms. Default 120 000. */
  readonly timeoutMs?: number;
  /** Puts a user namespace around, also for root: what a normal user has. Default: as needed. */
  readonly userNamespace?: boolean;
}

const INSIDE = "FAIRLEAD_SANDBOX";

/**
 * Process 1 inside. It waits for any child, hence collects daemons whose parent was killed, as a
 * host's init does.
 */
const INIT = `
set -eu
mount -t proc proc /proc
mount -t tmpfs -o mode=0755 tmpfs /run
ip link set lo up
"$@" &
wait $!
`;

/** Defines the tests when it runs inside, and else one test that runs the file inside. */
export function inSandbox(options: SandboxOptions, define: () => void): void {
  if (process.env[INSIDE] === options.name) {
    define();
    return;
  }
  if (process.env[INSIDE] !== undefined) return;
  const timeoutMs = options.timeoutMs ?? 120_000;
  void test(`${options.name} (in a sandbox)`, { timeout: timeoutMs + 5000 }, async () => {
    const { code, output } = await runInside(options, timeoutMs);
    assert.equal(code, 0, output.slice(-20_000));
  });
}

async function runInside(
  options: SandboxOptions,
  timeoutMs: number,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const isRoot = process.getuid?.() === 0;
  const user = (options.userNamespace ?? !isRoot) ? ["--user", "--map-root-user"] : [];
  const file = fileURLToPath(options.file);
  const inner = [process.execPath, "--test", "--test-isolation=none", file];
  const args = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"];
  const child = spawn("unshare", [...user, ...args, "sh", "-c", INIT, "sh", ...inner], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...insideEnvironment(), [INSIDE]: options.name },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  try {
    return { code: await promise, output };
  } finally {
    clearTimeout(timer);
  }
}

/** Without what makes the inner test runner report to the outer one instead of to us. */
function insideEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env["NODE_TEST_CONTEXT"];
  delete env["NODE_OPTIONS"];
  return { ...env, PATH: `${env["PATH"] ?? ""}:/usr/sbin:/sbin` };
}
