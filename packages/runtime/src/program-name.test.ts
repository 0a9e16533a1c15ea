// Names of processes, for an operator who is told to stop one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { programName } from "./program-name.ts";

const CASES: readonly (readonly [words: readonly string[], name: string])[] = [
  [["/usr/sbin/sshd", "-D"], "sshd"],
  [["nginx: master process /usr/sbin/nginx -c /run/x.conf"], "nginx"],
  [["sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"], "sshd"],
  [["-bash"], "bash"],
  [["node", "/opt/shop/checkout.js", "--port=80"], "checkout.js"],
  [["/usr/bin/node", "--max-semi-space-size=1", "/x/packages/agent/src/main.ts"], "agent/main.ts"],
  [["node", "--import", "/opt/tracing.mjs", "/srv/blog/dist/index.js"], "blog/index.js"],
  [["node", "index.js"], "index.js"],
  [["node", "-e", "require('net')"], "node"],
  [["/usr/bin/python3", "-m", "http.server"], "http.server"],
  [["/usr/bin/python3", "/usr/bin/fail2ban-server", "-xf"], "fail2ban-server"],
  [["/bin/sh", "-c", "exec something"], "sh"],
  [[], "MainThread"],
  [["/tmp/a\u001b[31mred\n"], "a\\u001b[31mred\\n"],
];

for (const [words, name] of CASES) {
  test(`what was started as ${JSON.stringify(words.join(" "))} is called ${name}`, () => {
    assert.equal(programName(words.map((word) => `${word}\0`).join(""), "MainThread\n"), name);
  });
}

test("a name has no end of its own choice", () => {
  assert.ok(programName(`/tmp/${"x".repeat(4000)}`, "").length <= 40);
  assert.equal(programName("", ""), "a process");
});
