// What people read in a condition or an Event, and that it fits.

import assert from "node:assert/strict";
import { test } from "node:test";

import { boundedWords, remarkWords } from "./remark-words.ts";

test("four parts: what, why, what to do, a code", () => {
  assert.equal(
    remarkWords({ reason: "NoMembers", detail: "80/TCP has no member." }),
    "There is no member, so connections are refused by the load balancer: 80/TCP has no member. " +
      "Start a pod or node that backs the Service. [FL0501]",
  );
});

for (const letter of ["x", "ü", "\u{1F600}", "\u0007"]) {
  test(`a long detail of ${JSON.stringify(letter)} is cut, and the remedy stays`, () => {
    const words = remarkWords({ reason: "NoMembers", detail: letter.repeat(5000) });
    assert.ok(Buffer.byteLength(words) <= 1000);
    assert.match(words, /\.\.\.\. Start a pod or node that backs the Service\. \[FL0501\]$/u);
    assert.ok(words.isWellFormed());
    assert.ok(Buffer.byteLength(boundedWords(letter.repeat(5000))) <= 1000);
  });
}
