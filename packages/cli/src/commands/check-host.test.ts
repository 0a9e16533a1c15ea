// What an operator and a script see of `fairlead check --host`: a table that awk reads, JSON, and
// the exit code.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { HostLine } from "@fairlead/agent";

import { EXIT } from "../exit-codes.ts";
import type { CommandContext, OutputForm } from "../output.ts";
import { runProgram } from "../program.ts";
import { tellHost } from "./check-host.ts";

const GOOD: HostLine = {
  check: "program",
  subject: "nginx",
  found: "/usr/sbin/nginx",
  verdict: "ok",
  why: "listeners are made of it",
  remedy: "",
};
const PORT: HostLine = {
  check: "wildcard-socket",
  subject: "22/TCP",
  found: "sshd (pid 812) listens on all addresses",
  verdict: "warning",
  why: "it answers on every VIP",
  remedy: "let it listen on the host's own addresses alone",
};
const TAKEN: HostLine = {
  check: "agent-port",
  subject: "7712/TCP",
  found: "sshd (pid 812) listens on it",
  verdict: "error",
  why: "the agent serves there",
  remedy: "give the agent another one",
};

interface Seen {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function seen(run: (context: CommandContext) => number | Promise<number>): Promise<Seen> {
  let out = "";
  let err = "";
  const code = await run({
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  });
  return { code, out, err };
}

const tell = (form: OutputForm, ...lines: readonly HostLine[]): Promise<Seen> =>
  seen((context) => tellHost(context, form, lines));

test("check --host: warnings alone are good, and the table has a column for each part", async () => {
  const { code, out, err } = await tell("table", GOOD, PORT);
  assert.equal(code, EXIT.good);
  assert.equal(err, "0 errors, 1 warning, 1 ok\n");
  const rows = out
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  assert.deepEqual(rows, [
    ["VERDICT", "CHECK", "SUBJECT", "FOUND", "REMEDY"],
    ["ok", "program", "nginx", "/usr/sbin/nginx", "-"],
    [
      "warning",
      "wildcard-socket",
      "22/TCP",
      "sshd (pid 812) listens on all addresses",
      "let it listen on the host's own addresses alone",
    ],
  ]);
});

test("check --host: an error is bad; wide says why as well", async () => {
  const { code, out } = await tell("wide", GOOD, TAKEN);
  assert.equal(code, EXIT.bad);
  assert.match(out, /FOUND +WHY +REMEDY\n/);
  assert.match(out, /error +agent-port +7712\/TCP .*the agent serves there/);
});

test("check --host: a program gets counts and lines", async () => {
  const { code, out, err } = await tell("json", GOOD, PORT, TAKEN);
  assert.equal(code, EXIT.bad);
  assert.equal(err, "");
  assert.deepEqual(JSON.parse(out), {
    fit: false,
    errors: 1,
    warnings: 1,
    ok: 1,
    lines: [GOOD, PORT, TAKEN],
  });
});

test("check --host: this very host is looked at, and a wrong folder is an error", async () => {
  const args = ["check", "--host", "--run-dir", "/a b", "-o", "json"];
  const { code, out } = await seen((context) => runProgram(args, context));
  assert.equal(code, EXIT.bad);
  const { lines } = JSON.parse(out) as { readonly lines: readonly HostLine[] };
  const folder = lines.find(({ check, subject }) => check === "folder" && subject === "/a b");
  assert.equal(folder?.verdict, "error");
  assert.ok(lines.some(({ check, subject }) => check === "kernel" && subject === "release"));
});

test("check --host: nothing is said well of a device that is not there", async () => {
  const args = ["check", "--host", "--link", "nosuch0", "-o", "json"];
  const { code, out } = await seen((context) => runProgram(args, context));
  assert.equal(code, EXIT.bad);
  const { lines } = JSON.parse(out) as { readonly lines: readonly HostLine[] };
  const of = lines.filter(({ subject }) => subject.includes("nosuch0"));
  assert.deepEqual([...new Set(of.map(({ verdict }) => verdict))], ["error"]);
});

for (const args of [
  ["check"],
  ["check", "host"],
  ["check", "192.0.2.1"],
  ["check", "address"],
  ["check", "address", "192.0.2.1", "--host"],
]) {
  test(`${args.join(" ")} is no question`, async () => {
    const { code, err } = await seen((context) => runProgram(args, context));
    assert.equal(code, EXIT.usage);
    assert.match(err, /fairlead check --host/);
  });
}
