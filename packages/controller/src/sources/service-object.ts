// A Kubernetes Service, as far as it is used. Given a parsed document; says what is wrong with
// types and ranges. What the fields mean is decided in translate-service.ts alone.

import { z } from "zod";

import { absent, metadataSchema, type ObjectMetadata } from "./object-metadata.ts";

/** One entry of spec.ports. */
export interface ServicePort {
  /** Empty when it has none. */
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly targetPort?: number | string | undefined;
  readonly nodePort?: number | undefined;
}

/** A Service as it is used. */
export interface ServiceObject {
  readonly metadata: ObjectMetadata;
  readonly spec: {
    readonly type: string;
    readonly clusterIPs?: readonly string[] | undefined;
    readonly ports: readonly ServicePort[];
    readonly loadBalancerClass?: string | undefined;
    readonly loadBalancerIP?: string | undefined;
    readonly loadBalancerSourceRanges?: readonly string[] | undefined;
    readonly allocateLoadBalancerNodePorts?: boolean | undefined;
    readonly externalTrafficPolicy?: string | undefined;
    readonly ipFamilies?: readonly ("IPv4" | "IPv6")[] | undefined;
    readonly ipFamilyPolicy?: "SingleStack" | "PreferDualStack" | "RequireDualStack" | undefined;
    readonly sessionAffinity?: "None" | "ClientIP" | undefined;
    readonly sessionAffinityConfig?:
      | { readonly clientIP?: { readonly timeoutSeconds?: number | undefined } | undefined }
      | undefined;
  };
}

const portNumber = z.int().min(1).max(65_535);

const portSchema = z.object({
  name: absent(z.string()).transform((name) => name ?? ""),
  protocol: absent(z.string()).transform((protocol) => protocol ?? "TCP"),
  port: portNumber,
  targetPort: absent(z.custom<number | string>(isTargetPort, "expected a port number or a name")),
  // The API server writes 0 where it has not allocated one yet.
  nodePort: absent(z.int().min(0).max(65_535)).transform((port) => (port === 0 ? undefined : port)),
});

/** Schema of a Service. */
export const serviceSchema: z.ZodType<ServiceObject> = z.object({
  metadata: metadataSchema,
  spec: z.object({
    type: absent(z.string()).transform((type) => type ?? "ClusterIP"),
    clusterIPs: absent(z.array(z.string())),
    ports: absent(z.array(portSchema)).transform((ports) => ports ?? []),
    loadBalancerClass: absent(z.string()),
    loadBalancerIP: absent(z.string()),
    loadBalancerSourceRanges: absent(z.array(z.string())),
    allocateLoadBalancerNodePorts: absent(z.boolean()),
    externalTrafficPolicy: absent(z.enum(["Cluster", "Local"])),
    ipFamilies: absent(z.array(z.enum(["IPv4", "IPv6"])).max(2)),
    ipFamilyPolicy: absent(z.enum(["SingleStack", "PreferDualStack", "RequireDualStack"])),
    sessionAffinity: absent(z.enum(["None", "ClientIP"])),
    sessionAffinityConfig: absent(
      z.object({
        clientIP: absent(z.object({ timeoutSeconds: absent(z.int().min(1).max(86_400)) })),
      }),
    ),
  }),
});

function isTargetPort(value: unknown): boolean {
  if (typeof value === "string") return value.length > 0;
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
}
