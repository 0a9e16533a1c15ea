// The description of REST: it stands in docs/reference as it is served, and has every route of the
// program and no other. That the answers are as it says is checked where routes are asked, in
// ipam-routes.test.ts; here it is checked that a wrong answer would be seen.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { createFakeClock, createLogger } from "@fairlead/runtime";
import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import { randomUuid } from "../../ipam/ipam-model.ts";
import { createIpamService } from "../../ipam/ipam-service.ts";
import { createAnswerCheck, type SeenAnswer } from "./answer-check.ts";
import { IPAM_OPERATIONS } from "./ipam-operations.ts";
import { ipamRoutes } from "./ipam-routes.ts";
import { describeRest, openapiRoute } from "./openapi.ts";

const COMMITTED = join(import.meta.dirname, "../../../../../docs/reference/openapi.json");

test("the committed document is the one that is served", async () => {
  const served = await openapiRoute().handle({
    params: {},
    query: new URLSearchParams(),
    body: undefined,
  });
  assert.ok(served.kind === "reply");
  const wanted = `${JSON.stringify(served.body, undefined, 2)}\n`;
  if (process.env["FAIRLEAD_UPDATE_GOLDEN"] === "1") writeFileSync(COMMITTED, wanted);
  assert.equal(readFileSync(COMMITTED, "utf8"), wanted);
});

test("every route is described, and nothing that is none", async () => {
  await using service = await createIpamService({
    store: createMemoryIpamStore({ medium: createMemoryIpamMedium() }),
    clock: createFakeClock(),
    log: createLogger({ level: "silent", format: "json" }),
    leaseMs: 1,
    graceMs: 1,
  });
  const routes = ipamRoutes({ service, newUuid: randomUuid });
  const keys = routes.map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(Object.keys(IPAM_OPERATIONS).toSorted(), keys.toSorted());
});

const CLASS = {
  uuid: "c0000000-0000-4000-8000-000000000001",
  name: "lab",
  created: "2026-01-01T00:00:00.000Z",
  modified: "2026-01-01T00:00:00.000Z",
};
const RIGHT: SeenAnswer = {
  method: "GET",
  path: "/ipam/v1/classes/lab",
  status: 200,
  type: "application/json",
  body: CLASS,
};

const wrong: readonly { readonly name: string; readonly answer: Partial<SeenAnswer> }[] = [
  { name: "a field more", answer: { body: { ...CLASS, color: "red" } } },
  { name: "a field less", answer: { body: { uuid: CLASS.uuid } } },
  { name: "a uuid that is none", answer: { body: { ...CLASS, uuid: "lab" } } },
  { name: "a time that is none", answer: { body: { ...CLASS, created: 1 } } },
  { name: "another status", answer: { status: 201 } },
  { name: "another media type", answer: { type: "text/plain" } },
  { name: "no body", answer: { type: undefined, body: undefined } },
  { name: "a problem in another shape", answer: { status: 404, body: { error: "no" } } },
  { name: "a route that is not described", answer: { path: "/ipam/v2/classes/lab" } },
];

test("an answer as it is described is taken", () => {
  const check = createAnswerCheck(describeRest());
  check.check(RIGHT);
  assert.ok(!check.unseen().includes("GET /ipam/v1/classes/{class} 200"));
});

for (const { name, answer } of wrong) {
  test(`an answer that the document does not allow is seen: ${name}`, () => {
    const check = createAnswerCheck(describeRest());
    assert.throws(() => check.check({ ...RIGHT, ...answer }), assert.AssertionError);
  });
}
