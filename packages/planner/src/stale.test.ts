// When the silence of agents becomes doubt: after a minute, and not for all in the same instant.

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeAgent } from "@fairlead/testkit";

import { STALE_SPREAD_MS, staleAtMs } from "./stale.ts";

const settings = { staleAfterMs: 60_000 };

test("agents that were lost together are doubted one after the other, none too early", () => {
  const names = Array.from({ length: 100 }, (_, index) => `lb-${index}`);
  const moments = names.map(
    (name) => staleAtMs(makeAgent(name, { goneAtMs: 1000 }), settings) ?? 0,
  );
  assert.ok(Math.min(...moments) >= 61_000);
  assert.ok(Math.max(...moments) < 61_000 + STALE_SPREAD_MS);
  assert.ok(new Set(moments).size > 90);
});

test("an agent that is connected is not doubted", () => {
  assert.equal(staleAtMs(makeAgent("lb-1"), settings), undefined);
});
