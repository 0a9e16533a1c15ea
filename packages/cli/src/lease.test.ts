// Leases as an operator meets them: the commands against a controller in this process, with a real
// folder, a real store and no agent.

import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { runProgram } from "@fairlead/runtime";

import { EXIT } from "./exit-codes.ts";
import { openStage } from "./test-stage.ts";

test("leases are listed and described, and a held one is not released", async () => {
  await using stage = await openStage("api", "web");
  const listed = await stage.run("lease", "list", "--no-headers");
  assert.match(listed.out, /^192\.0\.2\.100 +lan +held +default\/api /);
  const one = await stage.run("lease", "describe", "192.0.2.101");
  assert.match(one.out, /^Owners: +default\/web 80\/TCP$/m);
  const held = await stage.run("lease", "release", "192.0.2.100");
  assert.equal(held.code, EXIT.refused);
  assert.match(held.err, /why: {2}192\.0\.2\.100 is held by default\/api since 20/);
  for (const [address, why] of [
    ["192.0.2.109", /it is free, or lies in no pool/],
    ["tomorrow", /is no address/],
    ["", /is no address/],
  ] as const) {
    for (const command of ["release", "describe"]) {
      const { code, err } = await stage.run("lease", command, address);
      assert.equal(code, EXIT.notFound);
      assert.match(err, why);
    }
  }
});

test("a file that cannot be written, or read, is said with what to do about it", async () => {
  await using stage = await openStage("web");
  const path = join(stage.root, "nowhere", "leases.json");
  const unwritten = await stage.run("lease", "export", path);
  assert.equal(unwritten.code, EXIT.bad);
  assert.match(unwritten.err, /cannot be written\n.*\n {2}do: {3}Name a file in a folder that is/);
  const unread = await stage.run("lease", "import", path);
  assert.equal(unread.code, EXIT.bad);
  assert.match(unread.err, /cannot be read\n.*\n {2}do: {3}Name a file that fairlead lease export/);
});

test("a folder in place of a file is said to be one", async () => {
  await using stage = await openStage("web");
  for (const command of ["export", "import"]) {
    const { code, err } = await stage.run("lease", command, stage.root);
    assert.equal(code, EXIT.bad);
    assert.match(err, /^ {2}why: {2}\S+: it is a folder: EISDIR/m);
  }
});

test("a file that is no JSON is said to be none, once", async () => {
  await using stage = await openStage("web");
  const file = join(stage.root, "leases.json");
  writeFileSync(file, "# leases");
  const { code, err } = await stage.run("lease", "import", file);
  assert.equal(code, EXIT.bad);
  assert.match(err, /^ {2}why: {2}\S.* is not valid JSON\n {2}do: /m);
  assert.equal(err.split("is not valid JSON").length, 2);
});

test("a file of leases stays whole until the next one is written, and a pipe is a pipe", async () => {
  await using stage = await openStage("web");
  const [file, before] = [join(stage.root, "leases.json"), join(stage.root, "before")];
  writeFileSync(file, "the leases of yesterday", { mode: 0o640 });
  linkSync(file, before);
  assert.equal((await stage.run("lease", "export", file)).code, EXIT.good);
  assert.equal(readFileSync(before, "utf8"), "the leases of yesterday");
  assert.match(readFileSync(file, "utf8"), /"192\.0\.2\.100"/);
  assert.equal(statSync(file).mode & 0o777, 0o640);
  const pipe = join(stage.root, "pipe");
  await runProgram({ command: "mkfifo", args: [pipe], timeoutMs: 5_000, maxOutputBytes: 100 });
  const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  assert.equal((await stage.run("lease", "export", pipe)).code, EXIT.good);
  const got = Buffer.alloc(10_000);
  assert.match(got.toString("utf8", 0, readSync(reader, got)), /"192\.0\.2\.100"/);
  closeSync(reader);
});

test("a deleted Service's address is quarantined, and free when an operator says so", async () => {
  await using stage = await openStage("web");
  rmSync(join(stage.root, "manifests", "web.yaml"));
  let said = await stage.run("lease", "release", "192.0.2.100");
  // The file's deletion is believed after a second look.
  while (said.code === EXIT.refused) said = await stage.run("lease", "release", "192.0.2.100");
  assert.equal(said.code, EXIT.good, said.err);
  assert.match(said.out, /^will: 192\.0\.2\.100 was default\/web's and is quarantined/);
  assert.match(said.out, /^done: 192\.0\.2\.100 is free$/m);
  assert.equal((await stage.run("lease", "list", "--no-headers")).out, "");
});

test("leases move from one install to another by a file, all of them or none", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-book-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "leases.json");
  {
    await using first = await openStage("aaa", "web");
    assert.equal((await first.run("lease", "export", file)).code, EXIT.good);
  }
  await using second = await openStage();
  const dry = await second.run("lease", "import", file, "--dry-run");
  assert.equal(dry.code, EXIT.good, dry.err);
  assert.match(dry.out, /^will: 192\.0\.2\.101: default\/web$/m);
  assert.equal((await second.run("lease", "list", "--no-headers")).out, "");
  const done = await second.run("lease", "import", file);
  assert.match(done.out, /^done: 2 of 2 leases came in; the others were here already$/m);
  const again = await second.run("lease", "import", file);
  assert.match(again.out, /^done: 0 of 2 leases came in; the others were here already$/m);
  const nothing = await second.run("lease", "import", file, "--dry-run");
  assert.equal(nothing.out, "will: nothing changes; all 2 leases of the file are here already\n");
  const listed = await second.run("lease", "list", "--no-headers");
  assert.match(listed.out, /^192\.0\.2\.101 +lan +held +default\/web /m);
});

test("a file that clashes with what is here changes nothing, and all is said at once", async () => {
  await using stage = await openStage("web");
  const exported = await stage.run("lease", "export");
  const file = join(stage.root, "leases.json");
  const elsewhere = exported.out
    .replaceAll("service/default/web", "service/default/other")
    .replace(
      '"leases": [',
      '"leases": [{"address":"198.51.100.1","pool":"lan","state":"held","lastClaim":"service/a/b",' +
        '"owners":[{"claim":"service/a/b","uid":"u","ports":["80/TCP"]}],"sinceMs":"1"},',
    );
  writeFileSync(file, elsewhere);
  const refused = await stage.run("lease", "import", file);
  assert.equal(refused.code, EXIT.refused);
  assert.match(refused.err, /192\.0\.2\.100 is held by default\/web/);
  assert.match(refused.err, /198\.51\.100\.1 lies in no pool that is used/);
  writeFileSync(file, "{");
  assert.equal((await stage.run("lease", "import", file)).code, EXIT.bad);
  writeFileSync(file, readFileSync(file, "utf8").replace("{", '{ "version": 7 }'));
  const newer = await stage.run("lease", "import", file);
  assert.match(newer.err, /version 7, and 1 is read here/);
});

test("an agent is forgotten on an operator's word alone", async () => {
  await using stage = await openStage("web");
  const wordless = await stage.run("agents", "forget", "lb1");
  assert.equal(wordless.code, EXIT.usage);
  assert.match(wordless.err, /--i-have-powered-it-off/);
  const unknown = await stage.run("agents", "forget", "lb1", "--i-have-powered-it-off");
  assert.equal(unknown.code, EXIT.notFound);
});

test("a wrong line below a command does nothing and is said", async () => {
  await using stage = await openStage("web");
  const wrong = await stage.run("lease", "release", "192.0.2.100", "--force");
  assert.equal(wrong.code, EXIT.usage);
  assert.match(wrong.err, /--force/);
});
