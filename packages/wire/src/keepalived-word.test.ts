// The word for keepalived, by what an agent's row says.

import assert from "node:assert/strict";
import { test } from "node:test";

import { keepalivedWord } from "./keepalived-word.ts";

test("keepalived is down where it has lanes to run alone", () => {
  for (const [keepalivedAlive, keepalivedNeeded, word] of [
    [true, true, "up"],
    [true, false, "up"],
    [false, true, "down"],
    [false, false, ""],
  ] as const) {
    assert.equal(keepalivedWord({ keepalivedAlive, keepalivedNeeded }), word);
  }
});
