// The fields of an object as server-side apply names them: a set of paths, out of an object or out
// of the fieldsV1 of managedFields, and back. Pure. The schema is that of what is written here:
// finalizers are a set, conditions, ports and owners are maps by their keys, other lists are
// atomic.

import { isJson, type Json, type MutableJson } from "./json-tree.ts";

/** One step of a path as fieldsV1 writes it: `f:spec`, `k:{"type":"A"}`, `v:"a"`, `.` */
export type FieldPath = readonly string[];
/** Paths by their text. */
export type FieldSet = ReadonlyMap<string, FieldPath>;

/** Lists whose entries are told apart by these keys. */
const KEYED: Readonly<Record<string, readonly string[]>> = {
  "f:status/f:conditions": ["type"],
  "f:spec/f:ports": ["port", "protocol"],
  "f:metadata/f:ownerReferences": ["uid"],
};
/** What an entry has where it leaves its key out. */
const KEY_DEFAULTS: Json = { protocol: "TCP" };
/** Lists whose entries stand for themselves. */
const SETS: ReadonlySet<string> = new Set(["f:metadata/f:finalizers"]);
/** What nobody owns: the server's own, and what names the object. */
const NOBODYS: ReadonlySet<string> = new Set([
  "f:apiVersion",
  "f:kind",
  ...[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
  ].map((field) => `f:metadata/f:${field}`),
]);

/** How entries of a list are told apart: by keys, by themselves, or not at all. */
export type ListSort = "atomic" | "set" | readonly string[];

/** The sort of the list at a path. */
export function listSort(path: FieldPath): ListSort {
  const text = path.join("/");
  return SETS.has(text) ? "set" : (KEYED[text] ?? "atomic");
}

/** The step of an entry of a list. */
export function entryStep(sort: Exclude<ListSort, "atomic">, entry: unknown): string {
  if (sort === "set") return `v:${JSON.stringify(entry)}`;
  const values = isJson(entry) ? entry : {};
  const key = sort.map((field) => [field, values[field] ?? KEY_DEFAULTS[field]]);
  return `k:${JSON.stringify(Object.fromEntries(key))}`;
}

/** The paths of all that an object says. */
export function fieldsOf(object: Json): FieldSet {
  const fields = new Map<string, FieldPath>();
  for (const path of walk(object, [])) fields.set(path.join("/"), path);
  return fields;
}

function* walk(value: unknown, path: FieldPath): Generator<FieldPath, void> {
  if (NOBODYS.has(path.join("/"))) return;
  if (Array.isArray(value)) return yield* walkList(value, path);
  const entries = isJson(value) ? Object.entries(value) : [];
  if (entries.length === 0) {
    if (path.length > 0) yield path;
    return;
  }
  for (const [key, each] of entries) yield* walk(each, [...path, `f:${key}`]);
}

function* walkList(list: readonly unknown[], path: FieldPath): Generator<FieldPath, void> {
  const sort = listSort(path);
  if (sort === "atomic" || list.length === 0) {
    yield path;
    return;
  }
  for (const entry of list) {
    const at = [...path, entryStep(sort, entry)];
    if (sort === "set") {
      yield at;
      continue;
    }
    yield [...at, "."];
    yield* walk(entry, at);
  }
}

/** The paths out of managedFields. */
export function readFields(fieldsV1: Json): FieldSet {
  const fields = new Map<string, FieldPath>();
  const visit = (tree: Json, path: FieldPath): void => {
    for (const [step, inner] of Object.entries(tree)) {
      const at = [...path, step];
      if (isJson(inner) && Object.keys(inner).length > 0) visit(inner, at);
      else fields.set(at.join("/"), at);
    }
  };
  visit(fieldsV1, []);
  return fields;
}

/** The paths as managedFields has them. */
export function writeFields(fields: FieldSet): Json {
  const tree: MutableJson = {};
  // As the server has them: by name.
  const paths = [...fields].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  for (const path of paths) {
    let at = tree;
    for (const step of path) {
      const next = (at[step] ?? {}) as MutableJson;
      at[step] = next;
      at = next;
    }
  }
  return tree;
}

/** A path as the server writes it for people: `.status.conditions[type="A"].status`. */
export function pathWords(path: FieldPath): string {
  const words = path.map((step) => {
    if (step.startsWith("f:")) return `.${step.slice(2)}`;
    if (step.startsWith("v:")) return `[=${step.slice(2)}]`;
    if (step === ".") return "";
    const key = Object.entries(JSON.parse(step.slice(2)) as Json);
    return `[${key.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(",")}]`;
  });
  return words.join("");
}
