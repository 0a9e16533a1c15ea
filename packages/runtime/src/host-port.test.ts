// Every way to write where a program listens, right and wrong.

import assert from "node:assert";
import { test } from "node:test";
import { formatHostPort, isLoopbackHost, parseHostPort } from "./host-port.ts";

const good = [
  { text: "7704", want: ":7704" },
  { text: ":7704", want: ":7704" },
  { text: "0", want: ":0" },
  { text: "0.0.0.0:7704", want: "0.0.0.0:7704" },
  { text: "127.0.0.1:7705", want: "127.0.0.1:7705" },
  { text: "[::1]:7704", want: "[::1]:7704" },
  { text: "[::]:0", want: "[::]:0" },
  { text: "localhost:65535", want: "localhost:65535" },
  { text: "fairlead-controller.fairlead.svc:7702", want: "fairlead-controller.fairlead.svc:7702" },
] as const;

for (const c of good) {
  test(`${c.text} is taken`, () => {
    const at = parseHostPort(c.text);
    assert(at !== undefined);
    assert.equal(formatHostPort(at), c.want);
    assert.deepEqual(parseHostPort(formatHostPort(at)), at);
  });
}

const bad = [
  "",
  ":",
  "65536",
  "-1",
  "abc",
  "1.2.3.4",
  "1.2.3.4:",
  "::1:7704",
  "[::1]",
  "[1.2.3.4]:1",
  "1.2.3:80",
  "256.1.1.1:80",
  "host:80:90",
  "ho st:80",
  "http://x:80",
  "[::1%eth0\n]:1",
  "7704\n",
  " 7704",
  "x;y:80",
  "-x:80",
  "+5",
  "0x10",
] as const;

for (const text of bad) {
  test(`${JSON.stringify(text)} is refused`, () => {
    assert.equal(parseHostPort(text), undefined);
  });
}

test("the host to take without one can be given", () => {
  assert.deepEqual(parseHostPort("7705", "127.0.0.1"), { host: "127.0.0.1", port: 7705 });
});

test("loopback is known in all its forms", () => {
  assert.deepEqual(["127.0.0.1", "127.8.8.8", "::1", "localhost"].map(isLoopbackHost), [
    true,
    true,
    true,
    true,
  ]);
  assert.deepEqual(["", "0.0.0.0", "::", "127.example", "10.0.0.1"].map(isLoopbackHost), [
    false,
    false,
    false,
    false,
    false,
  ]);
});
