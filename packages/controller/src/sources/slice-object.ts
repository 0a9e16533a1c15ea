// A Kubernetes EndpointSlice (discovery.k8s.io/v1), as far as it is used. Given a parsed document;
// says what is wrong with types and ranges. Addresses stay text: a bad one costs a member only.

import { z } from "zod";

import { absent, metadataSchema, type ObjectMetadata } from "./object-metadata.ts";

/** Label by which an EndpointSlice names its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** One endpoint; conditions with Kubernetes' defaults filled in. */
export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** One port of a slice. */
export interface SlicePort {
  /** Empty when it has none. */
  readonly name: string;
  readonly protocol: string;
  /** Absent: any port, which nothing can be sent to. */
  readonly port?: number | undefined;
}

/** An EndpointSlice as it is used. */
export interface SliceObject {
  readonly metadata: ObjectMetadata;
  readonly addressType: "IPv4" | "IPv6" | "FQDN";
  readonly endpoints: readonly SliceEndpoint[];
  readonly ports: readonly SlicePort[];
}

const endpointSchema = z
  .object({
    addresses: absent(z.array(z.string())),
    conditions: absent(
      z.object({
        ready: absent(z.boolean()),
        serving: absent(z.boolean()),
        terminating: absent(z.boolean()),
      }),
    ),
  })
  .transform(({ addresses, conditions }) => {
    // The API's rule: an unknown `ready` is true, an unknown `serving` equals `ready`.
    const ready = conditions?.ready ?? true;
    const serving = conditions?.serving ?? ready;
    const terminating = conditions?.terminating ?? false;
    return { addresses: addresses ?? [], ready, serving, terminating };
  });

const portSchema = z.object({
  name: absent(z.string()).transform((name) => name ?? ""),
  protocol: absent(z.string()).transform((protocol) => protocol ?? "TCP"),
  port: absent(z.int()),
});

/** API servers take any number: one that is no port counts as not there, and the others stay. */
function isPort({ port }: SlicePort): boolean {
  return port === undefined || (port >= 1 && port <= 65_535);
}

/** Schema of an EndpointSlice. */
export const sliceSchema: z.ZodType<SliceObject> = z.object({
  metadata: metadataSchema,
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  endpoints: absent(z.array(endpointSchema)).transform((endpoints) => endpoints ?? []),
  ports: absent(z.array(portSchema)).transform((ports) => (ports ?? []).filter(isPort)),
});
