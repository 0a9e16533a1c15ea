// Holds real answers against the description of REST, for tests. It reads the document alone, as a
// client's generator would: what the program meant when it made it is nowhere used.

import assert from "node:assert/strict";

import { z } from "zod";

import type { Part } from "./openapi.ts";

/** An answer as it came. */
export interface SeenAnswer {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly status: number;
  /** Its media type; undefined when there is no body. */
  readonly type: string | undefined;
  readonly body: unknown;
}

/** Checks answers, and remembers which of the described ones came. */
export interface AnswerCheck {
  /** Fails when the document does not allow the answer. */
  check(answer: SeenAnswer): void;
  /** `GET /ipam/v1/classes 200` for what is described and was never seen; errors are left out. */
  unseen(): readonly string[];
}

/** Makes a check by a document. */
export function createAnswerCheck(document: Part): AnswerCheck {
  const whole = resolved(document, document) as Part;
  const paths = Object.entries(partOf(whole, "paths"));
  const wanted = new Set(
    paths.flatMap(([path, methods]) =>
      Object.entries(methods as Part).flatMap(([method, operation]) =>
        Object.keys(partOf(operation as Part, "responses"))
          .filter((status) => status !== "default")
          .map((status) => `${method.toUpperCase()} ${path} ${status}`),
      ),
    ),
  );
  return {
    check: ({ method, path, status, type, body }) => {
      const [plain = ""] = path.split("?");
      // What is at no path is a problem as any other, in words that no operation has.
      const found = paths.find(([pattern]) => isAt(pattern, plain));
      const operation = (found?.[1] as Part | undefined)?.[method.toLowerCase()] as
        | Part
        | undefined;
      assert.ok(found !== undefined && operation !== undefined, `${method} ${path} is described`);
      const responses = partOf(operation, "responses");
      const key = `${method} ${found[0]} ${status}`;
      const response = (responses[String(status)] ?? responses["default"]) as Part;
      if (responses[String(status)] === undefined) assert.ok(status >= 400, `${key} is no error`);
      const content = response["content"] as Part | undefined;
      const media = type === undefined ? undefined : (content?.[type] as Part | undefined);
      assert.equal(media === undefined, content === undefined, `${key}: ${type ?? "no body"}`);
      if (media !== undefined) {
        const parsed = z.fromJSONSchema(partOf(media, "schema")).safeParse(body);
        assert.ok(parsed.success, `${key}: ${parsed.error?.message} ${JSON.stringify(body)}`);
      }
      wanted.delete(key);
    },
    unseen: () => [...wanted],
  };
}

/** The same without references; there are none that lead in circles. */
function resolved(value: unknown, document: Part): unknown {
  if (Array.isArray(value)) return value.map((one) => resolved(one, document));
  if (typeof value !== "object" || value === null) return value;
  const { $ref: pointer } = value as { readonly $ref?: string };
  if (pointer !== undefined) {
    const names = pointer.replace(/^#\//u, "").split("/");
    const target = names.reduce<Part>((part, name) => partOf(part, name), document);
    return resolved(target, document);
  }
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [name, resolved(one, document)]));
}

function partOf(part: Part, name: string): Part {
  const found = part[name];
  assert.ok(typeof found === "object" && found !== null, `the document has ${name}`);
  return found as Part;
}

function isAt(pattern: string, path: string): boolean {
  const parts = pattern.split("/");
  const words = path.split("/");
  if (parts.length !== words.length) return false;
  return parts.every(
    (part, at) => part === words[at] || (part.startsWith("{") && words[at] !== ""),
  );
}
