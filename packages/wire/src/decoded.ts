// What every decoder of this package answers: a value of the closed types, or a refusal in words.
// Given what a peer sent. Nothing here throws, and no control character of a peer passes.

import { type Reason, REASONS } from "@fairlead/model";

/** Why something that a peer sent was not taken. */
export interface Refused {
  readonly kind: "refused";
  /** Always of the closed list; `BadField` for everything that is not a value of its type. */
  readonly reason: Reason;
  /** Which field, lower case, without the value: a peer's bytes are not repeated. */
  readonly detail: string;
}

/** A decoded value, or why there is none. Decoders never throw, whatever the bytes. */
export type Decoded<T> = { readonly kind: "ok"; readonly value: T } | Refused;

/** Most bytes of a problem's words on the wire; see Problem.detail of the contract. */
export const DETAIL_CHARACTERS_MAX = 1024;

/** Makes a decoded value. */
export function ok<T>(value: T): Decoded<T> {
  return { kind: "ok", value };
}

/** Makes a refusal of a field. */
export function refused(detail: string): Refused {
  return { kind: "refused", reason: "BadField", detail };
}

/**
 * Takes fields that were read one by one, where undefined means that the value was not of its
 * type. Refuses with the name of the first such field.
 * @param subject what the fields belong to: "vip".
 */
export function complete<T extends object>(
  subject: string,
  fields: T,
): Decoded<{ readonly [K in keyof T]: Exclude<T[K], undefined> }> {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) return refused(`${subject}: bad ${name}`);
  }
  return ok(fields as { readonly [K in keyof T]: Exclude<T[K], undefined> });
}

/** Decodes each item; the first refusal refuses all. */
export function decodeAll<T, U>(
  items: readonly T[],
  decode: (item: T) => Decoded<U>,
): Decoded<readonly U[]> {
  const values: U[] = [];
  for (const item of items) {
    const decoded = decode(item);
    if (decoded.kind === "refused") return decoded;
    values.push(decoded.value);
  }
  return ok(values);
}

/** The number when it is a whole one from `min` to `max`. */
export function within(value: number, min: number, max: number): number | undefined {
  return Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

/** A counter of 64 bits as a number; undefined when a number cannot hold it exactly. */
export function counter(value: bigint): number | undefined {
  return value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined;
}

/** An identifier that a peer made up: 1 to 128 printable ASCII characters without spaces. */
export function token(text: string): string | undefined {
  return /^[\x21-\x7e]{1,128}$/.test(text) ? text : undefined;
}

/** A reason of the closed list by its name. */
export function reasonNamed(name: string): Reason | undefined {
  return Object.hasOwn(REASONS, name) ? (name as Reason) : undefined;
}

/** Words of a peer for people: control characters become spaces, and the length is bounded. */
export function cleanDetail(text: string): string {
  // U+2028 and U+2029 end lines for some readers; the bidi controls reorder what people see.
  return text
    .slice(0, DETAIL_CHARACTERS_MAX)
    .replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, " ");
}
