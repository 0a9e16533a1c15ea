// AddressPools of a real cluster, as stories make them and read what is said of them. Given names
// and specs, and the cluster's client.

import type { KubeClient } from "@fairlead/testkit";

/** The kind. */
export const POOL_KIND = { apiVersion: "fairlead.io/v1alpha1", kind: "AddressPool" } as const;

/** What the controller says of a pool. */
export interface PoolStatus {
  readonly observedGeneration?: number;
  readonly usage?: Readonly<Record<string, { readonly used: string }>>;
  readonly conditions?: readonly {
    readonly type: string;
    readonly status: string;
    readonly reason: string;
    readonly message: string;
  }[];
}

/** A pool as a document to apply. */
export function poolText(name: string, spec: object): string {
  return JSON.stringify({ ...POOL_KIND, metadata: { name }, spec });
}

/** The condition of this type in one line: `True InUse words`; empty when there is none. */
export function saysOf(status: PoolStatus, type: string): string {
  const found = status.conditions?.find((condition) => condition.type === type);
  return found === undefined ? "" : `${found.status} ${found.reason} ${found.message}`;
}

/** Waits until the pool's status is so, and says it of the present spec. */
export async function untilPool(
  kube: KubeClient,
  name: string,
  what: string,
  isSo: (status: PoolStatus) => boolean,
): Promise<void> {
  await kube.until(what, { ...POOL_KIND, name }, (object) => {
    const status = object?.["status"] as PoolStatus | undefined;
    const isOfNow = status?.observedGeneration === object?.metadata["generation"];
    return status !== undefined && isOfNow && isSo(status) ? true : undefined;
  });
}
