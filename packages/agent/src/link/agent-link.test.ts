// An agent that was given no controller: what it says of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { createFakeClock, createLogger } from "@fairlead/runtime";
import { agentName } from "@fairlead/testkit";
import { createRevisions } from "@fairlead/wire";

import { createAgentLink } from "./agent-link.ts";

for (const [hasPlan, what] of [
  [false, "nothing is served"],
  [true, "the last good plan is served for ever"],
] as const) {
  test(`an agent whose controller was forgotten says that ${what}`, async () => {
    const lines: string[] = [];
    await using link = createAgentLink({
      agent: agentName("lb-1"),
      addresses: [],
      hasPlan,
      clock: createFakeClock(),
      log: createLogger({
        level: "info",
        format: "text",
        destination: { write: (line) => void lines.push(line.trim().replace(/^\S+ /u, "")) },
      }),
      revisions: createRevisions(),
      random: () => 0,
    });
    assert.equal(link.connected, false);
    const said = `WARN  no controller is named: ${what}; name one by --controller HOST:PORT`;
    assert.deepEqual(lines, [said]);
  });
}
