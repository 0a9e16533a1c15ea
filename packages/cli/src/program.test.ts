// What an operator sees who mistypes a command line.

import assert from "node:assert/strict";
import { test } from "node:test";

import { VERSION } from "@fairlead/runtime";

import { EXIT } from "./exit-codes.ts";
import { runProgram } from "./program.ts";

async function run(
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await runProgram(args, {
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  return { code, out, err };
}

test("all that is wrong with a line is said at once", async () => {
  const { code, out, err } = await run(
    "status",
    "--srever",
    "-o",
    "xml",
    "--wait",
    "soon",
    "--yes",
  );
  assert.equal(code, EXIT.usage);
  assert.equal(out, "");
  for (const word of ["--srever", "xml", "soon", "--yes"]) assert.match(err, new RegExp(word));
});

const lines: readonly { readonly args: readonly string[]; readonly says: RegExp }[] = [
  { args: ["lease", "relaese", "192.0.2.1"], says: /unknown command 'relaese'.*mean release/s },
  { args: ["pool", "show", "lan"], says: /unknown command 'show'/ },
  { args: ["statsu"], says: /unknown command 'statsu'.*Did you mean status/s },
  { args: ["explain"], says: /missing required argument 'subject'/ },
  { args: ["explain", "a", "b"], says: /too many arguments/ },
  { args: ["agents", "show", "lb1"], says: /fairlead explain NAME tells of one/ },
  { args: ["status", "--output=xml", "--nope=1"], says: /xml.*--nope/s },
  { args: ["status", "-o", "json", "-o", "yaml"], says: /option '--output' is given twice/ },
  {
    args: ["status", "--server=a:1", "--server", "b:2", "--nope"],
    says: /option '--server' is given twice and may be given once.*--nope/s,
  },
  { args: [], says: /^Usage: fairlead .*\n {2}status /s },
  { args: ["lease"], says: /^Usage: fairlead lease .*\n {2}export /s },
  { args: ["status", "--server", ""], says: /'' is invalid\. Give HOST:PORT/ },
  { args: ["status", "--server", "lb1"], says: /'lb1' is invalid\. Give HOST:PORT/ },
  { args: ["status", "--server", "http://lb1:7705"], says: /is invalid\. Give HOST:PORT/ },
  { args: ["status", "--server", "lb1:99999", "-o", "xml"], says: /lb1:99999.*xml/s },
  { args: ["agents", "members", "--agent", "lb1:0"], says: /'lb1:0' is invalid\. Give HOST:PORT/ },
];
for (const { args, says } of lines) {
  test(`fairlead ${args.join(" ")} is refused in words`, async () => {
    const { code, err } = await run(...args);
    assert.equal(code, EXIT.usage);
    assert.match(err, says);
    assert.doesNotMatch(err, /outputHelp/);
  });
}

test("the version is said, and that is good", async () => {
  assert.deepEqual(await run("--version"), { code: EXIT.good, out: `${VERSION}\n`, err: "" });
});

test("help goes to standard output and is good", async () => {
  const { code, out, err } = await run("status", "--help");
  assert.equal(code, EXIT.good);
  assert.match(out, /Usage: fairlead status/);
  assert.equal(err, "");
});
