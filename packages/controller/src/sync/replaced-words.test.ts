// Two hosts with one name push each other out for ever, and each has to hear of the other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { agentName } from "@fairlead/testkit";

import { replacedWords } from "./replaced-words.ts";

const LB1 = agentName("lb1");

test("an agent that another host pushes out is told the host, and to choose a name", () => {
  assert.equal(
    replacedWords(LB1, "192.0.2.11", "192.0.2.12"),
    "192.0.2.12 opened a newer stream in the name of lb1, which 192.0.2.11 has: " +
      "where both are agents, give each a --name of its own",
  );
});

test("an agent that comes back before its old stream ended is no second one", () => {
  assert.equal(
    replacedWords(LB1, "192.0.2.11", "192.0.2.11"),
    "a newer stream of this agent was opened",
  );
});
