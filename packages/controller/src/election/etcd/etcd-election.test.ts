// The election over a real etcd: one leads at a time, through ends, silences, hands that delete the
// key, and hangs. The lease time is the shortest that etcd keeps where the test waits for its end;
// elsewhere it is so long that no slow machine loses a lead by chance.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Clock, createSystemClock } from "@fairlead/runtime";
import { type EtcdPlace, shareEtcd } from "@fairlead/testkit";

import { toolPath } from "../../../../../test/tools/tool-path.ts";
import { connectStore } from "../../etcd/connect-store.ts";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import type { Election } from "../../ports.ts";
import { createEtcdElection } from "./etcd-election.ts";

const LEASE_MS = 2000;
const LONG_LEASE_MS = 6000;
const WAIT_MS_MAX = 20_000;
/** What comes about while it lasts is not by its end. */
const ENDLESS_MS = 3 * WAIT_MS_MAX;

const place = shareEtcd(toolPath("etcd", "server"));

interface Candidate extends AsyncDisposable {
  readonly election: Election;
  /** What it was told, and when by the machine's clock. */
  readonly told: readonly { readonly what: "lead" | "lost"; readonly atMs: number }[];
  until(what: "lead" | "lost", times?: number): Promise<void>;
  untilView(isSo: () => boolean): Promise<void>;
  /** Nothing that it asks is answered any more. */
  cutOff(): void;
  /** Its clock goes on by so much while it does nothing. */
  hang(ms: number): void;
}

interface CandidateOptions {
  /** Default: 2000. */
  readonly leaseMs?: number;
  /** No timer of it ever runs: it acts on what it is told alone. Default: false. */
  readonly isTimeless?: boolean;
}

interface Stage extends EtcdPlace {
  candidate(name: string, options?: CandidateOptions): Promise<Candidate>;
}

async function makeStage(): Promise<Stage> {
  const at = await place();
  return { ...at, candidate: (name, options) => startCandidate(at, name, options) };
}

async function startCandidate(
  { store, base }: EtcdPlace,
  name: string,
  { leaseMs = LEASE_MS, isTimeless = false }: CandidateOptions = {},
): Promise<Candidate> {
  const machine = createSystemClock();
  let aheadMs = 0;
  const clock: Clock = {
    ...machine,
    nowMs: () => machine.nowMs() + aheadMs,
    ...(isTimeless ? { setTimer: () => ({ cancel: () => undefined }) } : {}),
  };
  const real = connectStore(store, clock);
  let isCutOff = false;
  const client = cuttable(real, () => isCutOff);
  const told: { what: "lead" | "lost"; atMs: number }[] = [];
  const looks = new Set<() => void>();
  const look = (): void => {
    for (const one of looks) one();
  };
  const election = createEtcdElection({
    client,
    base,
    clock,
    random: () => 0.5,
    identity: name,
    leaseMs,
  });
  const tell = (what: "lead" | "lost"): void => {
    told.push({ what, atMs: machine.nowMs() });
    look();
  };
  await election.start({ onLead: () => tell("lead"), onLost: () => tell("lost"), onChange: look });
  const untilView = async (isSo: () => boolean): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      reject(new Error(`${name} in vain: ${JSON.stringify({ told, view: election.view() })}`));
    }, WAIT_MS_MAX);
    const one = (): void => {
      if (isSo()) resolve();
    };
    looks.add(one);
    one();
    await promise.finally(() => clearTimeout(timer));
    looks.delete(one);
  };
  return {
    election,
    told,
    untilView,
    until: (what, times = 1) =>
      untilView(() => told.filter((one) => one.what === what).length >= times),
    cutOff: () => {
      isCutOff = true;
    },
    hang: (ms) => {
      aheadMs += ms;
    },
    [Symbol.asyncDispose]: async () => {
      await election[Symbol.asyncDispose]();
      real[Symbol.dispose]();
    },
  };
}

function cuttable(client: EtcdClient, isCutOff: () => boolean): EtcdClient {
  const never = (): Promise<never> => new Promise(() => undefined);
  return {
    ...client,
    list: (prefix) => (isCutOff() ? never() : client.list(prefix)),
    transact: (wanted) => (isCutOff() ? never() : client.transact(wanted)),
    keepLease: (lease) => (isCutOff() ? never() : client.keepLease(lease)),
    revokeLease: (lease) => (isCutOff() ? never() : client.revokeLease(lease)),
  };
}

const at = ({ told }: Candidate, what: "lead" | "lost"): number =>
  told.findLast((one) => one.what === what)?.atMs ?? Number.NaN;

test("one leads, and a standby takes over when that one ends, without any time passing", async () => {
  const stage = await makeStage();
  await using first = await stage.candidate("first", { leaseMs: ENDLESS_MS });
  assert.equal(first.election.view().leads, true);
  const told = { leaseMs: ENDLESS_MS, isTimeless: true };
  await using second = await stage.candidate("second", told);
  assert.deepEqual(second.election.view(), { leads: false, holder: "first" });
  await first.election[Symbol.asyncDispose]();
  await second.until("lead");
  assert.deepEqual(second.election.view(), { leads: true, holder: "second" });
});

test("one that is cut off stops leading by itself before another one leads", async () => {
  const stage = await makeStage();
  await using first = await stage.candidate("first");
  await using second = await stage.candidate("second");
  first.cutOff();
  await second.until("lead");
  await first.until("lost");
  assert.ok(at(first, "lost") < at(second, "lead"), JSON.stringify([first.told, second.told]));
  assert.equal(first.election.view().leads, false);
});

test("one that hung does not lead when it wakes, and has its key again", async () => {
  const stage = await makeStage();
  await using first = await stage.candidate("first", { leaseMs: LONG_LEASE_MS });
  first.hang(LONG_LEASE_MS);
  assert.equal(first.election.view().leads, false, "known without waiting for anything");
  await first.until("lead", 2);
  assert.deepEqual(
    first.told.map(({ what }) => what),
    ["lead", "lost", "lead"],
  );
  assert.equal((await stage.etcd.keys(`${stage.base}/leader`)).length, 1);
});

test("a key that somebody deletes is the next one's, and the first learns it by its renewal", async () => {
  const stage = await makeStage();
  await using first = await stage.candidate("first", { leaseMs: LONG_LEASE_MS });
  await using second = await stage.candidate("second", { leaseMs: LONG_LEASE_MS });
  await stage.etcd.remove(`${stage.base}/leader`);
  await second.until("lead");
  await first.untilView(() => !first.election.view().leads);
  await first.untilView(() => first.election.view().holder === "second");
  assert.equal(second.election.view().leads, true);
});

test("a key that nobody of ours wrote is respected, and etcd out of reach is said", async () => {
  const stage = await makeStage();
  await stage.etcd.put(`${stage.base}/leader`, "keep out");
  await using first = await stage.candidate("first");
  assert.deepEqual(first.election.view(), { leads: false, holder: "somebody who left no name" });
  await stage.etcd.remove(`${stage.base}/leader`);
  await first.until("lead");
  const [member] = stage.etcd.members;
  await member?.kill();
  await first.until("lost");
  await first.untilView(() => first.election.view().trouble !== undefined);
  assert.match(first.election.view().trouble ?? "", /etcd at http.*no member answers/);
  await member?.start();
  await first.until("lead", 2);
  assert.equal(first.election.view().trouble, undefined);
});
