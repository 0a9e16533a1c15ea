// Objects by field paths: what stands at a path, the object without it, and two objects merged as
// server-side apply merges them. Pure.

import { entryStep, type FieldPath, listSort } from "./field-set.ts";
import { isJson, type MutableJson } from "./json-tree.ts";

/** What stands at a path; undefined where nothing does. */
export function valueAt(value: unknown, path: FieldPath, from = 0): unknown {
  const step = path[from];
  if (step === undefined || step === ".") return value;
  if (step.startsWith("f:")) {
    return isJson(value) ? valueAt(value[step.slice(2)], path, from + 1) : undefined;
  }
  const sort = listSort(path.slice(0, from));
  if (!Array.isArray(value) || sort === "atomic") return undefined;
  const entry: unknown = value.find((each) => entryStep(sort, each) === step);
  return entry === undefined ? undefined : valueAt(entry, path, from + 1);
}

/**
 * A copy without what stands at the path, and without the levels that are empty then. A `.` at its
 * end takes the whole entry of a list.
 */
export function without(value: unknown, path: FieldPath, from = 0): unknown {
  const step = path[from];
  if (step === undefined || step === ".") return undefined;
  const sort = listSort(path.slice(0, from));
  if (Array.isArray(value) && sort !== "atomic") {
    const kept = value.flatMap((each: unknown): readonly unknown[] => {
      if (entryStep(sort, each) !== step) return [each];
      const rest = without(each, path, from + 1);
      return rest === undefined ? [] : [rest];
    });
    return kept.length === 0 ? undefined : kept;
  }
  if (!isJson(value)) return value;
  const key = step.slice(2);
  const { [key]: inner, ...others } = value;
  if (inner === undefined) return value;
  const rest = without(inner, path, from + 1);
  const copy = rest === undefined ? others : { ...value, [key]: rest };
  // A level that this emptied goes with it; the object itself stays.
  return Object.keys(copy).length === 0 && from > 0 ? undefined : copy;
}

/** The live object with what is applied put over it. */
export function mergeApplied(live: unknown, applied: unknown, path: FieldPath = []): unknown {
  if (Array.isArray(applied)) {
    const sort = listSort(path);
    if (!Array.isArray(live) || sort === "atomic") return applied;
    return mergeLists(live, applied, path);
  }
  if (!isJson(applied)) return applied;
  const merged: MutableJson = isJson(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(applied)) {
    merged[key] = mergeApplied(merged[key], value, [...path, `f:${key}`]);
  }
  return merged;
}

function mergeLists(
  live: readonly unknown[],
  applied: readonly unknown[],
  path: FieldPath,
): readonly unknown[] {
  const sort = listSort(path);
  if (sort === "atomic") return applied;
  const stepOf = (entry: unknown): string => entryStep(sort, entry);
  const known = new Set(live.map(stepOf));
  const kept = live.map((entry) => {
    const step = stepOf(entry);
    const over = applied.find((each) => stepOf(each) === step);
    return over === undefined ? entry : mergeApplied(entry, over, [...path, step]);
  });
  return [...kept, ...applied.filter((entry) => !known.has(stepOf(entry)))];
}
