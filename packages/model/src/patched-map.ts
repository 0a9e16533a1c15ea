// Maps that are copied by what differs. A copy of a large map with a few keys changed keeps the map
// as its base and the changes beside it, so that a copy costs as much as was changed, and what
// differs between two copies is found without reading them. Given maps that are never changed.

/** Maps below this size are copied whole: that is as cheap, and it leaves plain maps. */
const SIZE_MIN = 512;
/** A patch above this share of its base becomes part of a new one. */
const SHARE_MAX = 1 / 32;

/**
 * A map with some keys changed.
 * @param changes new values by key; undefined takes the key out. Handed over: not changed any more.
 * @returns the same map when nothing differs.
 */
export function patchMap<Key, Value>(
  map: ReadonlyMap<Key, Value>,
  changes: ReadonlyMap<Key, Value | undefined>,
): ReadonlyMap<Key, Value> {
  if (map.size === 0 && isMap(changes)) return changes.size === 0 ? map : changes;
  const { base, patch: earlier } = baseAndPatch(map);
  const room = base.size < SIZE_MIN ? 0 : base.size * SHARE_MAX - earlier.size;
  // What is copied whole is a plain map, edited; else the patch alone is.
  const copy = new Map<Key, Value | undefined>(changes.size > room ? map : earlier);
  const isWhole = changes.size > room;
  let isSame = true;
  for (const [key, value] of changes) {
    if (map.get(key) === value) continue;
    isSame = false;
    if (isWhole && value === undefined) copy.delete(key);
    else copy.set(key, value);
  }
  if (isSame) return map;
  return isWhole ? (copy as Map<Key, Value>) : new PatchedMap(base, copy);
}

/** Keys whose values differ, by identity, and those that only one of the maps has. */
export function changedKeys<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  now: ReadonlyMap<Key, Value>,
): readonly Key[] {
  if (before === now) return [];
  const [a, b] = [baseAndPatch(before), baseAndPatch(now)];
  if (a.base !== b.base) return compareAll(before, now);
  const keys = new Set([...a.patch.keys(), ...b.patch.keys()]);
  return [...keys].filter((key) => before.get(key) !== now.get(key));
}

function isMap<Key, Value>(
  changes: ReadonlyMap<Key, Value | undefined>,
): changes is ReadonlyMap<Key, Value> {
  for (const value of changes.values()) if (value === undefined) return false;
  return true;
}

/** What a patched map is made of. */
export interface MapParts<Key, Value> {
  /** Shared by all maps that were patched from it. */
  readonly base: ReadonlyMap<Key, Value>;
  /** Values by key that stand instead of the base's; undefined: the map has not the key. */
  readonly patch: ReadonlyMap<Key, Value | undefined>;
}

/**
 * Takes a patched map apart, for what is worked out of a base once and of patches again and again.
 * Undefined for everything else.
 */
export function partsOf<Key, Value>(
  map: Iterable<readonly [Key, Value]>,
): MapParts<Key, Value> | undefined {
  return map instanceof PatchedMap ? map : undefined;
}

function baseAndPatch<Key, Value>(map: ReadonlyMap<Key, Value>): MapParts<Key, Value> {
  return partsOf(map) ?? { base: map, patch: new Map() };
}

/** A map under change, which can be read meanwhile. */
export interface EditedMap<Key, Value> extends ReadonlyMap<Key, Value> {
  set(key: Key, value: Value): unknown;
  /** Whether the key was there. */
  delete(key: Key): boolean;
  /** The changed map. Nothing may be changed after that. */
  done(): ReadonlyMap<Key, Value>;
}

/** Puts a map under change; the map itself stays as it is. */
export function editMap<Key, Value>(map: ReadonlyMap<Key, Value>): EditedMap<Key, Value> {
  return new Edited(map);
}

/** A map that was copied and edited has its keys in the old order: both are walked together. */
function compareAll<Key, Value>(
  before: ReadonlyMap<Key, Value>,
  now: ReadonlyMap<Key, Value>,
): readonly Key[] {
  const changed: Key[] = [];
  const old = before.entries();
  let known = 0;
  for (const [key, value] of now) {
    const beside = old.next().value;
    const isSame = beside?.[0] === key && beside[1] === value;
    if (isSame || before.has(key)) known += 1;
    if (!isSame && before.get(key) !== value) changed.push(key);
  }
  if (known === before.size) return changed;
  for (const key of before.keys()) if (!now.has(key)) changed.push(key);
  return changed;
}

/** Base and patch are in sight of everybody, so that whoever compares by content sees them. */
class PatchedMap<Key, Value> implements ReadonlyMap<Key, Value> {
  readonly base: ReadonlyMap<Key, Value>;
  readonly patch: ReadonlyMap<Key, Value | undefined>;

  constructor(base: ReadonlyMap<Key, Value>, patch: ReadonlyMap<Key, Value | undefined>) {
    this.base = base;
    this.patch = patch;
  }

  get size(): number {
    let { size } = this.base;
    for (const [key, value] of this.patch) {
      size += Number(value !== undefined) - Number(this.base.has(key));
    }
    return size;
  }

  get(key: Key): Value | undefined {
    const value = this.patch.get(key);
    return value === undefined && !this.patch.has(key) ? this.base.get(key) : value;
  }

  has(key: Key): boolean {
    return this.patch.has(key) ? this.patch.get(key) !== undefined : this.base.has(key);
  }

  *entries(): Generator<[Key, Value], undefined> {
    for (const entry of this.base) {
      const [key] = entry;
      if (!this.patch.has(key)) yield entry;
      else {
        const value = this.patch.get(key);
        if (value !== undefined) yield [key, value];
      }
    }
    for (const [key, value] of this.patch) {
      if (value !== undefined && !this.base.has(key)) yield [key, value];
    }
  }

  *keys(): Generator<Key, undefined> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<Value, undefined> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[Key, Value], undefined> {
    return this.entries();
  }

  /** Makes nothing on its way, for those who walk a large map again and again. */
  forEach(see: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    this.base.forEach((value, key) => {
      const now = this.patch.has(key) ? this.patch.get(key) : value;
      if (now !== undefined) see(now, key, this);
    });
    this.patch.forEach((value, key) => {
      if (value !== undefined && !this.base.has(key)) see(value, key, this);
    });
  }
}

class Edited<Key, Value> extends PatchedMap<Key, Value> implements EditedMap<Key, Value> {
  readonly #changes: Map<Key, Value | undefined>;

  constructor(map: ReadonlyMap<Key, Value>) {
    const changes = new Map<Key, Value | undefined>();
    super(map, changes);
    this.#changes = changes;
  }

  set(key: Key, value: Value): void {
    this.#changes.set(key, value);
  }

  delete(key: Key): boolean {
    const isThere = this.has(key);
    if (isThere) this.#changes.set(key, undefined);
    return isThere;
  }

  done(): ReadonlyMap<Key, Value> {
    return patchMap(this.base, this.#changes);
  }
}
