// Whether two rows say the same. Pure. Rows are plain values all the way down; a comparison for any
// value at all takes ten times as long, and ten thousand rows are compared at a time.

/**
 * Compares two values made of objects, arrays and primitives.
 * @param passing the field of the outermost object that time alone changes, such as an age.
 */
export function isSameRow(a: unknown, b: unknown, passing?: string): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const before = a as Readonly<Record<string, unknown>>;
  const now = b as Readonly<Record<string, unknown>>;
  const keys = Object.keys(before);
  if (keys.length !== Object.keys(now).length) return false;
  return keys.every((key) => key === passing || (key in now && isSameRow(before[key], now[key])));
}
