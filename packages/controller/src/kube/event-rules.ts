// For tests: what an API server asks of an Event of events.k8s.io/v1, as kube-apiserver 1.36
// refuses what is not so. Given the Event as it would stand. Pure. Only the rules that Events of
// ours can meet.

import { isDeepStrictEqual } from "node:util";

import { childOf, type Json, textOf } from "./object-fields.ts";

/** Fields that an Event needs. */
const NEEDED = ["reason", "action", "reportingController", "reportingInstance"] as const;
const REQUIRED = "Required value";
const LETTERS_MAX = 128;
const NOTE_BYTES_MAX = 1024;
const TYPES: readonly unknown[] = ["Normal", "Warning"];
/** A series of one is none. */
const COUNT_MIN = 2;
/** What an Event told stays told. */
const FIXED = [...NEEDED, "eventTime", "type", "note", "regarding"] as const;

/** A field of an Event, and what the server has against it. */
export interface EventProblem {
  readonly field: string;
  readonly because: string;
}

/** What the server has against it; undefined: nothing. @param before undefined: it is new. */
export function eventProblem(before: Json | undefined, after: Json): EventProblem | undefined {
  if (textOf(after, "eventTime") === undefined) return { field: "eventTime", because: REQUIRED };
  for (const field of NEEDED) {
    const length = (textOf(after, field) ?? "").length;
    if (length === 0) return { field, because: REQUIRED };
    if (length > LETTERS_MAX) return tooLong(field, LETTERS_MAX);
  }
  if (!TYPES.includes(after["type"])) {
    return { field: "type", because: "Invalid value: has to be Normal or Warning" };
  }
  if (Buffer.byteLength(textOf(after, "note") ?? "") > NOTE_BYTES_MAX) {
    return tooLong("note", NOTE_BYTES_MAX);
  }
  const { series } = after;
  if (series !== undefined && Number(childOf(after, "series")["count"]) < COUNT_MIN) {
    return { field: "series.count", because: `should be at least ${COUNT_MIN}` };
  }
  if (before === undefined) return undefined;
  const changed = FIXED.find((field) => !isDeepStrictEqual(before[field], after[field]));
  return changed === undefined ? undefined : { field: changed, because: "field is immutable" };
}

function tooLong(field: string, max: number): EventProblem {
  return { field, because: `Invalid value: can have at most ${max} characters` };
}
