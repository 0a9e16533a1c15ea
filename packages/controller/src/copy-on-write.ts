// A map that is copied when it is first changed, so that a fact about one agent does not cost a
// copy of ten thousand claims. Given the map, which is never changed itself.

/** A map under change. */
export interface Editable<K, V> {
  /** As it is now. */
  readonly now: ReadonlyMap<K, V>;
  /** The copy that may be changed; made at the first call. */
  edit(): Map<K, V>;
}

/** Puts a map under change. */
export function editable<K, V>(map: ReadonlyMap<K, V>): Editable<K, V> {
  let copy: Map<K, V> | undefined;
  return {
    get now() {
      return copy ?? map;
    },
    edit: () => (copy ??= new Map(map)),
  };
}
