// What a schema found wrong, as people read it: with the value, where it may be shown.

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { schemaProblem } from "./schema-problem.ts";

const schema = z.object({
  port: z.int().max(65_535).optional(),
  text: z.string().max(5).optional(),
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }).optional(),
});

const cases = [
  { value: { port: 70_000 }, says: "port: 70000: expected number to be <=65535" },
  { value: { port: "80" }, says: 'port: "80": expected number, received string' },
  { value: { text: 7 }, says: "text: 7: expected string, received number" },
  { value: { text: [1] }, says: "text: expected string, received array" },
  {
    value: { text: 'a"\nb c' },
    says: String.raw`text: "a\"\nb c": expected string to have <=5 characters`,
  },
  { value: { text: "u:secret@h" }, says: "text: expected string to have <=5 characters" },
  {
    value: { metadata: { annotations: { token: 1234 } } },
    says: "metadata.annotations.token: expected string, received number",
  },
  { value: 5, says: "5: expected object, received number" },
];

for (const { value, says } of cases) {
  test(`schema: ${says}`, () => {
    const parsed = schema.safeParse(value);
    assert.ok(!parsed.success);
    assert.equal(schemaProblem(parsed.error, value), says);
  });
}
