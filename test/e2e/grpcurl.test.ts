// An operator with grpcurl in front of a controller that was started by hand: the real program asks
// both gRPC listeners what they are and what they know, without any file of ours.

import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { toolPath } from "../tools/tool-path.ts";

const CONTROLLER = fileURLToPath(new URL("../../bin/fairlead-controller", import.meta.url));
const CALL_MS_MAX = 30_000;

test("grpcurl lists, describes and calls", async () => {
  await using controller = await startController();
  const { admin, agents, call } = controller;

  assert.deepEqual(await call(admin, "list"), [
    "fairlead.v1.AdminService",
    "grpc.health.v1.Health",
  ]);
  assert.deepEqual(await call(agents, "list"), [
    "fairlead.v1.AgentService",
    "grpc.health.v1.Health",
  ]);
  const described = (await call(admin, "describe", "fairlead.v1.AdminService")).join("\n");
  assert.match(described, /rpc List \( \.fairlead\.v1\.ListRequest \)/);
  assert.match(described, /rpc Explain \( \.fairlead\.v1\.ExplainRequest \)/);
  const sync = (await call(agents, "describe", "fairlead.v1.AgentService.Sync")).join("\n");
  assert.match(sync, /rpc Sync \( stream .* \) returns \( stream .* \)/);

  const health = JSON.parse((await call(admin, "grpc.health.v1.Health/Check")).join("")) as object;
  assert.deepEqual(health, { status: "SERVING" });
  const listed = JSON.parse((await call(admin, "fairlead.v1.AdminService/List")).join("")) as {
    readonly pools: readonly { readonly name: string; readonly ranges: string }[];
  };
  assert.deepEqual(
    listed.pools.map(({ name, ranges }) => `${name}=${ranges}`),
    ["default=192.0.2.10-192.0.2.20"],
  );
});

interface Controller extends AsyncDisposable {
  /** Where people ask. */
  readonly admin: string;
  /** Where agents connect. */
  readonly agents: string;
  /** Runs grpcurl; answers with the lines it prints. */
  readonly call: (address: string, ...words: readonly string[]) => Promise<readonly string[]>;
}

/** Starts the controller as one does by hand, on free ports of the loopback. */
async function startController(): Promise<Controller> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-grpcurl-"));
  mkdirSync(join(folder, "manifests"));
  writeFileSync(join(folder, "manifests/empty.yaml"), "");
  const listen = ["admin", "agents", "metrics"].map((name) => `--listen-${name}=127.0.0.1:0`);
  const state = [`--source=${join(folder, "manifests")}`, `--state-dir=${join(folder, "state")}`];
  const pool = ["--pool", "default=192.0.2.10-192.0.2.20"];
  const child = spawn(CONTROLLER, [...listen, ...state, ...pool, "--insecure"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const { admin, agents } = await whereItListens(child);
  const run = promisify(execFile);
  const grpcurl = toolPath("grpcurl");
  return {
    admin,
    agents,
    call: async (address, ...words) => {
      const args = ["-plaintext", address, ...words];
      const { stdout } = await run(grpcurl, args, { timeout: CALL_MS_MAX });
      return stdout.trimEnd().split("\n");
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for the log's line that names the ports; what was logged is told when there is none. */
async function whereItListens(
  child: ChildProcess,
): Promise<{ readonly admin: string; readonly agents: string }> {
  assert.ok(child.stderr);
  let told = "";
  for await (const text of child.stderr.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    told += String(text);
    const found = / serves .*agents=(\S+) .*admin=(\S+)/.exec(told);
    if (found === null) continue;
    child.stderr.resume(); // Nobody reads on, and a full pipe would hold the controller up.
    return { agents: found[1] ?? "", admin: found[2] ?? "" };
  }
  throw new Error(`the controller ended before it served: ${told}`);
}
