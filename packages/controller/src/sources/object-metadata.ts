// The metadata of every object, as far as it is used. Given a parsed document; unknown fields are
// left out, wrong types are an error. Names are checked by the caller, who knows the rule.

import { z } from "zod";

/** Labels and annotations: text only, as Kubernetes has it. */
export const stringMap: z.ZodType<Readonly<Record<string, string>>> = z.record(
  z.string(),
  z.string(),
);

/** `null` counts as absent: that is how an empty field reads in YAML. */
export function absent<T extends z.ZodType>(schema: T): z.ZodType<z.infer<T> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** One field manager's entry, to learn who wrote a status. */
const managedField: z.ZodType<ManagedField> = z.object({
  manager: absent(z.string()),
  subresource: absent(z.string()),
  fieldsV1: z.unknown(),
});

/** Who manages which fields of an object (server-side apply). */
export interface ManagedField {
  readonly manager?: string | undefined;
  readonly subresource?: string | undefined;
  readonly fieldsV1?: unknown;
}

/** Metadata as it is used; the namespace's default and a missing uid are filled in later. */
export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly uid?: string | undefined;
  readonly generation?: number | undefined;
  readonly creationTimestamp?: string | undefined;
  /** Somebody deleted it, and only finalizers keep it. */
  readonly deletionTimestamp?: string | undefined;
  readonly finalizers?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly managedFields?: readonly ManagedField[] | undefined;
}

/** Schema of the metadata. */
export const metadataSchema: z.ZodType<ObjectMetadata> = z.object({
  name: z.string(),
  namespace: absent(z.string()),
  uid: absent(z.string()),
  generation: absent(z.int().nonnegative()),
  creationTimestamp: absent(z.string()),
  deletionTimestamp: absent(z.string()),
  finalizers: absent(z.array(z.string())),
  labels: absent(stringMap),
  annotations: absent(stringMap),
  managedFields: absent(z.array(managedField)),
});

/** Epoch ms of an RFC 3339 time; undefined when there is none or it is none. */
export function readTimestamp(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/u.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
