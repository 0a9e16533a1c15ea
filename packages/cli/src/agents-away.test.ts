// An agent that is gone while everything is served still: no finding tells of it for a minute, and
// the exit code is that of something wrong.

import assert from "node:assert/strict";
import { test } from "node:test";

import { type AgentRow, AgentRowSchema, create, ListResponseSchema } from "@fairlead/wire";

import { formatStatus, isWell } from "./status-view.ts";

function agent(name: string, seconds: number, state = "disconnected"): AgentRow {
  return create(AgentRowSchema, { name, state, lastSeenMs: BigInt(seconds * 1000) });
}

function statusOf(agents: AgentRow[], headings = true): string {
  const claim = { namespace: "default", name: "web", state: "ready", ports: ["80/TCP"] };
  const controller = { ready: true };
  const list = create(ListResponseSchema, { controller, claims: [claim], agents });
  assert.equal(isWell(list), false);
  return formatStatus(list, { wide: false, headings });
}

test("agents that are not connected are named, and since when", () => {
  const agents = [agent("lb1", 0, "connected"), agent("lb2", 12), agent("lb3", 200)];
  const lines = statusOf(agents).split("\n");
  assert.deepEqual(lines.slice(-4), [
    "",
    "not connected: lb2 (last seen 12s ago), lb3 (last seen 3m20s ago)",
    "1 of 1 served; 1 of 3 agents connected; controller ready",
    "",
  ]);
});

test("of very many some are named, and without headings there are rows alone", () => {
  const agents = Array.from({ length: 12 }, (_, index) => agent(`lb${index}`, 5));
  assert.match(statusOf(agents), /lb9 \(last seen 5s ago\), and 2 more\n/);
  assert.equal(statusOf(agents, false).trimEnd().split("\n").length, 1);
});
