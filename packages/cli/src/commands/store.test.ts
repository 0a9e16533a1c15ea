// What an operator sees of `fairlead store copy`: counts, refusals in four parts, and exit codes.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { EXIT } from "../exit-codes.ts";
import { runProgram } from "../program.ts";
import { storeCommand } from "./store.ts";

async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = "";
  let err = "";
  const context = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  };
  const code = await runProgram(["store", "copy", ...args], context, [storeCommand]);
  return { code, out, err };
}

test("copies are told with counts, and what keeps one from being made with what to do", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  const file = (name: string): string => join(folder, name);
  try {
    const missing = await run("--from", `sqlite:${file("a.db")}`, "--to", `sqlite:${file("b.db")}`);
    assert.equal(missing.code, EXIT.notFound);
    assert.match(missing.err, /why: {2}there is no store sqlite:.*a\.db\n.*do: {3}Name a store/s);
    assert.equal(existsSync(file("b.db")), false);

    writeFileSync(file("a.db"), "");
    const dry = await run(
      `--from=sqlite:${file("a.db")}`,
      `--to=sqlite:${file("b.db")}`,
      "--dry-run",
    );
    assert.deepEqual(dry, {
      code: EXIT.good,
      out: "would copy 0 leases, 0 lanes and 0 intents\n",
      err: "",
    });
    assert.equal(existsSync(file("b.db")), false);

    writeFileSync(file("c.db"), "x".repeat(5000));
    const bad = await run(`--from=sqlite:${file("c.db")}`, `--to=sqlite:${file("b.db")}`);
    assert.equal(bad.code, EXIT.refused);
    assert.match(bad.err, /no SQLite database.*code: UNUSABLE/s);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("it takes the controller's own settings file, which says how etcd is reached", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-store-"));
  try {
    const file = join(folder, "controller.yaml");
    writeFileSync(file, "source: /etc/fairlead\npools: []\netcdBase: /elsewhere\n");
    const from = `sqlite:${join(folder, "a.db")}`;
    const read = await run("--config", file, "--from", from, "--to=etcd:http://127.0.0.1:1");
    assert.equal(read.code, EXIT.notFound, read.err);
    writeFileSync(file, "sources: /etc/fairlead\n");
    const wrong = await run("--config", file, "--from", from, "--to=etcd:http://127.0.0.1:1");
    assert.equal(wrong.code, EXIT.usage);
    assert.match(wrong.err, /key "sources" in .*there is no such setting/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an etcd that cannot be reached is named with why and what to do, and ends with 3", async () => {
  const lost = await run("--from=etcd:http://127.0.0.1:1", "--to=etcd:http://127.0.0.1:2");
  assert.equal(lost.code, EXIT.unreachable);
  assert.match(lost.err, /why: {2}.*etcd at http:\/\/127.0.0.1:1: .*connect ECONNREFUSED/);
  assert.match(lost.err, /do: {3}See that the store runs.*code: UNREACHABLE/s);
  assert.doesNotMatch(lost.err, /waiting/);
});

test("all that is wrong with its flags is said at once, and help is good", async () => {
  const wrong = await run("--from", "/var/lib/x.db", "--too=1");
  assert.equal(wrong.code, EXIT.usage);
  for (const word of ["--from", "--to", "--too"]) assert.match(wrong.err, new RegExp(`${word}\\b`));
  const help = await run("--help");
  assert.equal(help.code, EXIT.good);
  assert.match(help.out, /Usage: fairlead store copy \[flags\]/);
});
