// Moves, drains and freezes as an operator meets them without any agent: exit codes, forms, and
// what stands in the tables afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EXIT } from "./exit-codes.ts";
import { openStage } from "./test-stage.ts";

test("what cannot be moved is said with its exit code", async () => {
  await using stage = await openStage("web");
  const cases = [
    { args: ["drain", "lb9"], code: EXIT.notFound, words: /no agent is called lb9/ },
    { args: ["uncordon", "lb9"], code: EXIT.notFound, words: /no agent is called lb9/ },
    { args: ["drain", "l b"], code: EXIT.notFound, words: /"l b" is no agent's name/ },
    { args: ["move", "192.0.2.9", "--to", "lb9"], code: EXIT.notFound, words: /no lease is of/ },
    { args: ["move", "web", "--to", "lb9"], code: EXIT.notFound, words: /"web" is no address/ },
    { args: ["drain", ""], code: EXIT.notFound, words: /^error: "" is not drained$/m },
    { args: ["drain", "\u001b[31m"], code: EXIT.notFound, words: /^error: "\\u001b\[31m" is not/m },
    { args: ["move", "192.0.2.100"], code: EXIT.usage, words: /--to/ },
    {
      args: ["rebalance", "--timeout", "soon"],
      code: EXIT.usage,
      words: /Give a number with a unit/,
    },
    { args: ["rebalance"], code: EXIT.good, words: /^will: agents hold alike; nothing moves$/m },
  ] as const;
  for (const { args, code, words } of cases) {
    const said = await stage.run(...args);
    assert.equal(said.code, code, `${args.join(" ")}: ${said.out}${said.err}`);
    assert.match(said.out + said.err, words);
  }
});

test("while all is frozen status says so and a rebalance is refused, until thaw", async () => {
  await using stage = await openStage("web");
  const frozen = await stage.run("freeze", "-o", "json");
  assert.equal(frozen.code, EXIT.good);
  const { did, moves } = JSON.parse(frozen.out) as { did: string[]; moves: unknown[] };
  assert.match(did[0] ?? "", /^frozen since 20\S+Z; fairlead thaw ends it$/);
  assert.deepEqual(moves, []);
  assert.match((await stage.run("status")).out, /; frozen: nothing moves before fairlead thaw$/m);
  const refused = await stage.run("rebalance", "--dry-run");
  assert.equal(refused.code, EXIT.refused);
  assert.match(refused.err, /^ {2}do: {3}fairlead thaw first\.$/m);
  assert.match((await stage.run("thaw")).out, /^done: thawed$/m);
  assert.doesNotMatch((await stage.run("status")).out, /frozen/);
  const dry = await stage.run("rebalance", "--dry-run", "-o", "json");
  assert.deepEqual(JSON.parse(dry.out), {
    will: ["agents hold alike; nothing moves"],
    did: [],
    moves: [],
    stays: [],
  });
});
