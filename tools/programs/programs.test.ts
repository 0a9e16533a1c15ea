// The builder of test programs: its key follows from everything that matters, it builds once also
// for two processes at a time, a failed build leaves nothing, and it says what is wrong with Go.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { linkerFlags, moduleNames } from "./build-programs.mjs";
import { goProblem, goRefusal } from "./go-version.mjs";
import { programKey, programsFolder } from "./program-path.mjs";

const MODULE = { name: "grpcurl", goMod: "go 1.24", goSum: "a", goVersion: "go1.26.8 linux/amd64" };

test("the key changes with each thing that the program is made of, and with nothing else", () => {
  const variants = [{ goMod: "go 1.25" }, { goSum: "b" }, { goVersion: "go1.27 linux/amd64" }];
  const keys = [{}, ...variants].map((change) => programKey({ ...MODULE, ...change }));
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(programKey({ ...MODULE }), keys[0]);
  assert.match(keys[0] ?? "", /^grpcurl-[0-9a-f]{16}$/);
  // Moving text from one file to the next is a change, too.
  const moved = { ...MODULE, goMod: `${MODULE.goMod}a`, goSum: "" };
  assert.notEqual(programKey(moved), keys[0]);
});

test("programs are kept in the user's cache, or where FAIRLEAD_TEST_ASSETS says", () => {
  assert.equal(programsFolder({ HOME: "/home/eve" }), "/home/eve/.cache/fairlead/tools");
  assert.equal(programsFolder({ HOME: "/home/eve", FAIRLEAD_TEST_ASSETS: "/a" }), "/a");
});

const versions = [
  { found: "go1.26.8 linux/amd64", wanted: "go 1.25.0", says: undefined },
  { found: "go1.25 linux/amd64", wanted: "go 1.25.0", says: undefined },
  { found: "go2.0 linux/amd64", wanted: "go 1.25.0", says: undefined },
  { found: "devel go1.27-abc linux/amd64", wanted: "go 1.25.0", says: undefined },
  {
    found: "go1.19.8 linux/amd64",
    wanted: "go 1.25.0",
    says: /Go 1\.19 is too old: 1\.25 or newer/,
  },
];
for (const { found, wanted, says } of versions) {
  test(`${found} for a module that wants ${wanted}`, () => {
    const problem = goProblem(found, `module x\n\n${wanted}\n`);
    if (says === undefined) assert.equal(problem, undefined);
    else assert.match(problem ?? "", says);
  });
}

test("a module may ask for a version to be linked in, in its go.mod", () => {
  assert.equal(linkerFlags("module x\n\ngo 1.25.0\n"), "-s -w");
  assert.equal(linkerFlags("//ldflags: -X a.b=v1\nmodule x\n"), "-s -w -X a.b=v1");
});

test("a missing Go and a broken one are told apart", () => {
  const missing = Object.assign(new Error("spawn go ENOENT"), { code: "ENOENT" });
  assert.match(goRefusal(missing).message, /Go is missing.*Install Go/);
  assert.match(goRefusal(new Error("exit 2")).message, /Go does not work: exit 2/);
});

test("two at a time build once, and the third finds it built", async () => {
  using place = createPlace(
    'for p in "$@"; do case $p in /*) echo program >"$p/grpcurl" ;; esac; done',
  );
  assert.deepEqual(await Promise.all([place.ensure(), place.ensure()]), [0, 0]);
  assert.equal(await place.ensure(), 0);
  assert.equal(place.builds(), moduleNames().length);
  const left = readdirSync(place.cache).filter((name) => name !== "lock");
  assert.equal(left.length, moduleNames().length, left.join(" "));
});

test("a failed build leaves nothing that looks built", async () => {
  using place = createPlace("echo proxy.golang.org is out of reach >&2; exit 1");
  assert.equal(await place.ensure(), 1);
  assert.deepEqual(readdirSync(place.cache), ["lock"]);
});

interface Place extends Disposable {
  readonly cache: string;
  /** Runs the builder in a process of its own; answers with its exit code. */
  readonly ensure: () => Promise<number | null>;
  /** How often Go was told to build. */
  readonly builds: () => number;
}

/** A machine with a Go that does what `onBuild` says when it is told to build. */
function createPlace(onBuild: string): Place {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-programs-"));
  const log = join(folder, "log");
  mkdirSync(join(folder, "bin"));
  const go =
    "#!/bin/sh\n" +
    'if [ "$1" = version ]; then echo "go version go1.99.0 linux/amd64"; exit 0; fi\n' +
    `echo "$*" >>"${log}"\n${onBuild}\n`;
  writeFileSync(join(folder, "bin/go"), go, { mode: 0o755 });
  const url = JSON.stringify(new URL("build-programs.mjs", import.meta.url).href);
  const code = `import { ensurePrograms } from ${url}; await ensurePrograms(process.env);`;
  const cache = join(folder, "cache");
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    HOME: folder,
    FAIRLEAD_TEST_ASSETS: cache,
  };
  return {
    cache,
    ensure: async () => {
      const args = ["--input-type=module", "-e", code];
      const child = spawn(process.execPath, args, { env, stdio: "ignore" });
      const [exitCode] = (await once(child, "exit")) as [number | null];
      return exitCode;
    },
    builds: () => readFileSync(log, "utf8").trimEnd().split("\n").length,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
