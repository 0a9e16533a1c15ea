// Where the server of a kubeconfig listens: by its address, by its name, or not to be found.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { createServerEndpoints, type LookUp } from "./server-endpoints.ts";

interface Looks {
  readonly known: () => readonly string[];
  /** Looks, and says whether that was news. */
  readonly look: () => Promise<boolean>;
}

function looksAt(server: string, lookUp: LookUp): Looks {
  let news = 0;
  const endpoints = createServerEndpoints({ server, lookUp, onChange: () => (news += 1) });
  return {
    known: () => endpoints.known(),
    look: async () => {
      const before = news;
      endpoints.look();
      await setImmediate();
      return news > before;
    },
  };
}

for (const [server, endpoint] of [
  ["https://10.0.0.1:6443", "10.0.0.1 6443"],
  ["https://[2001:DB8::1]", "2001:db8::1 443"],
  ["http://10.0.0.1/prefix", "10.0.0.1 80"],
] as const) {
  test(`${server} is known by its address, and nothing is looked up`, async () => {
    const looks = looksAt(server, () => assert.fail("it has no name"));
    assert.deepEqual(looks.known(), [endpoint]);
    assert.equal(await looks.look(), false);
  });
}

test("a name stands for all its addresses, in whatever order they come", async () => {
  const answers = [
    ["10.0.0.2", "10.0.0.1", "2001:DB8::1"],
    ["2001:db8::1", "10.0.0.1", "10.0.0.2"],
  ];
  const looks = looksAt("https://api.example.org:6443", async (host) => {
    assert.equal(host, "api.example.org");
    return answers.shift() ?? [];
  });
  assert.deepEqual(looks.known(), []);
  assert.equal(await looks.look(), true);
  assert.deepEqual(looks.known(), ["10.0.0.1 6443", "10.0.0.2 6443", "2001:db8::1 6443"]);
  assert.equal(await looks.look(), false);
});

test("a name that is not found any more leaves what was known", async () => {
  const answers = [["10.0.0.1"]];
  const looks = looksAt("https://api.example.org", async () => {
    const [answer] = answers.splice(0);
    if (answer === undefined) throw new Error("ENOTFOUND");
    return answer;
  });
  await looks.look();
  assert.equal(await looks.look(), false);
  assert.deepEqual(looks.known(), ["10.0.0.1 443"]);
});
