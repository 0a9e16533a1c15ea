// Controllers over a real etcd of three members, whose Services are files of one folder. Given what
// happens to it. What is held is read from etcd itself, by its own gateway, and judged at every
// look: a claim with two addresses, an address of two, or one that moved is never right.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type EtcdCluster, type EtcdMember, monotonicMs, startEtcdCluster } from "@fairlead/lab";
import { createSystemClock, isEdgeError } from "@fairlead/runtime";

import { toolPath } from "../../tools/tool-path.ts";
import type { StoredLease } from "./held-rows.ts";
import { manifest, service } from "./manifests.ts";
import { type SpokenProgram, startSpoken } from "./spoken-program.ts";
import { program } from "./stage.ts";

const clock = createSystemClock();
/** Where the controllers keep their keys. */
export const BASE = "/fairlead";
const LEASE_S = 3;
const UNTIL_MS_MAX = 30_000;
const LOOK_EVERY_MS = 50;

/** By the claim that holds it: the address. */
export type Held = ReadonlyMap<string, string>;

/** The etcd, the Services and the controllers. */
export interface EtcdStage extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  /** Adds that many Services; gives their names. */
  addMany(count: number): readonly string[];
  add(name: string): void;
  remove(name: string): void;
  start(name: string, leadS?: number): SpokenProgram;
  /** Waits until exactly the wanted claims hold addresses, none of them another one than before. */
  settled(): Promise<Held>;
}

/** Starts the etcd; controllers are started by the story. */
export async function makeEtcdStage(): Promise<EtcdStage> {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-etcd-"));
  const manifests = join(folder, "manifests");
  mkdirSync(manifests);
  const etcd = await startEtcdCluster({ program: toolPath("etcd", "server"), members: 3 });
  const controllers: SpokenProgram[] = [];
  const wanted = new Set<string>();
  let made = 0;
  let before: Held = new Map();
  const add = (name: string): void => {
    writeFileSync(join(manifests, `${name}.yaml`), manifest(service({ name })));
    wanted.add(`service/default/${name}`);
  };
  return {
    etcd,
    addMany: (count) =>
      Array.from({ length: count }, () => {
        made += 1;
        add(`web-${made}`);
        return `web-${made}`;
      }),
    add,
    remove: (name) => {
      rmSync(join(manifests, `${name}.yaml`));
      wanted.delete(`service/default/${name}`);
    },
    start: (name, leadS = LEASE_S) => {
      const listen = ["admin", "agents", "metrics"].map((at) => `--listen-${at}=127.0.0.1:0`);
      const store = [`--store=etcd:${etcd.urls.join(",")}`, `--leader-lease=${leadS}s`];
      const state = [`--source=${manifests}`, `--state-dir=${join(folder, name)}`];
      const pool = "--pool=default=192.0.2.0-192.0.3.255";
      const args = [...listen, ...store, ...state, pool, "--insecure"];
      const running = startSpoken(program("fairlead-controller"), args);
      controllers.push(running);
      return running;
    },
    settled: async () => {
      const held = await heldBy(etcd, (now) => {
        return now.size === wanted.size && [...wanted].every((claim) => now.has(claim));
      }).catch((error: unknown) => {
        const words = controllers.map((one) => one.words()).join("\n");
        throw new Error(`${String(error)}\n${words}`, { cause: error });
      });
      for (const [claim, address] of before) {
        if (held.has(claim)) assert.equal(held.get(claim), address, `${claim} was moved`);
      }
      before = held;
      return held;
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of controllers) await one[Symbol.asyncDispose]();
      await etcd[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits for what etcd holds; asks that member where one is named. */
export async function heldBy(
  etcd: EtcdCluster,
  isRight: (held: Held) => boolean,
  member?: EtcdMember,
): Promise<Held> {
  let seen = "";
  const look = async (): Promise<Held | undefined> => {
    try {
      const held = await readHeld(etcd, member);
      seen = [...held].join(" ");
      return isRight(held) ? held : undefined;
    } catch (error) {
      // While members elect a leader none of them answers for the whole cluster.
      if (!isEdgeError(error, "NO_ANSWER")) throw error;
      seen = String(error);
      return undefined;
    }
  };
  return await until(look, () => `held are ${seen}`);
}

/** Looks until something is found; `seen` says in words what was there instead. */
export async function until<T>(look: () => Promise<T | undefined>, seen: () => string): Promise<T> {
  const endMs = monotonicMs() + UNTIL_MS_MAX;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(monotonicMs() < endMs, `in vain; ${seen()}`);
    await clock.sleep(LOOK_EVERY_MS);
  }
}

/** What etcd holds. A claim with two addresses fails at once: no moment may have one. */
async function readHeld(etcd: EtcdCluster, member: EtcdMember | undefined): Promise<Held> {
  const held = new Map<string, string>();
  for (const { address, owners } of await leasesOf(etcd, member)) {
    assert.ok(owners.length <= 1, `${address} is held by ${JSON.stringify(owners)}`);
    for (const { claim } of owners) {
      assert.ok(!held.has(claim), `${claim} has ${address} and ${held.get(claim) ?? ""}`);
      held.set(claim, address);
    }
  }
  return held;
}

/** The rows of all addresses, free ones too; of that member where one is named. */
export async function leasesOf(
  etcd: EtcdCluster,
  member?: EtcdMember,
): Promise<readonly StoredLease[]> {
  const prefix = `${BASE}/store/leases/`;
  const rows = await etcd.keys(prefix, member);
  return rows.map(({ key, value }) => {
    const lease = JSON.parse(value) as StoredLease;
    assert.equal(key, `${prefix}${lease.address}`);
    return lease;
  });
}

/** Whose name stands in the key of the leader. */
export async function leadingOf(
  etcd: EtcdCluster,
  both: readonly SpokenProgram[],
): Promise<SpokenProgram> {
  return await until(
    async () => {
      const [key] = await etcd.keys(`${BASE}/leader`);
      if (key === undefined) return undefined;
      const { holder } = JSON.parse(key.value) as { readonly holder: string };
      return both.find((one) => one.words().includes(`identity=${holder}`));
    },
    () => both.map((one) => one.words()).join("\n"),
  );
}
