// JSON as the stub keeps it: objects without types, read with care and changed only in copies.
// Pure.

/** A parsed JSON object. */
export type Json = Readonly<Record<string, unknown>>;
/** One that is being made. */
export type MutableJson = Record<string, unknown>;

/** Whether a value is a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON object at a field; an empty one where there is none. */
export function childOf(value: Json, field: string): Json {
  const child = value[field];
  return isJson(child) ? child : {};
}

/** The text at a field; empty where there is none. */
export function textOf(value: Json, field: string): string {
  const text = value[field];
  return typeof text === "string" ? text : "";
}

/** The list at a field; an empty one where there is none. */
export function listOf(value: Json, field: string): readonly unknown[] {
  const list = value[field];
  return Array.isArray(list) ? list : [];
}

/** A copy without these fields. */
export function omit(value: Json, ...fields: readonly string[]): Json {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !fields.includes(key)));
}

/** A copy without fields that are undefined. */
export function defined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}

/** The base with a JSON merge patch applied (RFC 7386). */
export function mergePatch(base: unknown, patch: unknown): unknown {
  if (!isJson(patch)) return patch;
  const merged: MutableJson = isJson(base) ? { ...base } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
