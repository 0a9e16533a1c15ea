// Turns what a schema found wrong into one sentence. Given zod's issues; the value itself is never
// shown, and keys of the user's are quoted.

import type { z } from "zod";

import { quote } from "./quote.ts";

/** Most problems of one object that are named; more say nothing new. */
const PROBLEMS_MAX = 3;
const NOT_ALLOWED = "has a value that is not allowed";

/** `spec.ports[0].port: expected number, received string`, at most three of them. */
export function schemaProblem(error: z.ZodError): string {
  const shown = error.issues
    .slice(0, PROBLEMS_MAX)
    .map((issue) => `${fieldPath(issue.path)}${issueText(issue)}`);
  const more = error.issues.length - shown.length;
  return more > 0 ? `${shown.join("; ")}; and ${more} more` : shown.join("; ");
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
