// How a list is handed on: part by part, with others' turn between two, and none after its end.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { KubeClient } from "./kube-client.ts";
import { listPages } from "./list-pages.ts";

const WHOLE = 60;

/** A client whose list has one page of so many Services. */
function clientOf(count: number): KubeClient {
  const items = Array.from({ length: count }, (_, i) => ({ metadata: { name: `web-${i}` } }));
  const answer = { kind: "ServiceList", metadata: { resourceVersion: "7" }, items };
  return {
    server: "http://127.0.0.1:1",
    request: () => Promise.resolve(answer),
    watch: () => Promise.reject(new Error("nobody watches")),
  };
}

/** Lists; each part with how many turns others had before it. */
async function list(
  count: number,
  onPart: () => void = () => undefined,
  stop = new AbortController(),
): Promise<readonly { readonly objects: number; readonly turns: number }[]> {
  let turns = 0;
  let other = setImmediate(turn);
  function turn(): void {
    turns += 1;
    other = setImmediate(turn);
  }
  const parts: { readonly objects: number; readonly turns: number }[] = [];
  try {
    const version = await listPages({
      client: clientOf(count),
      path: "/api/v1/services",
      signal: stop.signal,
      onPage: (items, of) => {
        assert.equal(of, 7);
        parts.push({ objects: items.length, turns });
        onPart();
      },
      onRestart: () => assert.fail("it began again"),
    });
    assert.equal(version, 7);
  } finally {
    clearImmediate(other);
  }
  return parts;
}

test("a page is handed on in parts, and others have their turn between two", async () => {
  const parts = await list(WHOLE);
  assert.equal(
    parts.reduce((sum, { objects }) => sum + objects, 0),
    WHOLE,
  );
  assert.ok(parts.length > 1);
  for (const [i, { turns }] of parts.entries()) {
    assert.ok(i === 0 || turns > (parts[i - 1]?.turns ?? 0), `part ${i} came without a turn`);
  }
});

test("a list of nothing is handed on too: it says that there is nothing", async () => {
  assert.deepEqual(
    (await list(0)).map(({ objects }) => objects),
    [0],
  );
});

test("who gave up between two parts gets no more of them", async () => {
  const stop = new AbortController();
  let parts = 0;
  const listing = list(
    WHOLE,
    () => {
      parts += 1;
      stop.abort(new Error("enough"));
    },
    stop,
  );
  await assert.rejects(listing, /enough/);
  assert.equal(parts, 1);
});
