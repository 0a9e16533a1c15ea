// The Lease object by which controllers of one cluster agree on who leads, as values: read from
// what an API server gives, and written as it takes it. Pure. Its times are for people; who leads
// is decided by how long the object has not changed.

import { childOf, isJson, type Json, textOf } from "../../kube/object-fields.ts";

/** The name of the Lease. */
export const LEASE_NAME = "fairlead-controller";

/** What the Lease says. */
export interface LeaseRecord {
  readonly resourceVersion: string;
  /** Absent: nobody leads. */
  readonly holder?: string;
  /** How long the holder's lead lasts without a renewal, in ms. */
  readonly durationMs: number;
  /** RFC 3339; when the holder won it. */
  readonly acquireTime?: string;
  /** How often the holder changed. */
  readonly transitions: number;
}

/** Reads it; undefined when it is no Lease. */
export function readLeaseRecord(object: unknown): LeaseRecord | undefined {
  if (!isJson(object)) return undefined;
  const resourceVersion = textOf(childOf(object, "metadata"), "resourceVersion");
  if (resourceVersion === undefined) return undefined;
  const spec = childOf(object, "spec");
  const holder = textOf(spec, "holderIdentity") ?? "";
  const acquireTime = textOf(spec, "acquireTime");
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions } = spec;
  return {
    resourceVersion,
    ...(holder === "" ? {} : { holder }),
    durationMs: typeof seconds === "number" ? seconds * 1000 : 0,
    ...(acquireTime === undefined ? {} : { acquireTime }),
    transitions: typeof transitions === "number" ? transitions : 0,
  };
}

/** The Lease as it is written. */
export function leaseObject(at: {
  readonly namespace: string;
  /** Absent: it is to be made. */
  readonly resourceVersion: string | undefined;
  /** Empty: it is given up. */
  readonly holder: string;
  readonly durationMs: number;
  readonly acquireTime: string | undefined;
  readonly renewTime: string;
  readonly transitions: number;
}): Json {
  const { namespace, resourceVersion, holder, durationMs, renewTime, transitions } = at;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: LEASE_NAME,
      namespace,
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: Math.max(1, Math.ceil(durationMs / 1000)),
      acquireTime: at.acquireTime ?? renewTime,
      renewTime,
      leaseTransitions: transitions,
    },
  };
}

/** Wall time as a Lease has it, to the microsecond. */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace("Z", "000Z");
}
