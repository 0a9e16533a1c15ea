// How a drain ends for the script that reboots the host next: well only where nothing is left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EdgeError } from "@fairlead/runtime";
import {
  ActOutcome,
  ActResultSchema,
  create,
  ListLanesResponseSchema,
  type MessageInitShape,
} from "@fairlead/wire";

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
  client = CLIENT,
): Promise<Said> {
  let [out, err] = ["", ""];
  const context = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
  };
  const result = create(ActResultSchema, { outcome: ActOutcome.DONE, ...given });
  const options = { output, timeoutMs: 1000, cause: "drain" } as const;
  return { code: await followMoves(context, client, result, options), out, err };
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

test("a drain was said to be done by a controller that had not planned yet", async () => {
  const moves = [{ lane: "n#1", from: "lb1", to: "lb2", addresses: ["192.0.2.1"] }];
  let isNew = true;
  const client = {
    listLanes: async () => {
      if (!isNew) return create(ListLanesResponseSchema, { lanes: [{ id: "n#1", holder: "lb2" }] });
      isNew = false;
      throw new EdgeError({ code: "NOT_READY", message: "not known here", retryable: false });
    },
  } as AdminClient;
  const { code, out } = await drain({ moves }, "table", client);
  assert.equal(code, EXIT.good);
  const said = "move: lane n#1 is held by lb2 now with 1 address; the gap is not known\n";
  assert.equal(out, said, "and nothing of a lane that is no more");
});
