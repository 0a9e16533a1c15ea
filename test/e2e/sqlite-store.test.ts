// The store in one file under a controller that is killed again and again: what it told stays true,
// and what is held is counted in the file itself, which is opened once the controller is dead.

import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { killAgainAndAgain, type KilledStage } from "./stage/killed-controllers.ts";
import { manifest, service } from "./stage/manifests.ts";
import { createSeeded } from "./stage/seeded.ts";
import { startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";
import { readLeases } from "./stage/stored-leases.ts";

const chance = createSeeded();

test(`a controller that is killed again and again over a file keeps what it told, and leaks none (FAIRLEAD_SEED=${chance.seed})`, async () => {
  using stage = makeStage();
  await killAgainAndAgain(stage, chance);
});

function makeStage(): KilledStage & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-sqlite-"));
  const manifests = join(folder, "manifests");
  mkdirSync(manifests);
  const file = join(folder, "state", "store.db");
  const pathOf = (name: string): string => join(manifests, `${name}.yaml`);
  return {
    agent: "192.0.0.5/22",
    add: (name) => writeFileSync(pathOf(name), manifest(service({ name }))),
    remove: (name) => rmSync(pathOf(name)),
    start: () => {
      const ports = ["admin", "agents", "metrics", "rest"];
      const listen = ports.map((at) => `--listen-${at}=127.0.0.1:0`);
      const state = [`--source=${manifests}`, `--state-dir=${join(folder, "state")}`];
      const pool = "--pool=default=192.0.2.0-192.0.3.255";
      return startSpoken(program("fairlead-controller"), [...listen, ...state, pool, "--insecure"]);
    },
    // A file that is one process's alone tells nobody else what is in it.
    mark: () =>
      Promise.resolve(statSync(`${file}-wal`, { bigint: true, throwIfNoEntry: false })?.mtimeNs),
    rows: () => Promise.resolve(readLeases(file)),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
