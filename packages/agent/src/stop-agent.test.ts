// What `fairlead-agent stop` does where the folders are wrong, where all was ended before, and
// where an address stays: an operator reboots the host by its exit code.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtempDisposable, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { parseDeviceName, present } from "@fairlead/model";
import {
  type Clock,
  createFakeClock,
  createLogger,
  createSystemClock,
  runProgram,
} from "@fairlead/runtime";
import { address } from "@fairlead/testkit";

import { agentPidFile, claimRunDir } from "./agent-pid.ts";
import { dataPlaneLayout } from "./data-plane-layout.ts";
import { createLedger } from "./ledger.ts";
import { lookAt } from "./liveness/process-look.ts";
import type { Kernel, KernelAddress, LedgerEntry } from "./ports.ts";
import { findStopPlaces } from "./stop-places.ts";
import { stopAgent } from "./withdraw.ts";

const link = present(parseDeviceName("eth0"), "a device name");
const VIP = address("192.0.2.100");
const LANE_VIP = address("192.0.2.101");
const ENTRY: LedgerEntry = { address: VIP, link, foreign: false, added: true };
const HERE: KernelAddress = { address: VIP, link, prefixLength: 32 };
const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

interface Folders extends AsyncDisposable {
  readonly runDir: string;
  readonly stateDir: string;
}

async function makeFolders(): Promise<Folders> {
  const folder = await mkdtempDisposable(join(tmpdir(), "fairlead-stop-"));
  return {
    runDir: join(folder.path, "run"),
    stateDir: join(folder.path, "state"),
    [Symbol.asyncDispose]: () => folder.remove(),
  };
}

/** An agent was here: its data plane had a plan, and its ledger has an address. */
async function leaveTraces(
  runDir: string,
  ledgerDir: string,
  entry: LedgerEntry = ENTRY,
): Promise<void> {
  const { serviceDir, keepalived } = dataPlaneLayout(runDir);
  await mkdir(serviceDir, { recursive: true });
  await mkdir(dirname(keepalived.config), { recursive: true });
  await writeFile(keepalived.config, "");
  await mkdir(ledgerDir, { recursive: true });
  await createLedger({ path: join(ledgerDir, "ledger"), bootId: "b" }).save([entry]);
}

interface How {
  /** The host keeps its addresses. */
  readonly isStuck?: boolean;
  readonly withdraws?: boolean;
  readonly clock?: Clock;
  /** The kernel does not answer who is connected. */
  readonly isMute?: boolean;
}

/** Withdraws, unless it is told otherwise; with what is done to the host. */
async function withdraw(folders: Folders, done: string[], how: How = {}): Promise<void> {
  const { isStuck = false, isMute = false, withdraws = true, clock = createFakeClock() } = how;
  const places = await findStopPlaces(folders);
  const here = new Set([HERE]);
  const view = async (): ReturnType<Kernel["view"]> => ({ links: [], addresses: [...here] });
  const note = (what: string) => async () => void done.push(what);
  await stopAgent({
    layout: dataPlaneLayout(folders.runDir),
    places,
    kernel: {
      view,
      lastView: view,
      putAddress: async () => undefined,
      routeLength: async () => undefined,
      removeAddress: async (one) => {
        done.push(`address ${one.address}`);
        return !isStuck && here.delete(HERE);
      },
      onChange: () => ({ [Symbol.dispose]: () => undefined }),
      [Symbol.asyncDispose]: async () => undefined,
    },
    ledger: isStuck
      ? { load: async () => [ENTRY], save: async () => undefined }
      : createLedger({ path: places.ledgerPath, bootId: "b" }),
    supervisor: { ensure: async () => undefined, end: note("daemons") },
    guard: { remove: note("guard") },
    connections: {
      end: async (addresses) => {
        if (isMute) throw new Error("no answer");
        return done.push(`connections ${addresses.join(" ")}`);
      },
    },
    forgetTables: note("members"),
    clock,
    log: createLogger({ level: "silent", format: "text" }),
    withdraws,
  });
}

/** Connections are ended while nginx lives, and not before the address is gone. */
const ALL = ["address 192.0.2.100", "connections 192.0.2.100", "daemons", "guard", "members"];

test("a stop with another run directory touches nothing, fails and says which folder", async () => {
  await using folders = await makeFolders();
  const { runDir } = folders;
  for (const how of [["--withdraw"], []]) {
    const args = [MAIN, "stop", ...how, `--run-dir=${runDir}`, `--state-dir=${folders.stateDir}`];
    const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000 };
    const result = await runProgram({ command: process.execPath, args, ...limits });
    assert.equal(result.code, 1);
    const said = result.stdout + result.stderr;
    assert.match(said, /no agent and no data plane is in \S+\/run: --run-dir names it/);
    assert.equal(existsSync(runDir), false);
  }
});

test("a stop takes the agent's own settings file, which names its folders", async () => {
  await using folders = await makeFolders();
  const { runDir, stateDir } = folders;
  const file = join(dirname(runDir), "agent.yaml");
  const lines = [`runDir: ${runDir}`, `stateDir: ${stateDir}`, "controller: [192.0.2.1:7702]"];
  await writeFile(file, `${lines.join("\n")}\ninsecure: true\n`);
  const args = [MAIN, "stop", "--config", file];
  const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000 };
  const { code, stdout, stderr } = await runProgram({ command: process.execPath, args, ...limits });
  assert.equal(code, 1, stderr);
  assert.ok((stdout + stderr).includes(`no agent and no data plane is in ${runDir}: --run-dir`));
});

test("a stop that is written wrong names its own help, which has its flags", async () => {
  const args = [MAIN, "stop", "--withdrow"];
  const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000 };
  const result = await runProgram({ command: process.execPath, args, ...limits });
  assert.equal(result.code, 2);
  assert.match(result.stderr, /^flag "--withdrow": .*\nSee fairlead-agent stop --help\.\n$/);
});

test("a stop with another state directory is refused while the host may hold addresses", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, join(folders.stateDir, "elsewhere"));
  const done: string[] = [];
  await assert.rejects(withdraw(folders, done), {
    code: "NO_LEDGER",
    message:
      /no ledger is in \S+, nor in \S+\/agent as fairlead run keeps it: --state-dir names it/,
  });
  assert.deepEqual(done, []);
});

test("it is refused also where the last lane has left, and only other addresses may be", async () => {
  await using folders = await makeFolders();
  const { keepalived } = dataPlaneLayout(folders.runDir);
  await leaveTraces(folders.runDir, join(folders.stateDir, "elsewhere"));
  await writeFile(keepalived.incarnation, "");
  await rm(keepalived.config);
  const done: string[] = [];
  await assert.rejects(withdraw(folders, done), { code: "NO_LEDGER" });
  assert.deepEqual(done, []);
});

test("an agent that never had a plan has no ledger, and is ended", async () => {
  await using folders = await makeFolders();
  await mkdir(dataPlaneLayout(folders.runDir).serviceDir, { recursive: true });
  const done: string[] = [];
  await withdraw(folders, done);
  assert.deepEqual(done, ALL.slice(2));
});

test("what fairlead run kept on exit is withdrawn with the flags of the run", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, join(folders.stateDir, "agent"));
  const done: string[] = [];
  await withdraw(folders, done);
  assert.deepEqual(done, ALL);
});

test("a second withdrawal takes nothing off the host, where another agent may be by now", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, folders.stateDir);
  const done: string[] = [];
  await withdraw(folders, done);
  await withdraw(folders, done);
  assert.deepEqual(done, ALL);
  // An agent came back, and died without a word.
  await (await claimRunDir(folders.runDir))[Symbol.asyncDispose]();
  await leaveTraces(folders.runDir, folders.stateDir);
  await withdraw(folders, done);
  assert.deepEqual(done, [...ALL, ...ALL]);
});

test("a withdrawal after which the host still holds an address fails and names it", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, folders.stateDir);
  const done: string[] = [];
  const held = { code: "HELD", message: "this host still holds 192.0.2.100" };
  await assert.rejects(withdraw(folders, done, { isStuck: true }), held);
  // It is tried again, and not taken for done.
  await assert.rejects(withdraw(folders, done, { isStuck: true }), held);
  assert.deepEqual(done, [...ALL, ...ALL]);
});

test("clients of a lane that was given up waited for ever; they are reset while nginx lives", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, folders.stateDir, { address: LANE_VIP, link, foreign: false });
  const done: string[] = [];
  await withdraw(folders, done);
  const [first, ...rest] = done;
  assert.equal(first, `connections ${LANE_VIP}`, "before the agent is ended");
  assert.deepEqual(rest, [`connections ${LANE_VIP}`, ...ALL.slice(2)]);
});

test("a kernel that ends no connections keeps no host from being freed", async () => {
  await using folders = await makeFolders();
  await leaveTraces(folders.runDir, folders.stateDir);
  const done: string[] = [];
  await withdraw(folders, done, { isMute: true });
  assert.deepEqual(done, [ALL[0], ...ALL.slice(2)]);
});

/** An agent that writes down, when it is told to end, what it finds in its run directory. */
const LOOKS = `const { readdirSync, writeFileSync } = require("node:fs");
const [runDir] = process.argv.slice(1);
process.on("SIGTERM", () => {
  writeFileSync(runDir + "/seen", readdirSync(runDir).join("\\n"));
  process.exit(0);
});
setInterval(() => undefined, 60_000);
console.log("ready");`;

for (const withdraws of [true, false]) {
  const how = withdraws ? "is withdrawn finds that noted" : "is stopped finds no note";
  test(`an agent that ${how} when it is told to end`, async () => {
    await using folders = await makeFolders();
    const { runDir } = folders;
    await leaveTraces(runDir, folders.stateDir);
    const agent = spawn(process.execPath, ["-e", LOOKS, runDir]);
    try {
      await once(agent.stdout, "data");
      const { startTicks } = present(lookAt(present(agent.pid, "it runs")), "it lives");
      await writeFile(agentPidFile(runDir), `${agent.pid} ${startTicks}\n`);
      await withdraw(folders, [], { withdraws, clock: createSystemClock() });
      const seen = (await readFile(join(runDir, "seen"), "utf8")).split("\n");
      assert.equal(seen.includes("withdrawing"), withdraws);
      assert.equal(existsSync(join(runDir, "withdrawing")), false, "and nothing is left of it");
    } finally {
      agent.kill("SIGKILL");
    }
  });
}

/** An agent that has let its run directory go, and takes a while to be gone. */
const LINGERS = `const { rmSync } = require("node:fs");
const [pidFile] = process.argv.slice(1);
process.on("SIGTERM", () => {
  rmSync(pidFile);
  setTimeout(() => process.exit(0), 300);
});
setInterval(() => undefined, 60_000);
console.log("ready");`;

test("an agent that has let its run directory go is waited for until its process is gone", async () => {
  await using folders = await makeFolders();
  const { runDir } = folders;
  await leaveTraces(runDir, folders.stateDir);
  const pidFile = agentPidFile(runDir);
  const agent = spawn(process.execPath, ["-e", LINGERS, pidFile]);
  try {
    await once(agent.stdout, "data");
    const pid = present(agent.pid, "it runs");
    const { startTicks } = present(lookAt(pid), "it lives");
    await writeFile(pidFile, `${pid} ${startTicks}\n`);
    await withdraw(folders, [], { clock: createSystemClock() });
    assert.equal(existsSync(pidFile), false);
    assert.equal(lookAt(pid), undefined);
  } finally {
    agent.kill("SIGKILL");
  }
});
