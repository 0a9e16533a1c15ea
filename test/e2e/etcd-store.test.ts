// Two controllers over a real etcd of three members, with allocations going on through whatever
// happens to it: its leader dies, its majority goes and comes, its history is compacted, a member
// freezes, and the controller that leads is killed, once and again and again. What is held is
// counted in etcd itself, by its own gateway: no claim has two addresses, none is moved, and none
// is held for nobody.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { type EtcdCluster, type EtcdMember, monotonicMs, startEtcdCluster } from "@fairlead/lab";
import { createSystemClock, isEdgeError } from "@fairlead/runtime";

import { toolPath } from "../tools/tool-path.ts";
import { killAgainAndAgain, type StoredLease } from "./stage/killed-controllers.ts";
import { manifest, service } from "./stage/manifests.ts";
import { type SpokenProgram, startSpoken } from "./stage/spoken-program.ts";
import { program } from "./stage/stage.ts";

const clock = createSystemClock();
const BASE = "/fairlead";
const LEASE_S = 3;
const AT_ONCE = 20;
const UNTIL_MS_MAX = 30_000;
const LOOK_EVERY_MS = 50;

/** By the claim that holds it: the address. */
type Held = ReadonlyMap<string, string>;

interface Stage extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  /** Adds that many Services; gives their names. */
  addMany(count: number): readonly string[];
  add(name: string): void;
  remove(name: string): void;
  start(name: string, leadS?: number): SpokenProgram;
  /** Waits until exactly the wanted claims hold addresses, none of them another one than before. */
  settled(): Promise<Held>;
}

async function makeStage(): Promise<Stage> {
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
async function heldBy(
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

async function until<T>(look: () => Promise<T | undefined>, seen: () => string): Promise<T> {
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

async function leasesOf(etcd: EtcdCluster, member?: EtcdMember): Promise<readonly StoredLease[]> {
  const prefix = `${BASE}/store/leases/`;
  const rows = await etcd.keys(prefix, member);
  return rows.map(({ key, value }) => {
    const lease = JSON.parse(value) as StoredLease;
    assert.equal(key, `${prefix}${lease.address}`);
    return lease;
  });
}

/** How often the controllers said that etcd is not there for them. */
function troubles(controllers: readonly SpokenProgram[]): number {
  const words = controllers.map((one) => one.words()).join("");
  return (
    words.match(/the store cannot be written|no longer leads|not known who leads/gu)?.length ?? 0
  );
}

/** Whose name stands in the key of the leader. */
async function leadingOf(
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

test("allocations go on through all that happens to an etcd of three members", async (context) => {
  await using stage = await makeStage();
  const { etcd } = stage;
  const startedMs = monotonicMs();
  const tell = (what: string): void => {
    context.diagnostic(`${what} after ${Math.round(monotonicMs() - startedMs)} ms`);
  };
  const first = stage.start("first");
  await first.until(/controller of epoch 1 serves/);
  const second = stage.start("second");
  await second.until(/stands by; \S+ leads/);
  stage.addMany(AT_ONCE);
  await stage.settled();
  tell("the first addresses were held");

  const leader = await etcd.leader();
  stage.addMany(AT_ONCE);
  await leader.kill();
  stage.addMany(AT_ONCE);
  await stage.settled();
  await leader.start();
  // The last write of a leader that was just then lost may have been all: one more needs a leader.
  stage.addMany(1);
  await stage.settled();
  tell("those of a dead leader were held");

  const [one, other] = etcd.members;
  const before = troubles([first, second]);
  await Promise.all([one?.kill(), other?.kill()]);
  const early = stage.addMany(AT_ONCE);
  await until(
    () => Promise.resolve(troubles([first, second]) > before ? true : undefined),
    () => `${first.words()}\n${second.words()}`,
  );
  await Promise.all([one?.start(), other?.start()]);
  await stage.settled();
  tell("those of a lost majority were held");

  await etcd.compact();
  for (const name of early.slice(0, AT_ONCE / 2)) stage.remove(name);
  await etcd.put(
    `${BASE}/vips/by-hand`,
    JSON.stringify({ port: 80, members: ["10.0.0.1:80"], address: "192.0.3.200" }),
  );
  const byHand = await heldBy(etcd, (held) => held.get("virtualip/default/by-hand") !== undefined);
  assert.equal(byHand.get("virtualip/default/by-hand"), "192.0.3.200");
  await etcd.remove(`${BASE}/vips/by-hand`);
  await stage.settled();
  tell("a VIP by hand came and went");

  const slow = await etcd.leader();
  await slow.freeze();
  stage.addMany(AT_ONCE);
  const beside = etcd.members.find((member) => member !== slow);
  const count = 5 * AT_ONCE + 1 - AT_ONCE / 2;
  await heldBy(etcd, (held) => held.size === count, beside);
  slow.resume();
  await stage.settled();
  tell("those beside a frozen member were held");

  const leading = await leadingOf(etcd, [first, second]);
  stage.addMany(AT_ONCE);
  leading.kill("SIGKILL");
  await leading.exit;
  stage.addMany(AT_ONCE);
  await stage.settled();
  tell("those of a killed controller were held");
});

test("a controller that is killed again and again over etcd keeps what it told, and leaks none", async () => {
  await using stage = await makeStage();
  const rows = (): Promise<readonly StoredLease[]> => leasesOf(stage.etcd);
  const mark = async (): Promise<string> => JSON.stringify(await rows());
  await killAgainAndAgain({ ...stage, rows, mark });
});
