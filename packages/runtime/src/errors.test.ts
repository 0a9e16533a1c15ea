// One line for anything that can be thrown.

import assert from "node:assert";
import { test } from "node:test";
import { describeError, EdgeError, isEdgeError } from "./errors.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.1:7702"), {
  code: "ECONNREFUSED",
});
const cyclic = new Error("round");
cyclic.cause = cyclic;

const cases = [
  {
    name: "an edge error with its cause",
    error: new EdgeError({
      code: "LINK",
      message: "cannot reach the controller",
      retryable: true,
      cause: refused,
    }),
    want: "cannot reach the controller: connect ECONNREFUSED 10.0.0.1:7702",
  },
  {
    name: "a cause that the message quotes already is not said twice",
    error: new Error("reload failed: bad port", { cause: new Error("bad port") }),
    want: "reload failed: bad port",
  },
  {
    name: "a named error keeps its name",
    error: new TypeError("x is not a function"),
    want: "TypeError: x is not a function",
  },
  {
    name: "a daemon's output with line ends",
    error: new Error("line 1\nline 2\u001b[0m"),
    want: "line 1\\nline 2\\u001b[0m",
  },
  {
    name: "several errors",
    error: new AggregateError([new Error("a"), "b"]),
    want: "several errors (a; b)",
  },
  { name: "a string", error: "boom", want: "boom" },
  { name: "nothing", error: undefined, want: "undefined" },
  { name: "an object", error: { status: 500 }, want: '{"status":500}' },
  { name: "an error without words", error: new Error(""), want: "no message" },
  { name: "an error that is its own cause", error: cyclic, want: "round" },
] as const;

for (const c of cases) test(c.name, () => assert.equal(describeError(c.error), c.want));

test("a huge message is cut", () => {
  assert.equal(describeError(new Error("x".repeat(10_000_000))).length, 600);
});

test("a value that throws when looked at is described all the same", () => {
  const hostile = {
    toJSON(): never {
      throw new Error("no");
    },
  };
  assert.equal(describeError(hostile), "an error that cannot be described");
});

test("edge errors are told from others, and by their code", () => {
  const error: unknown = new EdgeError({ code: "NO_SPACE", message: "full", retryable: true });
  assert(isEdgeError(error));
  assert(isEdgeError(error, "NO_SPACE"));
  assert(!isEdgeError(error, "IO"));
  assert(!isEdgeError(new Error("full")));
});
