// A Kubernetes Node, as far as it is used. Given a parsed document; says what is wrong with types.

import { z } from "zod";

import { absent, metadataSchema, type ObjectMetadata } from "./object-metadata.ts";

/** One address of a Node. */
export interface NodeAddress {
  /** ExternalIP, InternalIP, Hostname, or another word, which is left out. */
  readonly type: string;
  readonly address: string;
}

/** A Node as it is used. */
export interface NodeObject {
  readonly metadata: ObjectMetadata;
  readonly addresses: readonly NodeAddress[];
  /** False only when the condition Ready says so: a Node written by hand has no conditions. */
  readonly ready: boolean;
}

/** Labels that a node must carry; undefined: with any value. */
export type NodeSelector = Readonly<Record<string, string | undefined>>;

const statusSchema = z.object({
  addresses: absent(z.array(z.object({ type: z.string(), address: z.string() }))),
  conditions: absent(z.array(z.object({ type: z.string(), status: z.string() }))),
});

/** Schema of a Node. */
export const nodeSchema: z.ZodType<NodeObject> = z
  .object({ metadata: metadataSchema, status: absent(statusSchema) })
  .transform(({ metadata, status }) => {
    const ready = status?.conditions?.find((condition) => condition.type === "Ready");
    return {
      metadata,
      addresses: status?.addresses ?? [],
      ready: ready === undefined || ready.status === "True",
    };
  });
