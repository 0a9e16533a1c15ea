// The command as an operator starts it: exit codes, words on standard error, signals, kill -9.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const WAIT_MS = 20_000;

interface Running extends AsyncDisposable {
  /** Resolves when standard error holds this. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Exit code (null for a signal) and all that was written. */
  ended(): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function run(...args: readonly string[]): Running {
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    child.emit("said");
  });
  const closed = once(child, "close");
  return {
    says: async (pattern) => {
      const signal = AbortSignal.timeout(WAIT_MS);
      while (!pattern.test(err)) await Promise.race([once(child, "said", { signal }), gone()]);
    },
    kill: (signal) => void child.kill(signal),
    ended: async () => {
      await closed;
      return { code: child.exitCode, out, err };
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };

  async function gone(): Promise<never> {
    await closed;
    throw new Error(`it ended with ${child.exitCode}: ${err}`);
  }
}

interface Stage extends Disposable {
  readonly folder: string;
  readonly args: readonly string[];
}

function makeStage(): Stage {
  const root = mkdtempSync(join(tmpdir(), "fairlead-program-"));
  const folder = join(root, "manifests");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "web.yaml"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n" +
      "spec: {type: LoadBalancer, ports: [{port: 80}]}\n",
  );
  const listen = ["agents", "metrics", "admin", "rest"].map(
    (name) => `--listen-${name}=127.0.0.1:0`,
  );
  const state = `--state-dir=${join(root, "state")}`;
  const args = ["--insecure", `--source=${folder}`, state, "--pool=lan=192.0.2.0/24", ...listen];
  return { folder, args, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

suite("fairlead-controller", () => {
  test("ends as asked while it waits for a folder, and has said what it waits for", async () => {
    using stage = makeStage();
    rmSync(stage.folder, { recursive: true });
    await using program = run(...stage.args);
    await program.says(/SourceUnreadable/u);
    program.kill("SIGTERM");
    const { code, err } = await program.ended();
    assert.equal(code, 0, err);
  });

  test("says all that is wrong with its flags and exits with 2", async () => {
    await using program = run("--pool", "nonsense");
    const { code, err, out } = await program.ended();
    assert.equal(code, 2);
    assert.equal(out, "");
    for (const part of [/^--source: /mu, /^--insecure: /mu, /^--pool "nonsense": /mu]) {
      assert.match(err, part);
    }
  });

  test("explains itself and exits with 0", async () => {
    await using program = run("--help");
    const { code, out, err } = await program.ended();
    assert.equal(code, 0);
    assert.equal(err, "");
    assert.match(out, /^Usage: fairlead-controller/mu);
    assert.ok(out.split("\n").every((line) => line.length <= 100));
  });

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`warns that it is insecure, serves, and ends well on ${signal}`, async () => {
      using stage = makeStage();
      await using program = run(...stage.args);
      await program.says(/controller of epoch 1 serves/);
      program.kill(signal);
      const { code, err } = await program.ended();
      assert.equal(code, 0);
      assert.match(err, /INSECURE/);
    });
  }

  test("refuses to run beside another one, says who that is, and exits with 1", async () => {
    using stage = makeStage();
    await using first = run(...stage.args);
    await first.says(/serves/);
    await using second = run(...stage.args);
    const { code, err } = await second.ended();
    assert.equal(code, 1);
    assert.match(err, /another controller has it: process \d+ on .*; stop the other .*\[BUSY\]$/mu);
  });

  test("refuses a damaged store, says how to go on, and touches nothing", async () => {
    using stage = makeStage();
    const path = join(stage.folder, "..", "store.db");
    writeFileSync(path, "x".repeat(5000));
    await using program = run(...stage.args, "--store", `sqlite:${path}`);
    const { code, err } = await program.ended();
    assert.equal(code, 1);
    assert.match(
      err,
      /no SQLite database.*; nothing was changed; put a copy back, .*\[CORRUPT\]$/mu,
    );
    assert.equal(readFileSync(path, "utf8"), "x".repeat(5000));
  });

  test("names an etcd that is not there, without its user's password", async () => {
    using stage = makeStage();
    const urls = ["http://lb:s3cr3t@127.0.0.1:9", "http://lb:s3cr3t@127.0.0.1:10"];
    // Over an etcd there is nothing that REST could serve.
    const args = stage.args.filter((arg) => !arg.startsWith("--listen-rest"));
    await using program = run(...args, "--store", `etcd:${urls.join(",")}`);
    await program.says(/it is not known who leads .*127\.0\.0\.1:9.*127\.0\.0\.1:10/);
    program.kill("SIGTERM");
    const { code, err, out } = await program.ended();
    assert.equal(code, 0, err);
    assert.doesNotMatch(err + out, /s3cr3t/);
  });

  test("starts again at once after kill -9", async () => {
    using stage = makeStage();
    for (const epoch of [1, 2, 3]) {
      await using program = run(...stage.args);
      await program.says(new RegExp(`controller of epoch ${epoch} serves`));
      program.kill("SIGKILL");
      await program.ended();
    }
  });

  test("names a port that is taken", async () => {
    using stage = makeStage();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const place = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const args = stage.args.filter((arg) => !arg.startsWith("--listen-metrics"));
    await using program = run(...args, "--listen-metrics", place);
    const { code, err } = await program.ended();
    other.close();
    assert.equal(code, 1);
    assert.ok(err.includes(`cannot listen on ${place} of --listen-metrics: `), err);
    assert.match(
      err,
      new RegExp(` \\(pid ${process.pid}\\) holds the port; stop it.*TAKEN\\]$`, "mu"),
    );
  });
});
