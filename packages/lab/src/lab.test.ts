// The lab against the real kernel: hosts hear each other, faults are what they say, and nothing is
// left behind, whoever dies. A machine that cannot have a lab fails here and says why.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openDoor } from "./door.ts";
import { createLab, type Lab, type LabOptions } from "./lab.ts";
import { startMember } from "./member-server.ts";
import { asNormalUser } from "./normal-user.ts";
import type { Host } from "./host.ts";
import { checkMachine } from "./preflight.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const isRoot = process.getuid?.() === 0;

const USERS: readonly { readonly name: string; readonly options: LabOptions }[] = [
  { name: "the caller", options: {} },
  ...(isRoot ? [{ name: "a normal user", options: asNormalUser(HERE) }] : []),
  ...(isRoot ? [{ name: "root in a user namespace", options: { userNamespace: true } }] : []),
];

for (const user of USERS) {
  test(`as ${user.name}: two hosts hear each other until something is between them`, async () => {
    await using lab = await createLab(user.options);
    const [a, b] = await addPair(lab);
    await assertHears(a, b.address);
    await assertHears(a, b.ipv6 ?? "");

    await b.cutLink();
    await assertDeaf(a, b.address);
    assert.equal(await carrier(b), "0");
    await b.healLink();
    await assertHears(a, b.address);

    await b.isolate();
    await assertDeaf(a, b.address);
    assert.equal(await carrier(b), "1", "a silent fault must not be seen by the host");
    await b.rejoin();
    await assertHears(a, b.address);

    const heal = await lab.partition(["lb-1"]);
    await assertDeaf(a, b.address);
    await heal();
    await assertHears(a, b.address);
  });

  test(`as ${user.name}: one protocol is lost and the others pass`, async () => {
    await using lab = await createLab(user.options);
    const [a, b] = await addPair(lab);
    const icmp = 1;
    await b.dropProtocol(icmp);
    await assertDeaf(a, b.address);
    await assertHears(a, b.ipv6 ?? "");
    await b.passProtocol(icmp);
    await assertHears(a, b.address);
    assert.deepEqual(lab.partitions(), [], "hosts that still hear VRRP are not parted");
    await b.dropProtocol(112);
    assert.deepEqual(lab.partitions()[0]?.hosts, ["lb-2"]);
    assert.equal(lab.partitions()[0]?.toMs, undefined);
    await b.passProtocol(112);
    assert.notEqual(lab.partitions()[0]?.toMs, undefined);
  });

  test(`as ${user.name}: orphans are reaped on the host and on the stage`, async () => {
    await using lab = await createLab(user.options);
    const [a] = await addPair(lab);
    await a.output("sh", ["-c", "true & sleep 0.02 & exit 0"]);
    await until(() => a.pids().length === 0, "no process is left on the host");
    const outer = await lab.onStage(["sh", "-c", "true & sleep 0.02 & exit 0"]);
    assert.equal(outer, "");
    const states = ["sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z ' || true"];
    await untilAsync(async () => (await lab.onStage(states)).trim() === "0", "no zombie is left");
  });

  test(`as ${user.name}: a crash ends all of a host but its folder`, async () => {
    await using lab = await createLab(user.options);
    const [a, b] = await addPair(lab);
    await b.output("ip", ["address", "add", "192.0.2.50/32", "dev", b.link]);
    await b.output("sh", ["-c", "echo kept > disk; echo lost > /run/memory"]);
    const boots = new Set([await bootOf(a), await bootOf(b)]);
    const program = await b.start("sleep", ["600"]);
    await b.cutLink();
    await b.isolate();
    await b.crash();
    assert.equal((await program.exited).signal, "SIGKILL");
    assert.equal(b.isUp(), false);
    await assertDeaf(a, b.address);
    await assert.rejects(b.exec("true"), { code: "GONE" });
    await b.boot();
    await assertHears(a, b.address);
    assert.equal(await b.readFile(`${b.dir}/disk`), "kept\n");
    assert.equal((await b.exec("test", ["-e", "/run/memory"])).code, 1);
    boots.add(await bootOf(b));
    assert.equal(boots.size, 3, "each boot of each host is known by an id of its own");
    const held = (await b.addresses()).map((one) => one.address);
    assert.ok(!held.includes("192.0.2.50"));
  });

  test(`as ${user.name}: disposing leaves no process`, async () => {
    const lab = await createLab(user.options);
    const [a] = await addPair(lab);
    await a.output("setsid", ["--fork", "sleep", "600"]);
    assert.ok(processesOf(lab.id).length >= 5);
    await lab[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
    assert.deepEqual(processesOf(lab.id), []);
  });

  const uid = user.options.identity === undefined ? "-" : String(user.options.identity.uid);
  for (const victim of ["the outer process", "the program that made the lab"]) {
    test(`as ${user.name}: kill -9 of ${victim} leaves nothing behind`, async () => {
      const child = spawn(process.execPath, [`${HERE}/test-lab/main.ts`, uid], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      // Killed whatever happens here: a child that lives on would keep the test's process.
      using _ = { [Symbol.dispose]: () => void child.kill("SIGKILL") };
      const lines = createInterface({ input: child.stdout });
      const made = JSON.parse((await lines[Symbol.asyncIterator]().next()).value ?? "{}") as {
        readonly id: string;
        readonly outerPid: number;
        readonly programPid: number;
      };
      // Its environment shows only once it has become the program that was asked for.
      await until(() => processesOf(made.id).includes(made.programPid), "the program runs");
      const victimPid = victim === "the outer process" ? made.outerPid : (child.pid ?? 0);
      process.kill(victimPid, "SIGKILL");
      await until(() => processesOf(made.id).length === 0, "all processes of the lab are gone");
    });
  }
}

test("seven hosts that are asked for at once all come up, and hear each other", async () => {
  await using lab = await createLab();
  const names = ["lb-1", "lb-2", "lb-3", "member-1", "member-2", "client", "control"];
  const hosts = await Promise.all(
    names.map((name, index) => lab.addHost(name, { address: `192.0.2.${11 + index}/24` })),
  );
  const [first, ...others] = hosts;
  assert.ok(first !== undefined);
  for (const other of others) await assertHears(first, other.address);
  assert.deepEqual(
    lab
      .hosts()
      .map((host) => host.name)
      .toSorted(),
    names.toSorted(),
  );
});

test("a host has its own name, /run, devices and environment", async () => {
  await using lab = await createLab();
  const [a] = await addPair(lab);
  assert.equal(await a.output("hostname"), "lb-1\n");
  assert.equal(await a.output("ls", ["/run"]), "host\n");
  assert.equal(await a.output("ls", ["/sys/class/net"]), "eth0\nlo\n");
  assert.equal(await a.output("pwd"), `${a.dir}\n`);
  assert.equal(await a.output("printenv", ["X"], { env: { X: "1" } }), "1\n");
  assert.equal(await a.output("cat", ["/proc/sys/net/ipv4/ip_nonlocal_bind"]), "1\n");
});

test("hosts come and go, and a host that cannot be is told why", async () => {
  await using lab = await createLab();
  const a = await lab.addHost("lb-1", { address: "192.0.2.11/24", gateway: "192.0.2.1" });
  assert.match(await a.output("ip", ["route"]), /^default via 192\.0\.2\.1 dev eth0/);
  await a.writeFile(`${a.dir}/disk`, "old");
  await assert.rejects(lab.addHost("lb-1", { address: "192.0.2.12/24" }), /already/);
  await assert.rejects(lab.addHost("LB 2; reboot", { address: "192.0.2.12/24" }), /bad name/);
  await assert.rejects(lab.addHost("lb-2", { address: "nonsense" }), { code: "COMMAND_FAILED" });
  await lab.removeHost("lb-1");
  assert.throws(() => lab.host("lb-1"), { code: "GONE" });
  const again = await lab.addHost("lb-1", { address: "192.0.2.11/24" });
  await assert.rejects(again.readFile(`${again.dir}/disk`), { code: "ENOENT" });
  assert.equal(await lab.onStage(["ls", "/run/hosts"]), "lb-1\nlb-2\n");
});

test("a machine without the programs is told what to install", () => {
  assert.throws(() => checkMachine("/nonexistent"), {
    code: "NOT_POSSIBLE",
    message: /misses unshare, .*nft: install it with "apt-get install util-linux .*nftables"/,
  });
});

for (const user of USERS) {
  test(`as ${user.name}: files of a host are written, read and removed`, async () => {
    await using lab = await createLab(user.options);
    const [a] = await addPair(lab);
    const path = `${a.dir}/a folder/it's "this".yaml`;
    await a.writeFile(path, "one\n");
    await a.writeFile(path, "two\n");
    assert.equal(await a.readFile(path), "two\n");
    assert.equal(await a.output("cat", [path]), "two\n");
    assert.deepEqual(readdirSync(a.outsidePath(`${a.dir}/a folder`)), [`it's "this".yaml`]);
    await a.removeFile(path);
    await a.removeFile(path);
    await assert.rejects(a.readFile(path), { code: "ENOENT" });
  });
}

test("a program is started, heard, written to and stopped", async () => {
  await using lab = await createLab();
  const [a] = await addPair(lab);
  const echo = await a.start("cat");
  echo.write("hello\n");
  assert.equal((await echo.waitForLine(/^hel(lo)$/, 5_000))[1], "lo");
  assert.deepEqual(a.pids(), [echo.pid]);
  assert.deepEqual(await echo.stop(), { code: undefined, signal: "SIGTERM", forced: false });
  const stubborn = await a.start("sh", ["-c", "trap '' TERM; echo up; while :; do read x; done"]);
  await stubborn.waitForLine(/^up$/, 5_000);
  assert.equal((await stubborn.stop("SIGTERM", 50)).forced, true);
  await assert.rejects(stubborn.waitForLine(/never/, 5_000), { code: "GONE" });
});

test("a program is frozen as a whole, runs on, and dies frozen", async () => {
  await using lab = await createLab();
  const [a] = await addPair(lab);
  const program = await a.start("sh", ["-c", "while read -r line; do echo got $line; done"]);
  for (let turn = 0; turn < 20; turn += 1) {
    await program.freeze();
    assert.match(await a.readFile(`/proc/${program.pid}/status`), /^State:\s+T/m);
    program.write(`${turn}\n`);
    program.resume();
    await program.waitForLine(new RegExp(`^got ${turn}$`), 5_000);
  }
  await program.freeze();
  assert.deepEqual(await program.stop("SIGKILL"), {
    code: undefined,
    signal: "SIGKILL",
    forced: false,
  });
});

test("a program that was told to run on is frozen again the moment after", async () => {
  await using lab = await createLab();
  const [a] = await addPair(lab);
  const program = await a.start("sh", ["-c", "while read -r line; do echo got $line; done"]);
  for (let turn = 0; turn < 50; turn += 1) {
    await program.freeze();
    program.resume();
  }
  await program.freeze();
  assert.match(await a.readFile(`/proc/${program.pid}/status`), /^State:\s+T/m);
  await program.freeze();
  program.resume();
  program.write("on\n");
  await program.waitForLine(/^got on$/, 5_000);
  await program.freeze();
  await lab[Symbol.asyncDispose]();
  assert.deepEqual(processesOf(lab.id), [], "and a lab ends with what is frozen in it");
});

for (const user of USERS) {
  test(`as ${user.name}: a door leads this program to a port of a host`, async () => {
    await using lab = await createLab(user.options);
    const [a, b] = await addPair(lab);
    await startMember(b, { tcpPorts: [8080] });
    await using door = await openDoor(a, { address: b.address, port: 8080 });
    const answer = async (): Promise<string> => {
      let text = "";
      const socket = connect({ path: door.path, allowHalfOpen: true });
      socket.end("GET / HTTP/1.0\r\n\r\n");
      for await (const chunk of socket) text += String(chunk);
      return text;
    };
    const answers = await Promise.all([answer(), answer(), answer()]);
    for (const text of answers) assert.match(text, /lb-2 8080 192\.0\.2\.11\n$/);
    // Nobody listens there: the connection ends, and the door stays.
    await using closed = await openDoor(a, { address: b.address, port: 8081 });
    const ended = once(connect({ path: closed.path }).resume(), "close");
    await ended;
    assert.match(await answer(), /^HTTP/);
  });
}

test("what a command says is never lost, and a command that hangs is ended", async () => {
  await using lab = await createLab();
  const [a] = await addPair(lab);
  for (let turn = 0; turn < 20; turn += 1) {
    const result = await a.exec("sh", ["-c", "echo out; echo err >&2; exit 3"]);
    assert.deepEqual(result, { code: 3, signal: undefined, stdout: "out\n", stderr: "err\n" });
  }
  assert.equal(await a.output("cat", [], { input: "x".repeat(300_000) }), "x".repeat(300_000));
  await assert.rejects(a.exec("sleep", ["600"], { timeoutMs: 50 }), { code: "DEADLINE" });
  await until(() => a.pids().length === 0, "the command that hung is gone");
  assert.equal((await a.exec("/no-such-program")).code, 127);
  await assert.rejects(a.output("false"), { code: "COMMAND_FAILED" });
});

async function addPair(lab: Lab): Promise<readonly [Host, Host]> {
  return Promise.all([
    lab.addHost("lb-1", { address: "192.0.2.11/24", ipv6: "2001:db8::11/64" }),
    lab.addHost("lb-2", { address: "192.0.2.12/24", ipv6: "2001:db8::12/64" }),
  ]);
}

async function assertHears(from: Host, address: string): Promise<void> {
  // A host that was asked for in vain is asked for again a second later.
  await from.output("ping", ["-n", "-c", "1", "-W", "3", address]);
}

async function assertDeaf(from: Host, address: string): Promise<void> {
  const result = await from.exec("ping", ["-n", "-c", "1", "-W", "0.3", address]);
  assert.equal(result.code, 1, `${from.name} must not hear ${address}`);
}

async function bootOf(host: Host): Promise<string> {
  return await host.output("cat", ["/proc/sys/kernel/random/boot_id"]);
}

async function carrier(host: Host): Promise<string> {
  return (await host.output("cat", ["/sys/class/net/eth0/carrier"])).trim();
}

/** All living processes of a lab, by the mark in their environment. Zombies count as gone. */
function processesOf(id: string): readonly number[] {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`FAIRLEAD_LAB=${id}`);
    } catch {
      return false;
    }
  });
}

const UNTIL_MS_MAX = 5_000;

async function untilAsync(holds: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + UNTIL_MS_MAX;
  while (!(await holds())) assert.ok(performance.now() < endMs, `waited too long until ${what}`);
}

/** Looks again and again, as there is no event for the end of a process that is not ours. */
async function until(holds: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + UNTIL_MS_MAX;
  while (!holds()) {
    assert.ok(performance.now() < endMs, `waited too long until ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
