// How a drain ends for the script that reboots the host next: well only where nothing is left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ActOutcome, ActResultSchema, create, type MessageInitShape } from "@fairlead/wire";

import type { AdminClient } from "../admin-client.ts";
import { EXIT } from "../exit-codes.ts";
import type { OutputForm } from "../output.ts";
import { followMoves } from "./follow-moves.ts";

const OWN = { addresses: ["192.0.2.9"], why: "addresses of pool own do not move between agents" };
const STRANDED = { lane: "n#1", addresses: ["192.0.2.1", "192.0.2.2"], why: "lb2 is drained" };
/** Nothing moves, so nobody may ask what became of it. */
const CLIENT = {} as AdminClient;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function drain(
  given: MessageInitShape<typeof ActResultSchema>,
  output: OutputForm = "table",
): Promise<Said> {
  let [out, err] = ["", ""];
  const context = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  };
  const result = create(ActResultSchema, { outcome: ActOutcome.DONE, ...given });
  const options = { output, timeoutMs: 1000, cause: "drain" } as const;
  return { code: await followMoves(context, CLIENT, result, options), out, err };
}

test("a drain that left all its addresses where they were ended with exit code 0", async () => {
  const said = await drain({ stays: [STRANDED, OWN], remedy: "Leave lb3 running." });
  assert.equal(said.code, EXIT.bad);
  assert.equal(
    said.err,
    `error: drained, but not empty: it keeps 2 addresses: 192.0.2.1, 192.0.2.2
  why:  lane n#1: lb2 is drained
  do:   Leave lb3 running.
  code: NOT_EMPTY
`,
  );
});

test("what stays stands in the JSON too, with the same exit code", async () => {
  const said = await drain({ stays: [STRANDED, OWN] }, "json");
  assert.equal(said.code, EXIT.bad);
  const { stays } = JSON.parse(said.out) as { readonly stays: unknown };
  assert.deepEqual(stays, [STRANDED, { lane: "", ...OWN }]);
});

test("a host that keeps only what is its own is drained well", async () => {
  const { code, err } = await drain({ stays: [OWN] });
  assert.deepEqual([code, err], [EXIT.good, ""]);
});
