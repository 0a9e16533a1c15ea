// A controller that is started as one does by hand, on free ports of the loopback, with a folder of
// its own. Disposing ends it and removes the folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type SpokenProgram, startSpoken } from "./spoken-program.ts";
import { program } from "./stage.ts";

/** A controller that serves. */
export interface LocalController extends AsyncDisposable {
  /** Where people ask. */
  readonly admin: string;
  /** Where agents connect. */
  readonly agents: string;
  /** Writes a file of its folder of manifests. */
  write(file: string, text: string): void;
  readonly program: SpokenProgram;
}

/** Starts it with the pool 192.0.2.10-192.0.2.20 and an empty folder. */
export async function startLocalController(): Promise<LocalController> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-local-"));
  const manifests = join(folder, "manifests");
  mkdirSync(manifests);
  const listen = ["admin", "agents", "metrics", "rest"].map(
    (name) => `--listen-${name}=127.0.0.1:0`,
  );
  const state = [`--source=${manifests}`, `--state-dir=${join(folder, "state")}`];
  const pool = ["--pool", "default=192.0.2.10-192.0.2.20"];
  const args = [...listen, ...state, ...pool, "--insecure"];
  const running = startSpoken(program("fairlead-controller"), args);
  const [, agents = "", admin = ""] = await running.until(/ serves .*agents=(\S+) .*admin=(\S+)\n/);
  return {
    admin,
    agents,
    program: running,
    write: (file, text) => writeFileSync(join(manifests, file), text),
    [Symbol.asyncDispose]: async () => {
      running.kill("SIGTERM");
      await running.exit;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
