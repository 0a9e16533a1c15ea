// What of an object's metadata is read before anything else is: its name, its uid and its version.
// Given parsed JSON of an API server; what has none of them is no object.

import type { ObjectMeta } from "./object-set.ts";

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

/** Reads it; undefined when it has no name or no uid. */
export function readMeta(object: Json): ObjectMeta | undefined {
  const metadata = childOf(object, "metadata");
  const name = textOf(metadata, "name");
  const uid = textOf(metadata, "uid");
  if (name === undefined || uid === undefined) return undefined;
  const namespace = textOf(metadata, "namespace");
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  return { key, uid, version: readVersion(textOf(metadata, "resourceVersion")) };
}

/** A resource version as a number; NaN where it is none, which is neither older nor newer. */
export function readVersion(text: string | undefined): number {
  return text !== undefined && /^\d{1,18}$/u.test(text) ? Number(text) : Number.NaN;
}
