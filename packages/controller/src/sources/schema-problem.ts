// Turns what a schema found wrong into one sentence. Given zod's issues and what was read. A single
// value that is wrong is quoted, except where it may be a secret; so are keys of the user's.

import type { z } from "zod";

import { quote } from "./quote.ts";

/** Most problems of one object that are named; more say nothing new. */
const PROBLEMS_MAX = 3;
const NOT_ALLOWED = "has a value that is not allowed";

/** `spec.ports[0].port: "80": expected number, received string`, at most three of them. */
export function schemaProblem(error: z.ZodError, read: unknown): string {
  const shown = schemaProblems(error, read).slice(0, PROBLEMS_MAX);
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join("; ")}; and ${more} more` : shown.join("; ");
}

/** All of them, each a sentence of its own. */
export function schemaProblems(error: z.ZodError, read: unknown): readonly string[] {
  return error.issues.map((issue) => {
    return `${fieldPath(issue.path)}${valueText(issue, read)}${issueText(issue)}`;
  });
}

/** Only these say of a single value what it should have been. */
const OF_VALUES: ReadonlySet<string> = new Set([
  "invalid_type",
  "invalid_value",
  "too_big",
  "too_small",
]);

/** The wrong value with its colon; empty where there is none, or none that may be shown. */
function valueText({ code, path }: z.core.$ZodIssue, read: unknown): string {
  // Annotations are anybody's, and a URL may hold a password.
  if (!OF_VALUES.has(code) || path.includes("annotations")) return "";
  const value = path.reduce<unknown>((inner, key) => partOf(inner, key), read);
  if (typeof value === "string") return value.includes("@") ? "" : `${quote(value)}: `;
  return typeof value === "number" || typeof value === "boolean" ? `${String(value)}: ` : "";
}

function partOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** A path of keys and indexes as people write it, with its colon; empty for the whole. */
function fieldPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[A-Za-z][A-Za-z0-9]{0,62}$/u.test(String(part))) text += `.${String(part)}`;
    else text += `[${quote(String(part))}]`;
  }
  return text === "" ? "" : `${text.replace(/^\./u, "")}: `;
}

function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return `unknown field ${issue.keys.slice(0, PROBLEMS_MAX).map(quote).join(", ")}`;
    case "invalid_type":
    case "invalid_value":
    case "too_big":
    case "too_small":
      return issue.message.replace(/^(?:Invalid (?:input|option): |Too (?:big|small): )/u, "");
    case "custom":
      return issue.message;
    case "invalid_union":
      // None of its own words says what is expected.
      return issue.message === "Invalid input" ? NOT_ALLOWED : issue.message;
    default:
      return NOT_ALLOWED;
  }
}
