// What an operator reads when nginx refuses a file, from words that nginx 1.22 really says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxRefusal, saysGivenUp } from "./refusal.ts";

const BIND =
  "2026/11/21 10:17:53 [emerg] 12#12: bind() to 192.0.2.10:80 failed (98: Address already in use)";
const GIVEN_UP = "2026/11/21 10:17:55 [emerg] 12#12: still could not bind()";
const UNKNOWN = 'nginx: [emerg] unknown directive "lisen" in /run/x/nginx/candidate.conf:7';
const NOISE =
  "2026/11/21 10:17:53 [emerg] 14#14: initgroups(www-data, 33) failed (1: Operation not permitted)";

const refusals = [
  {
    name: "a taken port is named with its address",
    lines: [BIND, BIND, GIVEN_UP],
    wanted: { reason: "PortTaken", detail: "192.0.2.10:80 is in use by another process" },
  },
  {
    name: "a taken port of IPv6",
    lines: [BIND.replace("192.0.2.10", "[2001:db8::1]")],
    wanted: { reason: "PortTaken", detail: "[2001:db8::1]:80 is in use by another process" },
  },
  {
    name: "a word that nginx does not know",
    lines: [UNKNOWN],
    wanted: {
      reason: "ConfigRejected",
      detail: 'nginx: unknown directive "lisen" in /run/x/nginx/candidate.conf:7',
    },
  },
] as const;

for (const c of refusals) {
  test(`nginx refuses: ${c.name}`, () => {
    const wanted = { kind: "refused", remark: c.wanted };
    assert.deepEqual(nginxRefusal(c.lines, "it did not answer"), wanted);
  });
}

const silences = [
  { name: "silence", lines: [], said: "it said nothing" },
  {
    name: "noise of a user namespace",
    lines: [NOISE, "[notice] something else"],
    said: "it said last: [notice] something else",
  },
] as const;

for (const { name, lines, said } of silences) {
  test(`nginx refuses nothing by ${name}: it is tried again`, () => {
    const detail =
      "nginx: it did not answer, and is tried again: look whether the host is short of " +
      `processor time or memory; ${said}`;
    const remark = { reason: "DataPlaneDown", detail };
    assert.deepEqual(nginxRefusal(lines, "it did not answer"), { kind: "undecided", remark });
  });
}

const shortages = [
  "socket() 192.0.2.10:80 failed (24: Too many open files)",
  'open() "/run/x/nginx/nginx.conf" failed (23: Too many open files in system)',
  "mmap(MAP_ANON|MAP_SHARED, 1048576) failed (12: Cannot allocate memory)",
  'mkdir() "/run/x/nginx/temp" failed (28: No space left on device)',
  'open() "/run/x/nginx/nginx.pid" failed (30: Read-only file system)',
] as const;

for (const word of shortages) {
  test(`nginx refuses nothing where its host is short of something: ${word}`, () => {
    const lines = [`2026/11/21 10:17:53 [emerg] 12#12: ${word}`];
    const detail = `nginx: its host is short of something, and it tries again: ${word}`;
    const remark = { reason: "DataPlaneDown", detail };
    assert.deepEqual(nginxRefusal(lines, ""), { kind: "undecided", remark });
  });
}

test("nginx refuses: a file that is not there is the content's own fault", () => {
  const word = 'open() "/etc/x.conf" failed (2: No such file or directory) in /run/x/nginx.conf:3';
  const remark = { reason: "ConfigRejected", detail: `nginx: ${word}` };
  assert.deepEqual(nginxRefusal([`nginx: [emerg] ${word}`], ""), { kind: "refused", remark });
});

test("nginx refuses: words are shortened and escaped", () => {
  const {
    remark: { detail },
  } = nginxRefusal([`[emerg] bad \u001b[31m${"x".repeat(5000)}`], "");
  assert.ok(detail.length <= 1024);
  assert.ok(!detail.includes("\u001b"));
});

const givenUp = [
  { name: "still trying to bind", lines: [BIND, BIND], wanted: false },
  { name: "binding was given up", lines: [BIND, GIVEN_UP], wanted: true },
  { name: "any other complaint ends a reload", lines: [UNKNOWN], wanted: true },
  { name: "noise", lines: [NOISE], wanted: false },
  { name: "old workers complain too", lines: ["[alert] 9#9: open socket #5 left"], wanted: false },
  { name: "nothing", lines: [], wanted: false },
] as const;

for (const c of givenUp) {
  test(`nginx gave the new file up: ${c.name}`, () => {
    assert.equal(saysGivenUp(c.lines), c.wanted);
  });
}
