// Fields of objects as an API server gives them: parsed JSON of which nothing is known yet. Pure.
// What is not there, or is of another kind than asked for, is absent and never an error.

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether a parsed value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON object at a field; an empty one where there is none. */
export function childOf(value: Json, field: string): Json {
  const child = value[field];
  return isJson(child) ? child : {};
}

/** The text at a field; undefined where there is none. */
export function textOf(value: Json, field: string): string | undefined {
  const text = value[field];
  return typeof text === "string" ? text : undefined;
}

/** The list at a field; an empty one where there is none. */
export function listOf(value: Json, field: string): readonly unknown[] {
  const list = value[field];
  return Array.isArray(list) ? list : [];
}

/** A resource version as a number; NaN where it is none, which is neither older nor newer. */
export function readVersion(text: string | undefined): number {
  return text !== undefined && /^\d{1,18}$/u.test(text) ? Number(text) : Number.NaN;
}

/** Those of the fields that are texts. */
export function copyTexts<K extends string>(
  from: Json,
  keys: readonly K[],
): { readonly [P in K]?: string } {
  const copy: { [P in K]?: string } = {};
  for (const key of keys) {
    const text = textOf(from, key);
    if (text !== undefined) copy[key] = text;
  }
  return copy;
}

/** Whether there is a JSON object at the end of the path. */
export function hasPath(fields: Json, path: readonly string[]): boolean {
  let at: Json = fields;
  for (const step of path) {
    const next = at[step];
    if (!isJson(next)) return false;
    at = next;
  }
  return true;
}
