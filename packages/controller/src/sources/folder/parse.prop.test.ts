// Whatever a file holds: reading it ends, does not throw, and what is said of it quotes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";
import { stringify } from "yaml";

import { readObjects } from "../objects.ts";
import { parseManifest } from "./parse.ts";

const snippet = fc.constantFrom(
  ..."- [ ] { } : , & * ! | > ' \" % @ ` # ? ~ --- ... << &a *a !!set !!binary kind: List\n \t \n".split(
    " ",
  ),
  "\n",
  "  ",
  "a: 1\n",
  "items: [*a]\n",
  "<<: *a\n",
);

test("any mixture of YAML's own marks ends in documents or in a reason", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(snippet, fc.string()), { maxLength: 60 }), (parts) => {
      const parsed = parseManifest(parts.join(""), "yaml");
      if (parsed.kind === "bad") {
        assert.match(parsed.detail, /^[\x20-\x7e]+$/u);
        return;
      }
      for (const document of parsed.documents) readObjects(document, "x.yaml");
    }),
    { numRuns: 500 },
  );
});

test("what is written as JSON reads the same as JSON and as YAML", () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(object, (value) => {
      const text = JSON.stringify(value);
      // JSON has no -0, so what is written as YAML must not have one either.
      const plain: unknown = JSON.parse(text);
      const want = { kind: "ok", documents: [plain] } as const;
      assert.deepEqual(parseManifest(text, "json"), want);
      // The writer leaves the key `<<` without quotes, which makes it a merge key for a reader.
      const isMergeSafe = !text.includes('"<<":');
      const written = stringify(plain, { defaultKeyType: isMergeSafe ? "PLAIN" : "QUOTE_DOUBLE" });
      assert.deepEqual(parseManifest(written, "yaml"), want);
    }),
    { examples: [[{ "<<": false }], [{ a: { "<<": { b: ["<<"] } } }]] },
  );
});
