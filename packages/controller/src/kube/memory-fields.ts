// For tests: who owns which field of an object in memory, and what applies and edits make of that,
// as a kube-apiserver 1.36 keeps account of it. Given fields by name, each a value that is written
// whole. Pure.

import { isDeepStrictEqual } from "node:util";

/** Values by name. */
export type Fields = ReadonlyMap<string, unknown>;
/** Names of fields by manager. */
export type Owners = ReadonlyMap<string, ReadonlySet<string>>;

/** An object's fields with their owners. */
export interface OwnedFields {
  readonly fields: Fields;
  readonly owned: Owners;
}

/** A server-side apply with force: what this manager alone owned and wants no more goes. */
export function applyFields(before: OwnedFields, wanted: Fields, manager: string): OwnedFields {
  const fields = new Map(before.fields);
  const owned = new Map(before.owned);
  for (const field of owned.get(manager) ?? []) {
    const isShared = [...owned].some(([other, its]) => other !== manager && its.has(field));
    if (!wanted.has(field) && !isShared) fields.delete(field);
  }
  owned.delete(manager);
  for (const [field, value] of wanted) {
    if (isDeepStrictEqual(fields.get(field), value)) continue;
    for (const [other, its] of owned) owned.set(other, without(its, field));
    fields.set(field, value);
  }
  if (wanted.size > 0) owned.set(manager, new Set(wanted.keys()));
  return { fields, owned: withoutEmpty(owned) };
}

/** A field that others own and that would be changed; without force an apply may not. */
export function takenFrom(
  before: OwnedFields,
  wanted: Fields,
  manager: string,
): string | undefined {
  const others = [...before.owned].filter(([other]) => other !== manager);
  return [...wanted.keys()].find(
    (field) =>
      !isDeepStrictEqual(before.fields.get(field), wanted.get(field)) &&
      others.some(([, its]) => its.has(field)),
  );
}

/** The owners after an edit: whoever changed a field owns it alone. */
export function ownersAfter(before: OwnedFields, after: Fields, manager: string): Owners {
  const owned = new Map(before.owned);
  for (const field of new Set([...before.fields.keys(), ...after.keys()])) {
    if (isDeepStrictEqual(before.fields.get(field), after.get(field))) continue;
    for (const [other, its] of owned) owned.set(other, without(its, field));
    if (after.has(field)) owned.set(manager, new Set([...(owned.get(manager) ?? []), field]));
  }
  return withoutEmpty(owned);
}

function without(owned: ReadonlySet<string>, field: string): ReadonlySet<string> {
  return owned.has(field) ? new Set([...owned].filter((one) => one !== field)) : owned;
}

function withoutEmpty(owned: Owners): Owners {
  return new Map([...owned].filter(([, its]) => its.size > 0));
}
