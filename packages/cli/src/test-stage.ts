// A stage for tests of commands: a controller in this process, with a real folder, a real store and
// no agent, and the command line against it.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  CONTROLLER_EXTRA_KEYS,
  CONTROLLER_SETTINGS,
  controllerSettings,
  runController,
} from "@fairlead/controller";
import { createLogger, createSystemClock, formatHostPort, readSettings } from "@fairlead/runtime";

import { runProgram } from "./program.ts";

/** What a command said, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A controller with a folder of manifests. */
export interface Stage extends AsyncDisposable {
  readonly root: string;
  /** Where its agents connect, HOST:PORT. */
  readonly agentsAt: string;
  /** Runs the command line against the controller. */
  run(...args: readonly string[]): Promise<Said>;
}

/** A controller with these Services, each of port 80, over one pool and a store of its own. */
export async function openStage(...services: readonly string[]): Promise<Stage> {
  const root = mkdtempSync(join(tmpdir(), "fairlead-lease-"));
  const folder = join(root, "manifests");
  mkdirSync(folder);
  for (const name of services) {
    const spec = "{ type: LoadBalancer, ports: [{ port: 80 }] }";
    const text = `{ apiVersion: v1, kind: Service, metadata: { name: ${name} }, spec: ${spec} }\n`;
    writeFileSync(join(folder, `${name}.yaml`), text);
  }
  const flags = ["agents", "metrics", "admin"].flatMap((of) => [`--listen-${of}`, "127.0.0.1:0"]);
  const store = `sqlite:${join(root, "store.db")}`;
  const pool = "lan=192.0.2.100-192.0.2.109";
  const given = ["--source", folder, "--pool", pool, "--store", store, "--insecure"];
  const read = readSettings({
    table: CONTROLLER_SETTINGS,
    argv: [...given, ...flags],
    env: {},
    extraKeys: CONTROLLER_EXTRA_KEYS,
  });
  assert.ok(read.kind === "ok", JSON.stringify(read));
  const controller = await runController({
    settings: controllerSettings(read.settings, {}),
    clock: createSystemClock(),
    log: createLogger({ level: "silent", format: "text" }),
    onFailed: (error) => assert.fail(error),
  });
  await controller.cycle.settled();
  const run = async (...args: readonly string[]): Promise<Said> => {
    let [out, err] = ["", ""];
    const code = await runProgram([...args, "--server", formatHostPort(controller.adminAt)], {
      out: (text) => void (out += text),
      err: (text) => void (err += text),
      onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
    });
    return { code, out, err };
  };
  // The first plan waits a moment for agents.
  while (!controller.ready().ok) await run("status");
  return {
    root,
    agentsAt: formatHostPort(controller.agentsAt),
    run,
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
