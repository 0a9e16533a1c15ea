// A Node that misses a heartbeat stays a member for five seconds, and no longer.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { NodeObject } from "../node-object.ts";
import { createNodeGrace } from "./node-grace.ts";

const node = (name: string, ready: boolean): [string, NodeObject] => [
  name,
  { metadata: { name }, addresses: [], ready },
];

function readyAt(
  grace: ReturnType<typeof createNodeGrace>,
  nowMs: number,
  ...nodes: readonly [string, NodeObject][]
): { readonly ready: readonly string[]; readonly dueMs: number | undefined } {
  const judged = grace.judge(new Map(nodes), nowMs);
  const ready = judged.nodes.filter((one) => one.ready).map(({ metadata }) => metadata.name);
  return { ready, dueMs: judged.dueMs };
}

test("a node that flaps for less than five seconds never leaves", () => {
  const grace = createNodeGrace();
  readyAt(grace, 0, node("n1", true));
  assert.deepEqual(readyAt(grace, 1000, node("n1", false)), { ready: ["n1"], dueMs: 6000 });
  assert.deepEqual(readyAt(grace, 5999, node("n1", true)), { ready: ["n1"], dueMs: undefined });
});

test("a node that stays not Ready leaves after five seconds, whatever is asked meanwhile", () => {
  const grace = createNodeGrace();
  readyAt(grace, 0, node("n1", true), node("n2", true));
  readyAt(grace, 1000, node("n1", false), node("n2", true));
  readyAt(grace, 4000, node("n1", false), node("n2", true));
  const late = readyAt(grace, 6000, node("n1", false), node("n2", true));
  assert.deepEqual(late, { ready: ["n2"], dueMs: undefined });
});

test("a node that was never seen Ready has no grace, and one made again neither", () => {
  const grace = createNodeGrace();
  assert.deepEqual(readyAt(grace, 0, node("n1", false)).ready, []);
  readyAt(grace, 1, node("n2", true));
  readyAt(grace, 2);
  assert.deepEqual(readyAt(grace, 3, node("n2", false)).ready, []);
});
