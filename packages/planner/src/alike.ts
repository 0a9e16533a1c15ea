// Whether two values say the same, so that the one from before can stay: who reads a plan sees by
// identity what changed. Given plain data: texts, numbers, lists and objects; nothing else.

/** Whether both say the same. Never for maps and sets, which have no keys of their own. */
export function isAlike(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isAlike(a[key], b[key]));
}

/** `now`, or `before` when that says the same. */
export function keep<T extends object>(before: T | undefined, now: T): T {
  return before !== undefined && isAlike(before, now) ? before : now;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
