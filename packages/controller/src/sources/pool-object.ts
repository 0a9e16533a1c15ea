// An AddressPool (fairlead.io/v1alpha1) as a manifest has it. Given a parsed document; unknown
// fields of the spec are an error, as everywhere where a pool is written.

import { z } from "zod";

import { POOL_SPEC_FIELDS, type PoolSpec } from "../config/pool-spec.ts";
import { metadataSchema, type ObjectMetadata } from "./object-metadata.ts";

/** An AddressPool as it is used. */
export interface PoolObject {
  readonly metadata: ObjectMetadata;
  readonly spec: PoolSpec;
}

/** Schema of an AddressPool. */
export const poolSchema: z.ZodType<PoolObject> = z.object({
  metadata: metadataSchema,
  spec: z.strictObject(POOL_SPEC_FIELDS),
});
