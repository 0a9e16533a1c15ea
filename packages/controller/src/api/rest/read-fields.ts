// Bodies and queries against their schemas: the value, or what is wrong with it in one sentence. A
// field that nobody knows is refused: it may have been meant to limit something.

import type { z } from "zod";

import { quote } from "../../sources/quote.ts";
import { schemaProblem } from "../../sources/schema-problem.ts";
import { type Problem, badRequest } from "./problem.ts";
import type { RestRequest } from "./route.ts";

/** Fields that were read. */
export type Fields<T> =
  | { readonly kind: "fields"; readonly value: T }
  | ({ readonly kind: "problem" } & Problem);

/** Reads a body, where nothing may stand in the query; one that is missing has no fields. */
export function readFields<T>(schema: z.ZodType<T>, { body, query }: RestRequest): Fields<T> {
  const [stray] = query.keys();
  if (stray !== undefined) return problem(`query: unknown field ${quote(stray)}`);
  return read(schema, body ?? {}, "");
}

/** Reads a query, where there may be no body; a field may be given once. */
export function readQuery<T>(schema: z.ZodType<T>, { body, query }: RestRequest): Fields<T> {
  if (body !== undefined) return problem("this route reads no body");
  const entries = [...query];
  const fields = new Map(entries);
  if (fields.size < entries.length) return problem("query: a field is given twice");
  return read(schema, Object.fromEntries(fields), "query: ");
}

function read<T>(schema: z.ZodType<T>, value: unknown, where: string): Fields<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return { kind: "fields", value: parsed.data };
  return problem(`${where}${schemaProblem(parsed.error, value)}`);
}

function problem(why: string): Fields<never> {
  return { kind: "problem", ...badRequest(why) };
}
