// Who wrote which field, as server-side apply keeps account of it: what an apply takes, takes over
// and gives up, and what a patch of another sort takes. Pure.

import { isDeepStrictEqual } from "node:util";

import {
  type FieldPath,
  type FieldSet,
  fieldsOf,
  pathWords,
  readFields,
  writeFields,
} from "./field-set.ts";
import { mergeApplied, valueAt, without } from "./field-tree.ts";
import { childOf, isJson, type Json, listOf, textOf } from "./json-tree.ts";
import type { OwnedField } from "./status-answers.ts";

/** Who writes. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource: string;
  /** RFC 3339. */
  readonly time: string;
}

/** What a write came to. */
export interface OwnedObject {
  readonly object: Json;
}

/** Fields that others own and that would be changed. */
export interface FieldConflict {
  readonly conflicts: readonly OwnedField[];
}

interface Owner extends Writer {
  readonly fields: FieldSet;
}

/** Applies a configuration as its writer. Without force it takes nothing from others. */
export function applyFields(
  live: Json,
  applied: Json,
  writer: Writer,
  isForced: boolean,
): OwnedObject | FieldConflict {
  const owners = ownersOf(live);
  const own = owners.find((owner) => isSameWriter(owner, writer));
  const others = owners.filter((owner) => owner !== own);
  const wanted = fieldsOf(applied);
  const taken = [...wanted].filter(([, path]) => isChanged(live, applied, path));
  const conflicts = others.flatMap((owner) =>
    taken
      .filter(([key]) => owner.fields.has(key))
      .map(([, path]) => ({ owner: ownerWords(owner), field: pathWords(path) }))
      .toSorted((a, b) => compareTexts(a.field, b.field)),
  );
  if (conflicts.length > 0 && !isForced) return { conflicts };
  const losers = others.map((owner) => lose(owner, taken));
  let merged = mergeApplied(live, applied);
  const kept = [wanted, ...losers.map(({ fields }) => fields)];
  for (const path of own?.fields.values() ?? []) {
    if (!kept.some((fields) => covers(fields, path))) merged = without(merged, path);
  }
  const object = isJson(merged) ? merged : {};
  return { object: withOwners(object, [...losers, { ...writer, fields: wanted }]) };
}

/** Keeps account of a patch of another sort: what it changed is its writer's. */
export function trackUpdate(before: Json, after: Json, writer: Writer): Json {
  const now = fieldsOf(after);
  const changed = [...now].filter(
    ([, path]) => !isDeepStrictEqual(valueAt(before, path), valueAt(after, path)),
  );
  const owners = ownersOf(before).map((owner) => {
    const kept = [...owner.fields].filter(([, path]) => valueAt(after, path) !== undefined);
    return lose({ ...owner, fields: new Map(kept) }, changed);
  });
  if (changed.length === 0) return withOwners(after, owners);
  const own = owners.find((owner) => isSameWriter(owner, writer));
  const fields = new Map([...(own?.fields ?? []), ...changed]);
  return withOwners(after, [...owners.filter((owner) => owner !== own), { ...writer, fields }]);
}

function lose(owner: Owner, taken: readonly (readonly [string, FieldPath])[]): Owner {
  const fields = new Map(owner.fields);
  for (const [key] of taken) fields.delete(key);
  return { ...owner, fields };
}

/** Whether applying changes what stands at the path. An empty object is there or is not. */
function isChanged(live: Json, applied: Json, path: FieldPath): boolean {
  if (path.at(-1) === ".") return false;
  const [before, after] = [valueAt(live, path), valueAt(applied, path)];
  if (isJson(after) && isJson(before)) return false;
  return !isDeepStrictEqual(before, after);
}

/** Whether the path, or anything below it, is among the fields. */
function covers(fields: FieldSet, path: FieldPath): boolean {
  const key = path.join("/");
  if (fields.has(key)) return true;
  const prefix = path.at(-1) === "." ? key.slice(0, -1) : `${key}/`;
  return [...fields.keys()].some((each) => each.startsWith(prefix));
}

function isSameWriter(a: Writer, b: Writer): boolean {
  return a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;
}

function ownerWords({ manager, operation, subresource }: Owner): string {
  const where = subresource === "" ? "" : ` with subresource "${subresource}"`;
  return `"${manager}"${where}${operation === "Update" ? " using v1" : ""}`;
}

function ownersOf(object: Json): readonly Owner[] {
  return listOf(childOf(object, "metadata"), "managedFields")
    .filter(isJson)
    .map((entry) => ({
      manager: textOf(entry, "manager"),
      operation: textOf(entry, "operation") === "Apply" ? "Apply" : "Update",
      subresource: textOf(entry, "subresource"),
      time: textOf(entry, "time"),
      fields: readFields(childOf(entry, "fieldsV1")),
    }));
}

/** Applies stand before updates, each sort by time. */
function withOwners(object: Json, owners: readonly Owner[]): Json {
  const managedFields = owners
    .filter(({ fields }) => fields.size > 0)
    .toSorted((a, b) => compareTexts(a.operation, b.operation) || compareTexts(a.time, b.time))
    .map(({ manager, operation, subresource, time, fields }) => ({
      manager,
      operation,
      apiVersion: textOf(object, "apiVersion"),
      time,
      fieldsType: "FieldsV1",
      fieldsV1: writeFields(fields),
      ...(subresource === "" ? {} : { subresource }),
    }));
  return { ...object, metadata: { ...childOf(object, "metadata"), managedFields } };
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
